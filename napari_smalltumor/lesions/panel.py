"""The widgets of the Lesions dock and their layout."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QItemSelectionModel, QPoint, Qt, Signal
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QSizePolicy,
    QSpinBox,
    QTableView,
    QWidget,
)
from smalltumor.labels.regions import REGION_NAMES, Region
from superqt import QElidingLabel

from napari_smalltumor import keys
from napari_smalltumor.lesions.table_model import (
    COLUMNS,
    PROBABILITY,
    SHOWN_FIRST,
    VOXELS,
    LesionsModel,
)
from napari_smalltumor.widgets.layouts import allow_shrinking, button, column, row

_WIDTH = 348
_LABEL_WIDTH = 94
_ARROW_ON_THE_LEFT = """
QHeaderView::up-arrow, QHeaderView::down-arrow {
    subcontrol-origin: padding; subcontrol-position: center left; width: 8px; height: 8px;
}
"""
_ROWS_MEASURED = 30
"""Column widths fit the text of this many rows; measuring hundreds would block the window."""

_MARK_WIDTH = 26
_TITLE_MARGIN = 18
_MAXIMUM_VOXELS = 1_000_000


class LesionsPanel(QWidget):
    """From top to bottom: choice of segmentation and region, table, and buttons.

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
        self.threshold.setRange(1, _MAXIMUM_VOXELS)
        self.threshold.setSuffix(" voxels")
        self.threshold.setToolTip("Lesions with fewer voxels are small: ringed, and listed first")
        self.threshold.setKeyboardTracking(False)
        self.ring_box = QCheckBox("Ring small lesions")
        self.ring_box.setToolTip("Draw a ring around each small lesion, in 2D and 3D")
        self.ring_box.setChecked(True)
        self.table = LesionsTable(model)
        self._summary_line = QElidingLabel()
        self._message_line = QElidingLabel()
        self.previous_button = button(
            "Previous", keys.with_key("Go to the previous small lesion", keys.PREVIOUS)
        )
        self.next_button = button("Next", keys.with_key("Go to the next small lesion", keys.NEXT))
        self.accept_button = button(
            "Accept",
            keys.with_key("Accept the lesion and go to the next; again to unaccept", keys.ACCEPT),
        )
        self.delete_button = button(
            "Delete", f"Erase the selected lesions ({keys.DELETE.sequence}, or Delete in the table)"
        )
        self.undo_button = button("Undo", f"Restore what was deleted last ({keys.UNDO.sequence})")
        self.copy_button = button("Cop&y", "Copy the selected rows, or all rows, for a spreadsheet")
        self.save_button = button("Save CSV...", "Save the table with all its columns")
        self.accept_button.setCheckable(True)
        self._lay_out()

    def set_header(self, header: QWidget) -> None:
        """Show a widget above the choice of segmentation."""
        self._layout.insertWidget(0, header)

    def set_regions(self, regions: Sequence[Region]) -> None:
        """Set the regions that the user can choose from."""
        self.region_box.clear()
        for region in (r for r in Region if r in regions):
            name = f"{REGION_NAMES[region].capitalize()} ({region.name})"
            self.region_box.addItem(name, region.value)

    def selected_rows(self) -> list[int]:
        """Return the selected rows from top to bottom."""
        return sorted(index.row() for index in self.table.selectionModel().selectedRows())

    def select_row(self, row: int | None) -> None:
        """Select a row and scroll to it; None clears the selection."""
        selection = self.table.selectionModel()
        if row is None:
            selection.clear()
            return
        index = self.table.model().index(row, 0)
        how = QItemSelectionModel.SelectionFlag
        if row not in self.selected_rows():
            selection.setCurrentIndex(index, how.ClearAndSelect | how.Rows)
        self.table.scrollTo(index)

    def show_summary(self, text: str) -> None:
        """Show the line under the table, and fit the columns to the rows."""
        self.table.show_probabilities()
        self._summary_line.setText(text)
        self.table.fit_columns()

    def show_message(self, text: str) -> None:
        """Show the result of the last action, or why it did nothing."""
        self._message_line.setText(text)

    @property
    def message(self) -> str:
        """The result of the last action."""
        return str(self._message_line.text())

    def enable_buttons(
        self, *, current: bool, small: bool, undo: bool, rows: bool, accepted: bool
    ) -> None:
        """Enable the buttons for which there is something to act on.

        Parameters
        ----------
        current : bool
            Whether a lesion is current.
        small : bool
            Whether there are small lesions.
        undo : bool
            Whether a deletion can be undone.
        rows : bool
            Whether the table has rows.
        accepted : bool
            Whether the current lesion is accepted.
        """
        for widget in (self.accept_button, self.delete_button):
            widget.setEnabled(current)
        self.accept_button.setChecked(accepted)
        for widget in (self.previous_button, self.next_button):
            widget.setEnabled(small)
        for widget in (self.copy_button, self.save_button):
            widget.setEnabled(rows)
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
        for line in (self._summary_line, self._message_line):
            line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            line.setMinimumHeight(line.fontMetrics().height())
        layout = self._layout = column(self)
        layout.addLayout(form)
        layout.addWidget(self.table, 1)
        layout.addWidget(self._summary_line)
        layout.addLayout(row(self.previous_button, self.next_button, self.accept_button))
        layout.addLayout(row(self.delete_button, self.undo_button))
        layout.addLayout(row(self.copy_button, self.save_button))
        layout.addWidget(self._message_line)


class LesionsTable(QTableView):
    """The table of lesions. A right click on a column title shows or hides columns."""

    copied = Signal()
    delete_pressed = Signal()

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
        header.customContextMenuRequested.connect(self._show_column_menu)
        header.setSortIndicator(VOXELS, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        for number in range(SHOWN_FIRST, len(COLUMNS)):
            self.setColumnHidden(number, True)
        self.fit_columns()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Emit `copied` for the copy shortcut, which in Qt copies a single cell.

        The Delete key is used here only, because in napari's layer list it removes layers.
        """
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copied.emit()
        elif event.key() == Qt.Key.Key_Delete:
            self.delete_pressed.emit()
        else:
            super().keyPressEvent(event)

    def fit_columns(self) -> None:
        """Fit columns to their text; all but the first share the remaining width."""
        shown = [n for n in range(len(COLUMNS)) if not self.isColumnHidden(n)]
        needed = {n: self._width_needed(n) for n in shown}
        spare = (self.viewport().width() - sum(needed.values())) // max(len(shown) - 1, 1)
        for number, width in needed.items():
            self.setColumnWidth(number, width + (max(spare, 0) if number else 0))

    def _width_needed(self, column: int) -> int:
        title = self.fontMetrics().horizontalAdvance(COLUMNS[column].title) + _TITLE_MARGIN
        return max(self.sizeHintForColumn(column), title, _MARK_WIDTH)

    def resizeEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """Fit the columns to the new width."""
        super().resizeEvent(event)
        self.fit_columns()

    def show_probabilities(self) -> None:
        """Show the probability column if any lesion has a probability."""
        known = any(x.mean_probability is not None for x in self.model().lesions)
        self.setColumnHidden(PROBABILITY, not known)

    def _show_column_menu(self, position: QPoint) -> None:
        menu = QMenu(self)
        for number in range(1, len(COLUMNS)):
            action = menu.addAction(f"{COLUMNS[number].title}: {COLUMNS[number].tip}")
            action.setCheckable(True)
            action.setChecked(not self.isColumnHidden(number))
            action.toggled.connect(lambda on, number=number: self._show_column(number, on))
        menu.exec_(self.horizontalHeader().mapToGlobal(position))

    def _show_column(self, number: int, on: bool) -> None:
        self.setColumnHidden(number, not on)
        self.fit_columns()


def _combo(tooltip: str) -> QComboBox:
    combo = QComboBox()
    combo.setToolTip(tooltip)
    allow_shrinking(combo)
    return combo
