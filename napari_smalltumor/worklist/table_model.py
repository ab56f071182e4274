"""Qt table model of a worklist, in its own order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from qtpy.QtCore import QModelIndex, QObject, Qt
from qtpy.QtGui import QFont
from smalltumor.cohort.reviews.worklist import Worklist, WorklistEntry

from napari_smalltumor.widgets.table_model import LEFT, RIGHT, Heading, TableModel
from napari_smalltumor.worklist.texts import about_case

REVIEWED, OPEN, FAILED = "✓", "▸", "✗"


def _state(entry: WorklistEntry) -> str:
    if not entry.can_be_opened:
        return FAILED
    return REVIEWED if entry.review is not None else ""


def _expected_dice(entry: WorklistEntry) -> str:
    dice = entry.result.expected_dice
    return "" if dice is None else f"{dice:.2f}"


def _candidates(entry: WorklistEntry) -> str:
    return str(entry.result.count("candidate") or "")


def _small_lesions(entry: WorklistEntry) -> str:
    """As in the table and on the page of the cohort: with specks."""
    return str(entry.result.count("small lesion") or "")


COLUMNS: tuple[tuple[str, str, Callable[[WorklistEntry], str]], ...] = (
    ("", f"{OPEN} open, {REVIEWED} reviewed, {FAILED} cannot be opened", _state),
    ("case", "In the order that is chosen above", lambda entry: entry.name),
    ("⚠", "Warnings", lambda entry: str(len(entry.result.warnings) or "")),
    ("cand.", "Candidates of the second look", _candidates),
    (
        "small",
        "Small lesions of the network's mask, with those that the Lesions dock lists as specks",
        _small_lesions,
    ),
    (
        "exp.",
        "Expected Dice: how sure the network is of the mask, the mean over ET, TC and WT",
        _expected_dice,
    ),
)
"""Title, tip and text of each column."""

_NAME = 1


class WorklistModel(TableModel):
    """Rows of a `Worklist`; the case that is open is bold."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(
            (
                Heading(title, tip, LEFT if number <= _NAME else RIGHT)
                for number, (title, tip, _) in enumerate(COLUMNS)
            ),
            parent,
        )
        self._worklist: Worklist | None = None
        self._open = ""

    @property
    def worklist(self) -> Worklist | None:
        """What is listed."""
        return self._worklist

    @property
    def rows(self) -> Sequence[WorklistEntry]:
        """The cases, from top to bottom."""
        return self._worklist.entries if self._worklist is not None else ()

    def entry(self, row: int) -> WorklistEntry | None:
        """The case of a row; None if there is no such row."""
        if self._worklist is None or not 0 <= row < len(self._worklist.entries):
            return None
        return self._worklist.entries[row]

    def set_worklist(self, worklist: Worklist | None) -> None:
        """List other cases, or the same with other reviews, which leaves the selection."""
        before = self._worklist
        same = before is not None and worklist is not None and _names(before) == _names(worklist)
        if not same:
            self.beginResetModel()
        self._worklist = worklist
        if same:
            self._emit_changed()
        else:
            self.endResetModel()

    def set_open(self, case: str) -> None:
        """Mark the case that is open; none if the name is empty."""
        if case != self._open:
            self._open = case
            self._emit_changed()

    def count_again(self) -> None:
        """Show the numbers again after another limit for specks was set."""
        self._emit_changed()

    def _emit_changed(self) -> None:
        rows = self.rowCount()
        if rows:
            self.dataChanged.emit(self.index(0, 0), self.index(rows - 1, len(COLUMNS) - 1))

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: a cell."""
        if not index.isValid() or self._worklist is None:
            return None
        entry = self._worklist.entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            text = COLUMNS[index.column()][2](entry)
            is_open = index.column() == 0 and entry.name == self._open
            return f"{OPEN}{text}" if is_open else text
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self.headings[index.column()].alignment
        if role == Qt.ItemDataRole.FontRole and entry.name == self._open:
            font = QFont()
            font.setBold(True)
            return font
        if role == Qt.ItemDataRole.ToolTipRole:
            return about_case(entry)
        return None


def _names(worklist: Worklist) -> list[str]:
    return [entry.name for entry in worklist.entries]
