"""Questions to the user: dialogs in napari's theme, centred on its window."""

from __future__ import annotations

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QApplication, QMainWindow, QMessageBox, QWidget

ANSWERABLE_AFTER_MS = 400
"""Until then the buttons are disabled, so that keys typed before the question do not answer it."""

CANCEL = "Cancel"


def ask(parent: QWidget | None, title: str, text: str, *answers: str, harmless: str) -> str:
    """Ask a question with a button for each answer.

    Parameters
    ----------
    parent : QWidget or None
        A widget of the window that the question concerns; by default napari's window.
    title, text : str
    *answers : str
        Texts of the buttons.
    harmless : str
        The answer that changes nothing. It is the answer to Return, to Escape and to closing the
        dialog.

    Returns
    -------
    str
        One of the answers.
    """
    box = QMessageBox(window_of(parent))
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(title)
    box.setTextFormat(Qt.TextFormat.PlainText)  # a name may look like HTML
    box.setText(text)
    role = QMessageBox.ButtonRole
    buttons = {
        box.addButton(answer, role.RejectRole if answer == harmless else role.AcceptRole): answer
        for answer in answers
    }
    safe = next(button for button, answer in buttons.items() if answer == harmless)
    box.setDefaultButton(safe)
    box.setEscapeButton(safe)
    _disable_for_a_moment(box)
    box.exec_()
    return buttons.get(box.clickedButton(), harmless)


def confirm(parent: QWidget | None, title: str, text: str, action: str) -> bool:
    """Ask whether to do something; the buttons are the action and *Cancel*."""
    return ask(parent, title, text, action, CANCEL, harmless=CANCEL) == action


def dialog_is_open() -> bool:
    """Whether a modal dialog or a menu is open.

    What it says must stay true until it is closed: no other patient becomes active, no result is
    shown, and no other question appears where its buttons are.
    """
    return QApplication.activeModalWidget() is not None or menu_is_open()


def menu_is_open() -> bool:
    """Whether a menu, or the list of a combo box, is open.

    Qt crashes if layers are added or moved while the menu of napari's layer list is open.
    """
    return QApplication.activePopupWidget() is not None


def user_is_busy() -> bool:
    """Whether a dialog or menu is open, or a button of the mouse is down.

    Nothing is exchanged under the brush, or under layers that are dragged in the layer list.
    """
    return QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton or dialog_is_open()


def _disable_for_a_moment(box: QMessageBox) -> None:
    default = box.defaultButton()
    for button in box.buttons():
        button.setEnabled(False)

    def enable() -> None:
        for button in box.buttons():
            button.setEnabled(True)
        default.setFocus()

    timer = QTimer(box)
    timer.setSingleShot(True)
    timer.timeout.connect(enable)
    timer.start(ANSWERABLE_AFTER_MS)


def window_of(widget: QWidget | None) -> QWidget | None:
    """The main window of a widget, else napari's, as for a dock that was just removed.

    Dialogs of a main window have its theme and appear in its middle.
    """
    if widget is not None and _is_shown_window(widget.window()):
        return widget.window()
    active = QApplication.activeWindow()
    windows = [w for w in QApplication.topLevelWidgets() if _is_shown_window(w)]
    return active if active in windows else next(iter(windows), None)


def _is_shown_window(widget: QWidget) -> bool:
    return isinstance(widget, QMainWindow) and widget.isVisible()
