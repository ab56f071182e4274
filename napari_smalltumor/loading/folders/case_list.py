"""A list of the cases in a folder, to open them one after another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QPoint, QSize, Qt, QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QDialog, QListWidget, QListWidgetItem, QVBoxLayout, QWidget
from smalltumor.data.naming.case_files import CaseFiles

from napari_smalltumor.loading.folders.case_opener import CaseOpener, CaseState
from napari_smalltumor.widgets.layouts import button, row, wrapped_label

_SIZE = (360, 420)
OPEN, EXPORTED, PROBLEM = "▸", "✓", "⚠"
_LEGEND = f"{OPEN} open, {EXPORTED} its mask was exported, {PROBLEM} cannot be read completely"


class CaseList(QDialog):
    """Lists cases and stays open while they are viewed.

    Parameters
    ----------
    parent : QWidget or None
        The window in whose theme and middle the list appears.
    folder : Path
    cases : sequence of CaseFiles
    opener : CaseOpener
    """

    def __init__(
        self,
        parent: QWidget | None,
        folder: Path,
        cases: Sequence[CaseFiles],
        opener: CaseOpener,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Cases in {folder.name or folder}")
        self.resize(*_SIZE)
        self._cases, self._opener = list(cases), opener
        self._problems = [files.problem() for files in self._cases]
        states = opener.states(self._cases)
        active = [n for n, state in enumerate(states) if state.is_active]
        self._started = bool(active)
        self.names = QListWidget()
        self.names.addItems([files.name for files in self._cases])
        self.open_button = button("Open", "Open the selected case (Return)")
        self.next_button = button("Open next", "Open the next case of the list")
        layout = QVBoxLayout(self)
        layout.addWidget(wrapped_label(f"{folder} holds {len(self._cases)} cases."))
        layout.addWidget(self.names)
        layout.addWidget(wrapped_label(_LEGEND))
        layout.addLayout(row(self.open_button, self.next_button))
        self.names.itemActivated.connect(lambda item: self.open_selected())
        self.open_button.clicked.connect(self.open_selected)
        self.next_button.clicked.connect(self.open_next)
        self._marking = QTimer(self)
        self._marking.setSingleShot(True)
        self._marking.timeout.connect(self._mark)
        opener.changed.connect(self._mark_soon)
        self._show(states)
        self.names.setCurrentRow(active[0] if active else 0)

    def open_selected(self) -> None:
        """Open the selected case, and mark it when it is open."""
        number = self.names.currentRow()
        if number < 0:
            return
        self._started = True
        self._opener.open(self._cases[number], self._mark_soon)

    def open_next(self) -> None:
        """Select and open the case below the selected one; at first, open the selected one."""
        number = self.names.currentRow() + self._started
        if number < len(self._cases):
            self.names.setCurrentRow(number)
            self.open_selected()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Show the list where it does not cover the images that are opened from it."""
        super().showEvent(event)
        window = self.parentWidget()
        if window is not None and not event.spontaneous():
            self.move(_beside(window, self.frameGeometry().size()))

    def event(self, event: QEvent) -> bool:
        """Mark what was exported since, when the user comes back to the list."""
        if event.type() == QEvent.Type.WindowActivate:
            self._mark_soon()
        return bool(super().event(event))

    def _mark_soon(self) -> None:
        """Mark the cases once, however many layers come and go in this turn of the event loop."""
        if isalive(self):
            self._marking.start(0)

    def _mark(self) -> None:
        self._show(self._opener.states(self._cases))

    def _show(self, states: Iterable[CaseState]) -> None:
        """Mark the cases that are open or exported, or have a problem."""
        for number, state in enumerate(states):
            self._mark_item(self.names.item(number), number, state)

    def _mark_item(self, item: QListWidgetItem, number: int, state: CaseState) -> None:
        files, problem = self._cases[number], self._problems[number]
        marks = (OPEN if state.is_open else "") + (EXPORTED if state.exported else "")
        marks += PROBLEM if problem else ""
        item.setText(f"{marks} {files.name}".strip())
        details = ("open" if state.is_open else "", state.exported, problem or "")
        item.setToolTip("\n".join([str(files.folder), *filter(None, details)]))


def _beside(window: QWidget, size: QSize) -> QPoint:
    """Where a list lies beside a window, else in its lower left corner, over the layer list."""
    frame, screen = window.frameGeometry(), window.screen().availableGeometry()
    if frame.left() - size.width() >= screen.left():
        return QPoint(frame.left() - size.width(), frame.top())
    if frame.right() + size.width() <= screen.right():
        return QPoint(frame.right() + 1, frame.top())
    bottom = min(frame.bottom(), screen.bottom())
    return QPoint(max(frame.left(), screen.left()), bottom - size.height() + 1)
