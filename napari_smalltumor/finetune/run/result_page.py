"""The *Result* page: Dice before and after training, and the button that uses the new weights."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget
from smalltumor.labels.regions import Region
from smalltumor.training.runs.comparison import RunComparison
from smalltumor.training.runs.status import RunStatus

from napari_smalltumor.widgets.layouts import button, column, wrapped_label

_USE_THESE, _USE_FINAL = "Use these weights", "Use the final weights anyway"
_USE = "Use {} in the Segment dock"
_SAME_WEIGHTS = "The best weights of this run are those that it started from"
_NO_WEIGHTS = "This run has saved no weights yet"
_ENDED_EARLY = (
    "This run ended before the first validation of new weights: the best weights are those that it "
    "started from. Resume it to train on."
)
_MAY_IMPROVE = " While it trains, better ones may take their place."
_NOT_KNOWN = " No validation shows whether they are better or worse than the starting weights."
_NO_COMPARISON_YET = (
    "The starting weights and the best weights so far are compared here after the first validation."
)
_NO_VALIDATION = (
    "This run has no validation cases, so the new weights cannot be compared with the starting "
    "weights."
)


class ResultPage(QWidget):
    """Shows the comparison of a run; emits when its weights are to be used."""

    use_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.table = QTableWidget(0, 1 + len(Region))
        self.use = button(_USE_THESE, "")
        self._title = "the best network of this run"
        self._verdict = wrapped_label(_NO_COMPARISON_YET)
        self._in_use = wrapped_label()
        self._shown: RunComparison | None = None
        self._lay_out()
        self.use.clicked.connect(lambda: self.use_clicked.emit())
        self.show_status(RunStatus(), has_weights=False)

    def show_status(self, status: RunStatus, *, has_weights: bool, is_final: bool = False) -> None:
        """Show the comparison, or why there is none.

        Parameters
        ----------
        status : RunStatus
        has_weights : bool
            Whether the run has written weights that can be used.
        is_final : bool
            Whether these are the final weights, although no validation found them better.
        """
        comparison = status.comparison
        is_start = status.best_is_start or (comparison is not None and comparison.is_start)
        is_start = is_start and not is_final
        if comparison is not None and is_final:
            comparison = comparison.of_last
        self.use.setText(_USE_FINAL if is_final else _USE_THESE)
        self.use.setEnabled(has_weights and not is_start)
        why_not = _SAME_WEIGHTS if is_start else "" if has_weights else _NO_WEIGHTS
        more = _NOT_KNOWN if is_final else _MAY_IMPROVE if status.state.is_live else ""
        self.use.setToolTip(why_not or f"{_USE.format(self._title)}.{more}")
        if comparison is None:
            self._verdict.setText(_without_comparison(status))
            self.table.setRowCount(0)
        elif comparison != self._shown:
            self._verdict.setText(comparison.message)
            self._fill(comparison)
        self._shown = comparison

    def show_title(self, title: str) -> None:
        """Name the weights that can be used; the button's tooltip says it."""
        self._title = title

    def show_in_use(self, title: str) -> None:
        """Name the weights that the Segment dock uses."""
        self._in_use.setText(f"The Segment dock uses the weights {title}.")

    @property
    def in_use(self) -> str:
        """Which weights the Segment dock uses, as it is shown."""
        return self._in_use.text()

    @property
    def verdict(self) -> str:
        """The result of the comparison in a sentence."""
        return self._verdict.text()

    def _fill(self, comparison: RunComparison) -> None:
        rows = comparison.rows()
        self.table.setRowCount(len(rows))
        for row, (case, dice) in enumerate(rows):
            name = QTableWidgetItem(case)
            name.setToolTip(case)
            self.table.setItem(row, 0, name)
            for column_number, region in enumerate(Region, start=1):
                before, after = dice[region]
                cell = QTableWidgetItem(f"{before:.2f}→{after:.2f}")
                cell.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
                cell.setToolTip(f"{region.name} {before:.4f} before, {after:.4f} after")
                font = cell.font()
                font.setBold(after > before)
                cell.setFont(font)
                self.table.setItem(row, column_number, cell)

    def _lay_out(self) -> None:
        self.table.setHorizontalHeaderLabels(["Case", *(region.name for region in Region)])
        self.table.verticalHeader().setVisible(False)
        self.table.verticalHeader().setDefaultSectionSize(24)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.table.setToolTip("Dice before → after training; improved values in bold")
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for number in range(1, self.table.columnCount()):
            header.setSectionResizeMode(number, QHeaderView.ResizeMode.ResizeToContents)
        layout = column(self)
        layout.addWidget(self.use)  # above what changes its height, as on the page *Cases*
        layout.addWidget(self._in_use)
        layout.addWidget(self.table, 1)
        layout.addWidget(self._verdict)


def _without_comparison(status: RunStatus) -> str:
    if status.training and not status.validation:
        return _NO_VALIDATION
    ended = status.best_is_start and not status.state.is_live
    return _ENDED_EARLY if ended else _NO_COMPARISON_YET
