"""The *Cases* page: the training folder, its cases, and the button that adds one."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QRect, QSize, Qt, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)
from smalltumor.labels.regions import TissueClass
from smalltumor.labels.small_lesions import SMALL_LESION_VOXELS
from smalltumor.training.data.collected_case import CaseFolder
from smalltumor.training.data.dataset_check import CheckedCase, check_summary
from smalltumor.training.data.dataset_folder import DatasetListing
from superqt import QElidingLineEdit

from napari_smalltumor.widgets.layouts import button, column, row, wrapped_label

_ADD = "&Add this case"
_FOLDER_TOOLTIP = (
    "A folder of cases with masks; it is created if it does not exist. Return reads it again."
)
_OTHER_IMAGES = (
    "{0}: the folder {1} holds other images, such as those of another visit. As {2}, both visits "
    "are always on one side when cases are kept for validation. If it is another patient's, rename "
    "the files of this case and open them again."
)
_MIN_NUMBER_WIDTH = 64
_MAX_HEIGHT = 10_000
_WRAP = int(Qt.TextFlag.TextWordWrap)


class CasesPage(QWidget):
    """Emits the folder that was entered and the buttons that were clicked."""

    folder_entered = Signal(str)
    folder_confirmed = Signal(str)
    """Return was pressed in the field of the folder."""
    browse_clicked = Signal()
    stop_clicked = Signal()
    next_clicked = Signal()
    add_clicked = Signal(bool)
    """Add the case; whether to link to its images."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = QElidingLineEdit()
        self.folder.setElideMode(Qt.TextElideMode.ElideMiddle)
        self.folder.setPlaceholderText("Folder of training cases")
        self.folder.setToolTip(_FOLDER_TOOLTIP)
        self.browse = button("Fol&der...", "Choose the training folder")
        self.add = button(_ADD, "Copy the case's images and masks to the folder")
        self.next = button(
            "What to correct next...",
            "Open the Worklist, sorted so that the least certain cases come first",
        )
        self.stop = button("Stop reading", "List the cases that have been read")
        self.stop.setVisible(False)
        self.link = QCheckBox("Link to the images instead of copying them")
        self.link.setToolTip("Takes no disk space, but the images must not be moved")
        self.table = _CaseList()
        self._case = wrapped_label()
        self._message = wrapped_label()
        self._lay_out()
        self.folder.returnPressed.connect(lambda: self.folder_confirmed.emit(self.folder.text()))
        self.folder.editingFinished.connect(lambda: self.folder_entered.emit(self.folder.text()))
        self.stop.clicked.connect(lambda: self.stop_clicked.emit())
        self.next.clicked.connect(lambda: self.next_clicked.emit())
        self.browse.clicked.connect(lambda: self.browse_clicked.emit())
        self.add.clicked.connect(lambda: self.add_clicked.emit(self.link.isChecked()))

    def show_folder(self, folder: Path) -> None:
        """Show the path of the training folder."""
        self.folder.setText(str(folder))
        self.folder.setToolTip(f"{folder}\n{_FOLDER_TOOLTIP}")

    def show_no_case(self) -> None:
        """Show that no case in the viewer has masks."""
        self._show("Segment a case, or open one that has masks, and correct it.", "")

    def show_case(self, title: str, name: str, target: CaseFolder | None, *, ready: bool) -> None:
        """Show which case *Add this case* adds.

        Parameters
        ----------
        title : str
            Of the case, for the user.
        name : str
            Of the folder that it would have in an empty training folder.
        target : CaseFolder or None
            The folder that it has or gets; None if the images are still being compared.
        ready : bool
            Whether a case can be added now.
        """
        if target is None:
            self._show(f"{title}: its images are compared with those in the folder ...", "")
            return
        chosen = target.path.name
        as_name = "" if chosen == name else f" as {chosen}"
        if target.why_not:
            self._show(f"{title} cannot be added: {target.why_not}.", "")
        elif target.exists:
            text = f"{title} is already in the folder{as_name}"
            self._show(text, "Repl&ace its masks", ready=ready)
        elif as_name:
            self._show(_OTHER_IMAGES.format(title, name, chosen), f"&Add{as_name}", ready=ready)
        else:
            self._show(title, _ADD, ready=ready)

    def show_listing(self, listing: DatasetListing) -> None:
        """List the cases with their problems, and show the totals."""
        self.table.show_cases(listing.cases)
        self._message.setText(listing.problem or check_summary(listing.cases))

    def set_reading(self, reading: bool) -> None:
        """Show whether the folder is being read, which can be stopped."""
        self.stop.setVisible(reading)

    def show_message(self, text: str) -> None:
        """Show a message in the place of the totals."""
        self._message.setText(text)

    @property
    def text(self) -> str:
        """The line under the list."""
        return self._message.text()

    def _show(self, text: str, action: str, *, ready: bool = True) -> None:
        """Show a line about the case and what the button does; nothing if `action` is empty."""
        self._case.setText(text)
        self.add.setText(action or _ADD)
        self.add.setEnabled(bool(action) and ready)

    def _lay_out(self) -> None:
        layout = column(self)
        line = row(self.folder)
        line.addWidget(self.browse)
        layout.addLayout(line)
        # Above every text, so that no change of a text moves a button from under the mouse.
        layout.addWidget(self.add)
        layout.addWidget(self.link)
        layout.addWidget(self.next)
        layout.addWidget(self._case)
        layout.addWidget(self.table, 1)
        layout.addWidget(self._message)
        layout.addWidget(self.stop)


class _CaseList(QTreeWidget):
    """One row for each case, with its problem or warnings below."""

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
            header.setMinimumSectionSize(_MIN_NUMBER_WIDTH)

    def show_cases(self, cases: list[CheckedCase]) -> None:
        """Replace the rows."""
        self.clear()
        for case in cases:
            self._add(case)
        self.expandAll()
        self._fit_notes()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Wrap the problems and warnings to the new width."""
        super().resizeEvent(event)
        self._fit_notes()

    def _fit_notes(self) -> None:
        """Give each note the height of its wrapped text; Qt's own hint is that of one line."""
        space = QRect(0, 0, self.viewport().width() - 3 * self.indentation(), _MAX_HEIGHT)
        for row_number in range(self.topLevelItemCount()):
            item = self.topLevelItem(row_number)
            for note in map(item.child, range(item.childCount())):
                text = self.fontMetrics().boundingRect(space, _WRAP, note.text(0))
                note.setSizeHint(0, QSize(0, text.height() + 2))

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
        for text in [case.problem] if case.problem else case.warnings:
            note = QTreeWidgetItem([text])
            note.setToolTip(0, text)
            item.addChild(note)
            note.setFirstColumnSpanned(True)
