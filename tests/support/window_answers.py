"""Dialogs and menus that are answered by chance, some time after they have opened."""

from __future__ import annotations

from pathlib import Path
from random import Random

from qtpy.QtCore import QTimer
from qtpy.QtGui import QAction
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialogButtonBox,
    QFileDialog,
    QMenu,
    QMessageBox,
    QWidget,
)
from window_checks import WindowChecks
from window_input import EDITING, press

_ANSWER_MS = 40
_NOT_CHOSEN = {"Split Stack"}
"""napari's key O raises an error for the slices in 3D."""


class WindowAnswers:
    """Answers what opens in a window, and looks after the window while it is open.

    Parameters
    ----------
    checks : WindowChecks
        Of the window.
    chance : Random

    Attributes
    ----------
    count : int
        How many answers were given.
    """

    def __init__(self, checks: WindowChecks, chance: Random) -> None:
        self.checks, self.chance, self.count = checks, chance, 0
        self._checked: tuple[object, ...] | None = None
        self._timer = QTimer()
        self._timer.timeout.connect(self._answer)
        self._timer.start(_ANSWER_MS)

    def end(self) -> None:
        """Answer nothing more."""
        self._timer.stop()

    def _note(self, answer: str) -> None:
        self.count += 1
        print(f"  {answer}", flush=True)

    def _answer(self) -> None:
        menu, dialog = QApplication.activePopupWidget(), QApplication.activeModalWidget()
        self._check_under(menu or dialog)
        if (menu is None and dialog is None) or self.chance.random() < 0.6:
            return
        self._checked = None
        self.checks.note_masks()  # the answer may be to save them
        if isinstance(dialog, QMessageBox):
            self.checks.note_answer(dialog.text())
        if menu is not None:
            self._choose_in(menu)
        elif isinstance(dialog, QFileDialog):
            self._choose_file(dialog)
        elif self.chance.random() < 0.2:
            sequence = self.chance.choice(EDITING)
            self._note(f"press {sequence} in a dialog")
            press(self.checks.qtbot, dialog, sequence)
        else:
            self._click_in(dialog)

    def _check_under(self, opened: QWidget | None) -> None:
        """What a dialog or menu is about stays as it is until it is answered."""
        if opened is None:
            self._checked = None
            return
        self.checks.check_shown()
        layers = self.checks.viewer.layers
        under_menu = (list(layers), set(layers.selection)) if _is_menu(opened) else ()
        now = opened, self.checks.active, under_menu
        assert self._checked in (None, now) or self._checked[0] is not opened
        self._checked = now

    def _choose_file(self, dialog: QFileDialog) -> None:
        """Write the file that is proposed, or none."""
        is_saved = dialog.acceptMode() == QFileDialog.AcceptMode.AcceptSave
        if is_saved and self.chance.random() < 0.7:
            self._note(f"save {Path(dialog.selectedFiles()[0]).name}")
            box = dialog.findChild(QDialogButtonBox)
            box.button(QDialogButtonBox.StandardButton.Save).click()
        else:
            self._note("choose no file")
            dialog.reject()

    def _choose_in(self, menu: QWidget) -> None:
        """Choose an entry, of a submenu too, or close the menu."""
        actions = menu.actions() if isinstance(menu, QMenu) else []
        actions = [x for x in actions if x.isEnabled() and x.isVisible() and x.text()]
        actions = [x for x in actions if x.text() not in _NOT_CHOSEN]
        if not actions or self.chance.random() < 0.1:
            self._note("close the menu")
            menu.close()
            return
        action: QAction = self.chance.choice(actions)
        self._note(f"choose {action.text()}")
        menu.setActiveAction(action)
        if action.menu() is None:
            press(self.checks.qtbot, menu, "Return")

    def _click_in(self, dialog: QWidget) -> None:
        buttons = [x for x in dialog.findChildren(QAbstractButton) if x.isEnabled() and x.text()]
        if buttons:
            button = self.chance.choice(buttons)
            self._note(f"answer {button.text()}")
            button.click()


def _is_menu(opened: QWidget) -> bool:
    return opened is QApplication.activePopupWidget()
