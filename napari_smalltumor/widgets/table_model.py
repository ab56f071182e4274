"""A Qt model of a table: rows of anything, under columns that are always the same."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from typing import Any, NamedTuple

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

ASCENDING, DESCENDING = "▴", "▾"

RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class Heading(NamedTuple):
    """A column's heading.

    Parameters
    ----------
    title : str
    tip : str
    alignment : Qt.AlignmentFlag
        Of the heading and of the cells below it.
    """

    title: str
    tip: str
    alignment: Qt.AlignmentFlag


class TableModel(QAbstractTableModel):
    """The rows and headings of a table; a subclass has the rows and gives the cells.

    Parameters
    ----------
    headings : iterable of Heading
        One for each column.
    parent : QObject, optional
    """

    def __init__(self, headings: Iterable[Heading], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.headings = tuple(headings)

    @property
    def rows(self) -> Sized:
        """The rows, from top to bottom."""
        raise NotImplementedError

    @property
    def order(self) -> tuple[int, bool] | None:
        """The column by which rows are sorted, and whether they descend; None if by none."""
        return None

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008
        """Qt: number of rows."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008
        """Qt: number of columns."""
        return 0 if parent.isValid() else len(self.headings)

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Qt: a column's title, with an arrow if rows are sorted by it, and its tooltip."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.headings):
            return None
        title, tip, alignment = self.headings[section]
        if role == Qt.ItemDataRole.DisplayRole:
            column, descending = self.order or (-1, False)
            return _sorted_title(title, descending) if section == column else title
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip
        return alignment if role == Qt.ItemDataRole.TextAlignmentRole else None


def _sorted_title(title: str, descending: bool) -> str:
    return f"{DESCENDING if descending else ASCENDING} {title}".strip()
