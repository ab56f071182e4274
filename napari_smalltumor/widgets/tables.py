"""What the tables of lesions have in common: rows, and columns in which no number is cut."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView

ROW_HEIGHT = 24
"""Height of a row, in pixels."""

_MINIMUM_HEIGHT = 110
_TITLE_MARGIN = 8
_ROWS_MEASURED = 30
"""Column widths fit the text of this many rows; measuring hundreds would block the window."""

_NO_ARROW = "QHeaderView::up-arrow, QHeaderView::down-arrow { image: none; width: 0; height: 0; }"
"""Qt draws the sorting arrow far from its title; the model writes it beside the title."""


class FittedTable(QTableView):
    """A table whose columns are as wide as their text, so that no number is cut.

    All columns but the first share the width that is left. If there is too little, it scrolls.
    """

    first_width: int | None = None
    """Width of the first column, whatever its text."""

    def fit_columns(self) -> None:
        """Fit the columns to the rows and to the width of the table."""
        count = self.model().columnCount() if self.model() is not None else 0
        shown = [n for n in range(count) if not self.isColumnHidden(n)]
        needed = {n: self._width_needed(n) for n in shown}
        spare = (self.viewport().width() - sum(needed.values())) // max(len(shown) - 1, 1)
        for number, width in needed.items():
            self.setColumnWidth(number, width + (max(spare, 0) if number else 0))

    def resizeEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """Fit the columns to the new width."""
        super().resizeEvent(event)
        self.fit_columns()

    def _width_needed(self, column: int) -> int:
        if column == 0 and self.first_width is not None:
            return self.first_width
        text = self.model().headerData(column, Qt.Orientation.Horizontal)
        title = max(map(self.fontMetrics().horizontalAdvance, text.split("\n"))) + _TITLE_MARGIN
        narrowest = self.horizontalHeader().minimumSectionSize()
        return max(self.sizeHintForColumn(column), title, narrowest)


def set_up_table(table: QTableView, narrowest: int, sorted_by: int) -> None:
    """Let a table select and sort rows, without a grid and without editing.

    Parameters
    ----------
    table : QTableView
        With its model.
    narrowest : int
        Width of the narrowest column, in pixels.
    sorted_by : int
        The column by which rows are sorted at first.
    """
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.setMinimumHeight(_MINIMUM_HEIGHT)
    table.verticalHeader().setVisible(False)
    table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setResizeContentsPrecision(_ROWS_MEASURED)
    header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    header.setMinimumSectionSize(narrowest)
    header.setStyleSheet(_NO_ARROW)
    header.setSortIndicator(sorted_by, Qt.SortOrder.AscendingOrder)
    table.setSortingEnabled(True)
