"""A list of the cases in a folder, to open them one after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from qtpy.compat import isalive
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QListWidget, QListWidgetItem, QVBoxLayout, QWidget
from smalltumor.data.naming.case_files import CaseFiles

from napari_smalltumor.widgets.layouts import button, row, wrapped_label

_SIZE = (360, 420)
_OPENED = "✓ "


class CaseList(QDialog):
    """Lists cases and stays open while they are viewed.

    Parameters
    ----------
    parent : QWidget or None
        The window in whose theme and middle the list appears.
    folder : Path
    cases : sequence of CaseFiles
    open_case : callable
        Opens a case, or shows it if it is open, and calls its second argument when it is open.
    """

    def __init__(
        self,
        parent: QWidget | None,
        folder: Path,
        cases: Sequence[CaseFiles],
        open_case: Callable[[CaseFiles, Callable[[], None]], None],
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Cases in {folder.name or folder}")
        self.resize(*_SIZE)
        self._cases, self._open_case = list(cases), open_case
        self._started = False
        self.names = QListWidget()
        for files in self._cases:
            self.names.addItem(self._item(files))
        self.open_button = button("Open", "Open the selected case (Return)")
        self.next_button = button("Open next", "Open the next case of the list")
        layout = QVBoxLayout(self)
        layout.addWidget(wrapped_label(f"{folder} holds {len(self._cases)} cases."))
        layout.addWidget(self.names)
        layout.addLayout(row(self.open_button, self.next_button))
        self.names.itemActivated.connect(lambda item: self.open_selected())
        self.open_button.clicked.connect(self.open_selected)
        self.next_button.clicked.connect(self.open_next)
        self.names.setCurrentRow(0)

    def open_selected(self) -> None:
        """Open the selected case, and mark it when it is open."""
        number = self.names.currentRow()
        if number < 0:
            return
        self._started = True
        self._open_case(self._cases[number], partial(self._mark, number))

    def open_next(self) -> None:
        """Select and open the case below the selected one; at first, open the selected one."""
        number = self.names.currentRow() + self._started
        if number < len(self._cases):
            self.names.setCurrentRow(number)
            self.open_selected()

    def _mark(self, number: int) -> None:
        if isalive(self):
            self.names.item(number).setText(f"{_OPENED}{self._cases[number].name}")

    def _item(self, files: CaseFiles) -> QListWidgetItem:
        problem = files.problem()
        item = QListWidgetItem(files.name if problem is None else f"⚠ {files.name}")
        item.setToolTip(problem or "")
        return item
