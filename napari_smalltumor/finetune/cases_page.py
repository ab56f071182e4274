"""The *Cases* page: the training folder, what is in it, and adding the case in the viewer."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)
from smalltumor.labels.regions import SMALL_LESION_VOXELS, TissueClass
from smalltumor.training.data.dataset_check import CheckedCase, check_summary
from smalltumor.training.data.dataset_folder import DatasetListing

from napari_smalltumor.widgets.layouts import button, column, row, wrapped_label

_NUMBER_WIDTH = 64


class CasesPage(QWidget):
    """Says which folder was named and what was clicked."""

    folder_named = Signal(str)
    browse_clicked = Signal()
    add_clicked = Signal(bool)
    """Add the case; whether to link to its images."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = QLineEdit()
        self.folder.setPlaceholderText("Folder of cases to learn from")
        self.folder.setToolTip("A folder of cases with masks; one that is not there is made")
        self.browse = button("&Folder...", "Choose the training folder")
        self.add = button("&Add this case", "Put the case's images and masks into the folder")
        self.link = QCheckBox("Link to the images instead of copying them")
        self.link.setToolTip("Takes no disk space, but the images must stay where they are")
        self.table = _CaseList()
        self._to_add = wrapped_label()
        self._total = wrapped_label()
        self._lay_out()
        self.folder.editingFinished.connect(lambda: self.folder_named.emit(self.folder.text()))
        self.browse.clicked.connect(lambda: self.browse_clicked.emit())
        self.add.clicked.connect(lambda: self.add_clicked.emit(self.link.isChecked()))

    def show_folder(self, folder: Path | None) -> None:
        """Name the folder."""
        self.folder.setText(str(folder) if folder else "")
        self.folder.setCursorPosition(0)

    def show_case(self, name: str | None, there: bool, ready: bool) -> None:
        """Say which case would be added.

        Parameters
        ----------
        name : str or None
            None if no case in the viewer has masks.
        there : bool
            Whether the folder has it already.
        ready : bool
            Whether a case can be added now.
        """
        self.add.setEnabled(ready and name is not None)
        self.add.setText("Repl&ace its masks" if there else "&Add this case")
        if name is None:
            self._to_add.setText("Segment a case, or open one with masks, and correct it.")
        else:
            self._to_add.setText(f"{name}{' is there already' if there else ''}")

    def show_collection(self, collection: DatasetListing) -> None:
        """List the cases and their problems, and sum them up as ``train --check`` does."""
        self.table.show_cases(collection.cases)
        self._total.setText(collection.problem or check_summary(collection.cases))

    def say(self, text: str) -> None:
        """In place of the sum."""
        self._total.setText(text)

    @property
    def text(self) -> str:
        """The line under the list."""
        return self._total.text()

    def _lay_out(self) -> None:
        layout = column(self)
        line = row(self.folder)
        line.addWidget(self.browse)
        layout.addLayout(line)
        layout.addWidget(self.table, 1)
        layout.addWidget(self._total)
        layout.addSpacing(6)
        layout.addWidget(self._to_add)
        layout.addWidget(self.link)
        layout.addWidget(self.add)


class _CaseList(QTreeWidget):
    """A case a line, with what is to be said about it under it."""

    def __init__(self) -> None:
        super().__init__()
        self.setColumnCount(3)
        self.setHeaderLabels(["Case", "ET voxels", "Small ET"])
        self.headerItem().setToolTip(2, f"Enhancing components below {SMALL_LESION_VOXELS} voxels")
        self.setRootIsDecorated(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setUniformRowHeights(False)
        self.setWordWrap(True)
        self.setIndentation(12)
        self.setMinimumHeight(120)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for number in (1, 2):
            header.setSectionResizeMode(number, QHeaderView.ResizeMode.ResizeToContents)
            header.setMinimumSectionSize(_NUMBER_WIDTH)

    def show_cases(self, cases: list[CheckedCase]) -> None:
        """Replace what is listed."""
        self.clear()
        for case in cases:
            self._add(case)
        self.expandAll()

    def _add(self, case: CheckedCase) -> None:
        usable = case.problem is None
        sizes = ", ".join(map(str, case.small_et))
        numbers = [f"{case.voxels[TissueClass.ET]:,}", str(len(case.small_et))] if usable else []
        item = QTreeWidgetItem([case.name if usable else f"⚠ {case.name}", *numbers])
        for number in (1, 2):
            item.setTextAlignment(number, Qt.AlignmentFlag.AlignRight)
        item.setToolTip(0, f"labels: {case.scheme}" if usable else str(case.problem))
        item.setToolTip(2, f"{sizes} voxels" if sizes else "none")
        self.addTopLevelItem(item)
        for words in [case.problem] if case.problem else case.warnings:
            below = QTreeWidgetItem([words])
            below.setToolTip(0, words)
            item.addChild(below)
            below.setFirstColumnSpanned(True)
