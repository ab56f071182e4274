"""Qt table model of the lesions of a comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QModelIndex, QObject, Qt

from napari_smalltumor.compare.scores import ComparedLesion, LesionStatus
from napari_smalltumor.widgets.table_model import Heading, TableModel

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_CENTRED = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter

SMALL = "○"

_TEXTS = {
    LesionStatus.MISSED: "in the reference, and not in the segmentation",
    LesionStatus.FALSE: "in the segmentation, and not in the reference",
    LesionStatus.FOUND: "in both",
}


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Parameters
    ----------
    title, tip : str
    text : callable
        Text of the cell.
    value : callable
        Value by which rows are sorted.
    alignment : Qt.AlignmentFlag
    """

    title: str
    tip: str
    text: Callable[[ComparedLesion], str]
    value: Callable[[ComparedLesion], float]
    alignment: Any = _RIGHT


COLUMNS = (
    Column(
        "lesion",
        f"Missed, false or found; {SMALL} marks small lesions",
        lambda x: f"{SMALL if x.lesion.is_small else '  '} {x.status}",
        lambda x: list(LesionStatus).index(x.status),
        _LEFT,
    ),
    Column("ml", "Volume", lambda x: f"{x.lesion.ml:.3f}", lambda x: x.lesion.ml),
    Column(
        "Dice",
        "Of a found lesion, with all that is matched with it",
        lambda x: "–" if x.dice is None else f"{x.dice:.2f}",
        lambda x: -1.0 if x.dice is None else x.dice,
    ),
    Column(
        "side",
        "The patient's side",
        lambda x: str(x.lesion.side or "–"),
        lambda x: x.lesion.centroid_ras_mm[0],
        _CENTRED,
    ),
    Column(
        "axial",
        "Axial slice through the centre, as napari numbers it",
        lambda x: "–" if x.lesion.slices is None else str(x.lesion.slices[0]),
        lambda x: -x.lesion.centroid_ras_mm[2],
    ),
)


class ComparedLesionsModel(TableModel):
    """Rows of `ComparedLesion`, in their own order or sorted by a column."""

    def __init__(self, parent: QObject | None = None) -> None:
        headings = (Heading(column.title, column.tip, column.alignment) for column in COLUMNS)
        super().__init__(headings, parent)
        self._lesions: list[ComparedLesion] = []
        self._rows: list[ComparedLesion] = []
        self._order: tuple[int, bool] = (0, False)

    @property
    def rows(self) -> list[ComparedLesion]:
        """The rows, from top to bottom."""
        return list(self._rows)

    @property
    def order(self) -> tuple[int, bool]:
        """The column by which rows are sorted, and whether they descend."""
        return self._order

    def set_lesions(self, lesions: Sequence[ComparedLesion]) -> None:
        """Set the lesions, and sort them by the current column; equal ones keep their order."""
        self.beginResetModel()
        self._lesions = list(lesions)
        self._arrange()
        self.endResetModel()

    def row_of(self, compared: ComparedLesion) -> int | None:
        """The row of a lesion with the same status and place; None if there is none."""
        keys = [(x.status, x.lesion.centroid_voxel) for x in self._rows]
        key = (compared.status, compared.lesion.centroid_voxel)
        return keys.index(key) if key in keys else None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: a cell."""
        if not index.isValid():
            return None
        compared, column = self._rows[index.row()], COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(compared)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return column.alignment
        if role == Qt.ItemDataRole.ToolTipRole:
            size = f"{compared.lesion.voxels} voxels"
            return f"{compared.status}: {_TEXTS[compared.status]}; {size}"
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Qt: sort by a column."""
        if 0 <= column < len(COLUMNS):
            self._order = (column, order == Qt.SortOrder.DescendingOrder)
            self.beginResetModel()
            self._arrange()
            self.endResetModel()
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(COLUMNS) - 1)

    def _arrange(self) -> None:
        column, descending = self._order
        self._rows = sorted(self._lesions, key=COLUMNS[column].value, reverse=descending)
