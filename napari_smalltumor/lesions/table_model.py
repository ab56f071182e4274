"""Qt table model of the lesions of a region, small lesions first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from smalltumor.lesions import Lesion

Value = float | int | None

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_CENTRED = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter

SMALL, ACCEPTED = "○", "✓"


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Parameters
    ----------
    title, tip : str
    value : callable
        Value of the cell, by which rows are sorted.
    form : str
        Format specification of the value.
    """

    title: str
    tip: str
    value: Callable[[Lesion], Value]
    form: str = "d"

    def text(self, lesion: Lesion) -> str:
        """Text of the cell; a dash if there is no value."""
        value = self.value(lesion)
        return "–" if value is None else format(value, self.form)


def _columns() -> tuple[Column, ...]:
    patient = "Centre in patient space: mm to the {} (RAS)"
    voxel = "Centre on the source's grid: voxel index {}, from 0"
    box = "Bounding box on the source's grid: {} voxel along {}"
    columns = [
        Column("", f"{SMALL} small, {ACCEPTED} accepted", lambda x: int(not x.small)),
        Column("voxels", "Number of voxels", lambda x: x.voxels),
        Column("ml", "Volume in millilitres", lambda x: x.ml, ".3f"),
        Column("mm", "Largest diameter, between voxel corners", lambda x: x.diameter_mm, ".1f"),
    ]
    for axis, (letter, side) in enumerate(zip("RAS", ("right", "front", "top"), strict=True)):
        columns.append(Column(letter, patient.format(side), _item("centroid_ras_mm", axis), ".0f"))
    columns += [
        Column("p", "Mean probability of the region", lambda x: x.mean_probability, ".2f"),
        Column("p max", "Largest probability of the region", lambda x: x.max_probability, ".2f"),
        Column("id", "Number, from 1, by size", lambda x: x.id),
        Column("mm³", "Volume in cubic millimetres", lambda x: x.mm3, ".1f"),
    ]
    for axis, letter in enumerate("ijk"):
        columns.append(Column(letter, voxel.format(letter), _item("centroid_voxel", axis), ".1f"))
    for axis, letter in enumerate("ijk"):
        first, last = _bound(axis, 0, 0), _bound(axis, 1, -1)
        columns.append(Column(f"{letter} first", box.format("first", letter), first))
        columns.append(Column(f"{letter} last", box.format("last", letter), last))
    return tuple(columns)


def _item(name: str, axis: int) -> Callable[[Lesion], Value]:
    return lambda lesion: getattr(lesion, name)[axis]


def _bound(axis: int, end: int, shift: int) -> Callable[[Lesion], Value]:
    return lambda lesion: lesion.box[axis][end] + shift


COLUMNS = _columns()
SHOWN_FIRST = 8
"""Number of columns that are shown at first; the user can show the others."""

VOXELS = 1
"""Index of the column that the table is sorted by at first."""

PROBABILITY = 7
"""Index of the mean probability, which only a network's result has."""


class LesionsModel(QAbstractTableModel):
    """Rows of `Lesion`, sorted by any column within the small ones and within the others.

    The user role returns the value of a cell. The model needs neither a viewer nor a display.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lesions: list[Lesion] = []
        self._accepted: list[bool] = []
        self._order: tuple[int, bool] = (VOXELS, False)

    @property
    def lesions(self) -> list[Lesion]:
        """The rows, from top to bottom."""
        return list(self._lesions)

    def set_lesions(self, lesions: Sequence[Lesion], accepted: Sequence[bool] = ()) -> None:
        """Set the lesions and sort them by the current column.

        Parameters
        ----------
        lesions : sequence of Lesion
        accepted : sequence of bool, optional
            Whether the user has accepted each of them.
        """
        self.beginResetModel()
        self._lesions = list(lesions)
        self._accepted = list(accepted) or [False] * len(self._lesions)
        self._arrange()
        self.endResetModel()

    def lesion(self, row: int) -> Lesion | None:
        """The lesion of a row."""
        return self._lesions[row] if 0 <= row < len(self._lesions) else None

    def row_of(self, lesion: Lesion | None) -> int | None:
        """The row of a lesion; None if it is not in the table."""
        return self._lesions.index(lesion) if lesion in self._lesions else None

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008
        """Qt: number of lesions."""
        return 0 if parent.isValid() else len(self._lesions)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008
        """Qt: number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: a cell."""
        if not index.isValid():
            return None
        lesion, column = self._lesions[index.row()], COLUMNS[index.column()]
        accepted = self._accepted[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(lesion) if column.title else _mark(lesion, accepted)
        if role == Qt.ItemDataRole.UserRole:
            return column.value(lesion)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if column.title else _CENTRED
        if role == Qt.ItemDataRole.ToolTipRole:
            return _describe(lesion, accepted)
        return None

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Qt: a column's title, and what it means as a tooltip."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(COLUMNS):
            return None
        column = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.tip
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Qt: sort; small lesions stay above the others."""
        if not 0 <= column < len(COLUMNS):
            return
        self._order = (column, order == Qt.SortOrder.DescendingOrder)
        self.layoutAboutToBeChanged.emit()
        kept = self.persistentIndexList()
        lesions = [self._lesions[index.row()] for index in kept]
        self._arrange()
        moved = [
            self.index(self._lesions.index(lesion), index.column())
            for lesion, index in zip(lesions, kept, strict=True)
        ]
        self.changePersistentIndexList(kept, moved)
        self.layoutChanged.emit()

    def _arrange(self) -> None:
        column, descending = self._order
        rows = list(zip(self._lesions, self._accepted, strict=True))

        def place(row: tuple[Lesion, bool]) -> tuple[bool, bool, float]:
            value = COLUMNS[column].value(row[0])
            if value is None:
                return not row[0].small, True, 0
            return not row[0].small, False, -value if descending else value

        rows.sort(key=place)
        self._lesions = [lesion for lesion, _ in rows]
        self._accepted = [accepted for _, accepted in rows]


def _mark(lesion: Lesion, accepted: bool) -> str:
    return ACCEPTED if accepted else SMALL if lesion.small else ""


def _describe(lesion: Lesion, accepted: bool) -> str:
    right, front, top = lesion.centroid_ras_mm
    return (
        f"{'Small lesion' if lesion.small else 'Lesion'} {lesion.id}"
        f"{', accepted' if accepted else ''}: {lesion.voxels} voxels, {lesion.ml:.3f} ml, "
        f"{lesion.diameter_mm:.1f} mm across\n"
        f"centre R {right:.1f}, A {front:.1f}, S {top:.1f} mm; "
        f"voxel {', '.join(f'{v:.1f}' for v in lesion.centroid_voxel)}"
    )
