"""What the tables of lesions have in common: rows are selected, and titles show the sorting."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QTableView

ASCENDING, DESCENDING = "▴", "▾"

ROW_HEIGHT = 24
"""Height of a row, in pixels."""

_MINIMUM_HEIGHT = 110
_NO_ARROW = "QHeaderView::up-arrow, QHeaderView::down-arrow { image: none; width: 0; height: 0; }"
"""Qt draws the sorting arrow far from its title; the model writes it beside the title."""


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
    header.setMinimumSectionSize(narrowest)
    header.setStyleSheet(_NO_ARROW)
    header.setSortIndicator(sorted_by, Qt.SortOrder.AscendingOrder)
    table.setSortingEnabled(True)


def sorted_title(title: str, descending: bool) -> str:
    """The title of the column by which rows are sorted, with an arrow."""
    return f"{DESCENDING if descending else ASCENDING} {title}".strip()
