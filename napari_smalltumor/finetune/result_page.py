"""The *Use* page: Dice before and after on held-out cases, and the button that decides."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget
from smalltumor.labels.regions import Region
from smalltumor.training.runs.comparison import RunComparison
from smalltumor.training.runs.monitor import RunStatus

from napari_smalltumor.widgets.layouts import button, column, wrapped_label

_NONE_YET = "The weights it starts from and the best so far are compared here once both are known."
_NONE_HELD = "No case was held out, so nobody can say whether it was worth it."


class UsePage(QWidget):
    """Shows a gain; says when the weights are to be used."""

    use_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.table = QTableWidget(0, 1 + len(Region))
        self.use = button(
            "&Use these weights", "Let the Segment dock use the best network of this run"
        )
        self._verdict = wrapped_label(_NONE_YET)
        self._said = wrapped_label()
        self._shown: RunComparison | None = None
        self._lay_out()
        self.use.clicked.connect(lambda: self.use_clicked.emit())
        self.show_status(RunStatus(), has_weights=False)

    def show_status(self, status: RunStatus, *, has_weights: bool) -> None:
        """Compare, if there is something to compare."""
        self.use.setEnabled(has_weights)
        comparison = status.comparison
        if comparison is None:
            held_out = bool(status.validation) or not status.training
            self._verdict.setText(_NONE_YET if held_out else _NONE_HELD)
            self.table.setRowCount(0)
        elif comparison != self._shown:
            self._verdict.setText(comparison.message)
            self._fill(comparison)
        self._shown = comparison

    def say(self, text: str) -> None:
        """Under the button."""
        self._said.setText(text)

    @property
    def verdict(self) -> str:
        """Whether it was worth it, in words."""
        return self._verdict.text()

    def _fill(self, comparison: RunComparison) -> None:
        rows = comparison.rows()
        self.table.setRowCount(len(rows))
        for number, (case, scores) in enumerate(rows):
            name = QTableWidgetItem(case)
            name.setToolTip(case)
            self.table.setItem(number, 0, name)
            for place, region in enumerate(Region, start=1):
                before, after = scores[region]
                cell = QTableWidgetItem(f"{before:.2f}→{after:.2f}")
                cell.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
                cell.setToolTip(f"{region.name} {before:.4f} before, {after:.4f} after")
                font = cell.font()
                font.setBold(after > before)
                cell.setFont(font)
                self.table.setItem(number, place, cell)

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
        self.table.setToolTip("Dice before → after; better in bold")
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for number in range(1, self.table.columnCount()):
            header.setSectionResizeMode(number, QHeaderView.ResizeMode.ResizeToContents)
        layout = column(self)
        layout.addWidget(self.table, 1)
        layout.addWidget(self._verdict)
        layout.addWidget(self.use)
        layout.addWidget(self._said)
