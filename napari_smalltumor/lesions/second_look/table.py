"""The table of candidates: the likeliest first, with score, size and place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from qtpy.QtCore import QItemSelectionModel, QModelIndex, QObject, Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QAbstractItemView, QSizePolicy
from smalltumor.lesions import Lesion
from smalltumor.text import mm3_text

from napari_smalltumor.lesions.table.columns import Value, formatted
from napari_smalltumor.widgets.table_model import RIGHT, Heading, TableModel
from napari_smalltumor.widgets.tables import ROW_HEIGHT, FittedTable

_ROWS_SHOWN = 4

COLUMNS: tuple[tuple[str, str, Callable[[Lesion], Value], str | Callable[[Any], str]], ...] = (
    (
        "score",
        "From 0 to 1, higher for spots that are real more often; not a probability",
        lambda x: x.score,
        ".2f",
    ),
    ("mm³", "Volume in cubic millimetres", lambda x: x.mm3, mm3_text),
    ("3D mm", "Largest diameter in 3D, between voxel corners", lambda x: x.diameter_mm, ".1f"),
    ("side", "The patient's side", lambda x: x.side and x.side.value, ""),
    ("ax", "Axial slice through the centre", lambda x: x.slices and x.slices[0], "d"),
    ("cor", "Coronal slice through the centre", lambda x: x.slices and x.slices[1], "d"),
    ("sag", "Sagittal slice through the centre", lambda x: x.slices and x.slices[2], "d"),
)
"""Title, tooltip, value and format of each column."""


class CandidatesModel(TableModel):
    """Rows of candidates, in the order in which they are set."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__((Heading(title, tip, RIGHT) for title, tip, _, _ in COLUMNS), parent)
        self.lesions: list[Lesion] = []

    @property
    def rows(self) -> list[Lesion]:
        """The candidates, from top to bottom."""
        return self.lesions

    def set_lesions(self, lesions: Sequence[Lesion]) -> None:
        """Set the candidates."""
        self.beginResetModel()
        self.lesions = list(lesions)
        self.endResetModel()

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: a cell."""
        if not index.isValid():
            return None
        _, tip, value_of, form = COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            value = value_of(self.lesions[index.row()])
            return "–" if value is None else formatted(value, form)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT
        return tip if role == Qt.ItemDataRole.ToolTipRole else None


class CandidatesTable(FittedTable):
    """The table of candidates; as high as a few rows."""

    chosen = Signal(object)
    """A candidate was clicked, or reached with the arrow keys."""
    accept_pressed = Signal()
    delete_pressed = Signal()
    escaped = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.candidates = CandidatesModel(self)
        self.setModel(self.candidates)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.horizontalHeader().setHighlightSections(False)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.selectionModel().currentRowChanged.connect(self._on_row)
        self.clicked.connect(self._on_row)
        self._updating = False

    def show_candidates(self, lesions: Sequence[Lesion], current: Lesion | None) -> None:
        """Show candidates, and select the current one if it is among them."""
        self._updating = True
        if lesions != self.candidates.lesions:
            self.candidates.set_lesions(lesions)
        if current is not None and current in lesions:
            index = self.candidates.index(list(lesions).index(current), 0)
            how = QItemSelectionModel.SelectionFlag
            self.selectionModel().setCurrentIndex(index, how.ClearAndSelect | how.Rows)
        else:
            self.clearSelection()
            self.setCurrentIndex(QModelIndex())
        self._updating = False
        self.fit_columns()
        rows = max(min(len(lesions), _ROWS_SHOWN), 1)
        frame = 2 * self.frameWidth()
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + rows * ROW_HEIGHT + frame)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Accept with Space, reject with Delete, go back to the images with Escape."""
        signal = {
            Qt.Key.Key_Space: self.accept_pressed,
            Qt.Key.Key_Delete: self.delete_pressed,
            Qt.Key.Key_Escape: self.escaped,
        }.get(Qt.Key(event.key()))
        if signal is not None and not event.modifiers():
            signal.emit()
        else:
            super().keyPressEvent(event)

    def _on_row(self, index: QModelIndex, *_: Any) -> None:
        if not self._updating and index.isValid():
            self.chosen.emit(self.candidates.lesions[index.row()])
