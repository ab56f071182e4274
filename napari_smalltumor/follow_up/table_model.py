"""Qt table model of the changes since an earlier scan, new lesions first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from qtpy.QtCore import QModelIndex, QObject, Qt
from qtpy.QtGui import QFont
from smalltumor.follow_up import ChangeKind, LesionChange
from smalltumor.lesions import Lesion
from smalltumor.report.follow_up_page import ChangeRow, change_rows
from smalltumor.report.texts import ABSENT

from napari_smalltumor.widgets.table_model import LEFT, RIGHT, Heading, TableModel

SMALL = "○"
_MAX_RELATIVE = 9.0


def _relative(row: ChangeRow, change: LesionChange) -> str:
    """The change of the volume; in percent, that of a spot that has become large is too wide."""
    is_long = change.relative is not None and change.relative > _MAX_RELATIVE
    return f">{1 + _MAX_RELATIVE:.0f}×" if is_long else row.relative


def _number(change: LesionChange) -> str:
    """The number of the lesion, as in the reasons of RANO's category; of several, the first."""
    lesions = change.current or change.earlier
    number = f"{lesions[0].lesion.id}" + ("+" if len(lesions) > 1 else "")
    return number if change.current else f"({number})"


def _side(change: LesionChange) -> str:
    side = _shown(change).side
    return ABSENT if side is None else side.value


def _axial_slice(change: LesionChange) -> str:
    slices = _shown(change).slices
    if slices is None:
        return ABSENT
    return str(slices[0]) if change.current else f"({slices[0]})"


def _shown(change: LesionChange) -> Lesion:
    """The largest current lesion, or earlier one if it is gone."""
    return (change.current or change.earlier)[0].lesion


COLUMNS: tuple[tuple[str, str, Callable[[ChangeRow, LesionChange], str]], ...] = (
    (
        "change",
        f"New, grown, shrunk, gone ...; {SMALL} marks small lesions. new?: the earlier T1CE is "
        "also bright here; check whether the earlier mask missed the lesion. gone?: the current "
        "T1CE is still bright here; check whether the current mask missed the lesion",
        lambda x, change: (
            f"{x.change}?" if change.bright_earlier or change.bright_current else x.change
        ),
    ),
    (
        "no.",
        "Number of the lesion in the current scan; in brackets, in the earlier scan if it is gone",
        lambda _, x: _number(x),
    ),
    ("earlier\nmm³", "Volume at the earlier scan, mm³", lambda x, _: x.earlier_volume),
    ("current\nmm³", "Volume at the current scan, mm³", lambda x, _: x.current_volume),
    ("±", "Change of the volume; in times, if it has grown more than tenfold", _relative),
    ("side", "The patient's side", lambda _, x: _side(x)),
    (
        "ax",
        "Axial slice through the centre; in brackets: slice of the earlier scan, for a lesion "
        "that is gone",
        lambda _, x: _axial_slice(x),
    ),
)
"""Title, tip and text of each column."""

_NUMBERS = (1, 2, 3, 4, 6)


class ChangesModel(TableModel):
    """Rows of `LesionChange` in their own order."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(
            (
                Heading(title, tip, RIGHT if number in _NUMBERS else LEFT)
                for number, (title, tip, _) in enumerate(COLUMNS)
            ),
            parent,
        )
        self._changes: list[LesionChange] = []
        self._rows: list[ChangeRow] = []

    @property
    def changes(self) -> list[LesionChange]:
        """The changes, from top to bottom."""
        return list(self._changes)

    @property
    def rows(self) -> list[ChangeRow]:
        """What the rows say, from top to bottom."""
        return self._rows

    def set_changes(self, changes: Sequence[LesionChange]) -> None:
        """Set the rows."""
        self.beginResetModel()
        self._changes, self._rows = list(changes), change_rows(changes)
        self.endResetModel()

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: a cell; new lesions are bold."""
        if not index.isValid():
            return None
        change, row = self._changes[index.row()], self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            text = COLUMNS[index.column()][2](row, change)
            return f"{SMALL if change.is_small else '  '} {text}" if not index.column() else text
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self.headings[index.column()].alignment
        if role == Qt.ItemDataRole.FontRole and change.kind is ChangeKind.NEW:
            font = QFont()
            font.setBold(True)
            return font
        if role == Qt.ItemDataRole.ToolTipRole:
            return (
                f"{row.change}: earlier lesion {row.earlier}, current lesion {row.current}; "
                f"{row.place}; diameters in mm (slice): earlier {row.earlier_diameters}, "
                f"current {row.current_diameters}"
            )
        return None
