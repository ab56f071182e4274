"""Qt table model of the lesions of a region: small ones, others, and a row for the specks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from qtpy.QtCore import QModelIndex, QObject, Qt
from smalltumor.lesions import Lesion

from napari_smalltumor.lesions.table.columns import COLUMNS, VOLUME, describe, mark_of
from napari_smalltumor.widgets.table_model import LEFT, RIGHT, Heading, TableModel

_CENTRED = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter

FOLDED, UNFOLDED = "▸", "▾"

SPECKS_TIP = (
    "Specks are so small and uncertain that most of them are false. They stay in the mask, and in "
    "every file that is exported, until you delete them."
)


class LesionsModel(TableModel):
    """Rows of `Lesion`: the small ones, the others, and a row that stands for the specks.

    Each group is sorted by any column. Unfolded specks follow their row. The user role returns the
    value of a cell. The model needs neither a viewer nor a display.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__((Heading(column.title, column.tip, RIGHT) for column in COLUMNS), parent)
        self._listed: list[Lesion] = []
        self._specks: list[Lesion] = []
        self._specks_title = ""
        self._unfolded = False
        self._accepted: set[Lesion] = set()
        self._order: tuple[int, bool] = (VOLUME, False)

    @property
    def lesions(self) -> list[Lesion]:
        """All lesions in the order of the table, folded specks as well."""
        return [*self._listed, *self._specks]

    @property
    def order(self) -> tuple[int, bool]:
        """The column by which each group is sorted, and whether it descends."""
        return self._order

    def set_lesions(
        self,
        lesions: Sequence[Lesion],
        accepted: Collection[Lesion] = (),
        *,
        specks: Sequence[Lesion] = (),
        specks_title: str = "",
        unfolded: bool = False,
    ) -> None:
        """Set the lesions and sort them by the current column.

        Parameters
        ----------
        lesions : sequence of Lesion
        accepted : collection of Lesion, optional
            Those that the user has accepted.
        specks : sequence of Lesion, optional
            Those of the lesions that are specks.
        specks_title : str
            Text of the row of the specks.
        unfolded : bool
            Whether each speck has a row.
        """
        self.beginResetModel()
        apart = set(specks)
        self._listed = [lesion for lesion in lesions if lesion not in apart]
        self._specks = list(specks)
        self._specks_title, self._unfolded = specks_title, unfolded
        self._accepted = set(accepted)
        self._arrange()
        self.endResetModel()

    @property
    def specks_row(self) -> int | None:
        """The row that stands for the specks; None if there are none."""
        return len(self._listed) if self._specks else None

    def lesion(self, row: int) -> Lesion | None:
        """The lesion of a row; None for the row of the specks and outside the table."""
        rows = self.rows
        return rows[row] if 0 <= row < len(rows) else None

    def lesions_at(self, rows: Iterable[int]) -> list[Lesion]:
        """The lesions of some rows; the row of the specks stands for all of them."""
        found: dict[Lesion, None] = {}
        for row in rows:
            lesion = self.lesion(row)
            found.update(dict.fromkeys(self._specks if lesion is None else [lesion]))
        return list(found)

    def row_of(self, lesion: Lesion | None) -> int | None:
        """The row of a lesion; None if it has none."""
        rows = self.rows
        return None if lesion is None or lesion not in rows else rows.index(lesion)

    def following(self, lesions: Collection[Lesion]) -> Lesion | None:
        """The first lesion with a row after the first of these, else the last one before it."""
        rows = self.rows
        first = next((n for n, x in enumerate(rows) if x in lesions), 0)
        after = [x for x in rows[first:] if x is not None and x not in lesions]
        before = [x for x in rows[:first] if x is not None]
        return after[0] if after else before[-1] if before else None

    @property
    def with_rows(self) -> list[Lesion]:
        """The lesions that have a row, from top to bottom."""
        return [lesion for lesion in self.rows if lesion is not None]

    @property
    def rows(self) -> list[Lesion | None]:
        """The lesion of each row; None for the row of the specks."""
        if not self._specks:
            return list(self._listed)
        return [*self._listed, None, *(self._specks if self._unfolded else ())]

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: a cell."""
        if not index.isValid():
            return None
        lesion = self.lesion(index.row())
        return self._speck_cell(index, role) if lesion is None else self._cell(lesion, index, role)

    def _cell(self, lesion: Lesion, index: QModelIndex, role: int) -> Any:
        column, accepted = COLUMNS[index.column()], lesion in self._accepted
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(lesion) if column.title else mark_of(lesion, accepted)
        if role == Qt.ItemDataRole.UserRole:
            return column.value(lesion)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT if column.title else _CENTRED
        if role == Qt.ItemDataRole.ToolTipRole:
            return describe(lesion, accepted)
        return None

    def _speck_cell(self, index: QModelIndex, role: int) -> Any:
        if role == Qt.ItemDataRole.ToolTipRole:
            return SPECKS_TIP
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return LEFT
        if role == Qt.ItemDataRole.DisplayRole and index.column() == 0:
            return f"{UNFOLDED if self._unfolded else FOLDED} {self._specks_title}"
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Qt: sort; small lesions stay above the others."""
        if not 0 <= column < len(COLUMNS):
            return
        self._order = (column, order == Qt.SortOrder.DescendingOrder)
        self.layoutAboutToBeChanged.emit()
        kept = self.persistentIndexList()
        lesions = [self.lesion(index.row()) for index in kept]
        self._arrange()
        rows = self.rows
        moved = [
            self.index(rows.index(lesion), index.column())
            for lesion, index in zip(lesions, kept, strict=True)
        ]
        self.changePersistentIndexList(kept, moved)
        self.layoutChanged.emit()
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(COLUMNS) - 1)

    def _arrange(self) -> None:
        self._listed = sorted(self._sorted(self._listed), key=lambda lesion: not lesion.is_small)
        self._specks = self._sorted(self._specks)

    def _sorted(self, lesions: list[Lesion]) -> list[Lesion]:
        """Sort by the value of the current column; lesions without one come last."""
        number, descending = self._order
        value = COLUMNS[number].value
        known = [lesion for lesion in lesions if value(lesion) is not None]
        unknown = [lesion for lesion in lesions if value(lesion) is None]
        return sorted(known, key=value, reverse=descending) + unknown  # type: ignore[arg-type]
