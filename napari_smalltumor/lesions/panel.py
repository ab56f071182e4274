"""What the Lesions dock looks like; it only says what was clicked."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QItemSelectionModel, QPoint, Qt, Signal
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QTableView,
    QVBoxLayout,
    QWidget,
)
from smalltumor.labels.regions import REGION_NAMES, Region

from napari_smalltumor.lesions.table_model import (
    COLUMNS,
    PROBABILITY,
    SHOWN_FIRST,
    VOXELS,
    LesionsModel,
)

_WIDTH = 348
_LABEL_WIDTH = 94
_ARROW_ON_THE_LEFT = """
QHeaderView::up-arrow, QHeaderView::down-arrow {
    subcontrol-origin: padding; subcontrol-position: center left; width: 8px; height: 8px;
}
"""
_ROWS_MEASURED = 30
"""Rows whose text decides how wide a column is; a table of hundreds would hold up the window."""

_MARK_WIDTH = 26
_TITLE_MARGIN = 18
_MOST_VOXELS = 1_000_000


class LesionsPanel(QWidget):
    """Choice of segmentation and region, the table, and its buttons, from top to bottom.

    Parameters
    ----------
    model : LesionsModel
    """

    def __init__(self, model: LesionsModel) -> None:
        super().__init__()
        self.setMinimumWidth(_WIDTH)
        self.source_box = _combo("The segmentation whose lesions are listed")
        self.region_box = _combo("The region whose 26-connected components are the lesions")
        self.threshold = QSpinBox()
        self.threshold.setRange(1, _MOST_VOXELS)
        self.threshold.setSuffix(" voxels")
        self.threshold.setToolTip("Lesions with fewer voxels are small: ringed, and listed first")
        self.threshold.setKeyboardTracking(False)
        self.ring_box = QCheckBox("Ring small lesions")
        self.ring_box.setToolTip("A ring around each, in 2D and 3D")
        self.ring_box.setChecked(True)
        self.table = LesionsTable(model)
        self._summary_line = _line()
        self._said_line = _line()
        self.previous_button = _button("&Previous", "Go to the small lesion before (Shift+N)")
        self.next_button = _button("&Next", "Go to the next small lesion (N)")
        self.accept_button = _button("&Accept", "Accept the lesion and go on; again: undo that (Y)")
        self.delete_button = _button("&Delete", "Erase the lesion from its layer (Delete)")
        self.undo_button = _button("&Undo", "Put the lesion back that was deleted last")
        self.copy_button = _button("&Copy", "Copy the selected rows, or all, for a spreadsheet")
        self.save_button = _button("Save CS&V...", "Save the table with all its columns")
        self.accept_button.setCheckable(True)
        self._lay_out()

    def offer_regions(self, regions: Sequence[Region]) -> None:
        """Let the user choose among these regions."""
        self.region_box.clear()
        for region in (r for r in Region if r in regions):
            name = f"{REGION_NAMES[region].capitalize()} ({region.name})"
            self.region_box.addItem(name, region.value)

    def selected_rows(self) -> list[int]:
        """Rows the user has selected, from top to bottom."""
        return sorted(index.row() for index in self.table.selectionModel().selectedRows())

    def select_row(self, row: int | None) -> None:
        """Select one row and see to it that it can be seen, or none."""
        selection = self.table.selectionModel()
        if row is None:
            selection.clear()
            return
        index = self.table.model().index(row, 0)
        how = QItemSelectionModel.SelectionFlag
        if row not in self.selected_rows():
            selection.setCurrentIndex(index, how.ClearAndSelect | how.Rows)
        self.table.scrollTo(index)

    def summarise(self, text: str) -> None:
        """The line under the table; probabilities are shown where there are any."""
        self.table.show_probabilities()
        self._summary_line.setText(text)
        self.table.fit_columns()

    def say(self, text: str) -> None:
        """What has just happened, or why nothing has."""
        self._said_line.setText(text)

    def allow(self, *, current: bool, small: bool, undo: bool, rows: bool, accepted: bool) -> None:
        """Enable the buttons that can do something."""
        for button in (self.accept_button, self.delete_button):
            button.setEnabled(current)
        self.accept_button.setChecked(accepted)
        for button in (self.previous_button, self.next_button):
            button.setEnabled(small)
        for button in (self.copy_button, self.save_button):
            button.setEnabled(rows)
        self.undo_button.setEnabled(undo)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(6)
        form.setVerticalSpacing(4)
        for name, field in (
            ("Labels", self.source_box),
            ("Region", self.region_box),
            ("Small below", self.threshold),
            ("", self.ring_box),
        ):
            label = QLabel(name)
            label.setFixedWidth(_LABEL_WIDTH)
            form.addRow(label, field)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(6)
        column.addLayout(form)
        column.addWidget(self.table, 1)
        column.addWidget(self._summary_line)
        column.addLayout(_row(self.previous_button, self.next_button, self.accept_button))
        column.addLayout(_row(self.delete_button, self.undo_button))
        column.addLayout(_row(self.copy_button, self.save_button))
        column.addWidget(self._said_line)


class LesionsTable(QTableView):
    """Whole rows, sorted by a click on a title; more columns by a right click on one."""

    copied = Signal()

    def __init__(self, model: LesionsModel) -> None:
        super().__init__()
        self.setModel(model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setMinimumHeight(110)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(24)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(_MARK_WIDTH)
        header.setResizeContentsPrecision(_ROWS_MEASURED)
        header.setStyleSheet(_ARROW_ON_THE_LEFT)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._offer_columns)
        header.setSortIndicator(VOXELS, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        for column in range(SHOWN_FIRST, len(COLUMNS)):
            self.setColumnHidden(column, True)
        self.fit_columns()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Copy all columns instead of one cell."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copied.emit()
        else:
            super().keyPressEvent(event)

    def fit_columns(self) -> None:
        """Give each column what its text needs, and what is left over to all but the mark's."""
        shown = [n for n in range(len(COLUMNS)) if not self.isColumnHidden(n)]
        wanted = {n: self._width_needed(n) for n in shown}
        spare = (self.viewport().width() - sum(wanted.values())) // max(len(shown) - 1, 1)
        for column, width in wanted.items():
            self.setColumnWidth(column, width + (max(spare, 0) if column else 0))

    def _width_needed(self, column: int) -> int:
        title = self.fontMetrics().horizontalAdvance(COLUMNS[column].title) + _TITLE_MARGIN
        return max(self.sizeHintForColumn(column), title, _MARK_WIDTH)

    def resizeEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """Columns share the width."""
        super().resizeEvent(event)
        self.fit_columns()

    def show_probabilities(self) -> None:
        """Show the column of probabilities as long as a row has one."""
        known = any(x.mean_probability is not None for x in self.model().lesions)
        self.setColumnHidden(PROBABILITY, not known)

    def _offer_columns(self, place: QPoint) -> None:
        menu = QMenu(self)
        for number, column in enumerate(COLUMNS[1:], start=1):
            action = menu.addAction(f"{column.title}: {column.tip}")
            action.setCheckable(True)
            action.setChecked(not self.isColumnHidden(number))
            action.toggled.connect(lambda on, number=number: self._show_column(number, on))
        menu.exec_(self.horizontalHeader().mapToGlobal(place))

    def _show_column(self, number: int, on: bool) -> None:
        self.setColumnHidden(number, not on)
        self.fit_columns()


def _combo(tooltip: str) -> QComboBox:
    combo = QComboBox()
    combo.setToolTip(tooltip)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return combo


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.setAutoDefault(False)
    return button


def _line() -> QLabel:
    """A line of text that is cut rather than widening the dock."""
    label = QLabel()
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    label.setMinimumHeight(label.fontMetrics().height())
    return label


def _row(*buttons: QPushButton) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(6)
    for button in buttons:
        row.addWidget(button, 1)
    return row
