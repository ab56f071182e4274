"""The *Watch* page: curves, numbers, and what the network makes of a held-out case now."""

from __future__ import annotations

from qtpy.QtCore import QEvent, Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QLabel, QSizePolicy, QWidget
from smalltumor.training.runs.monitor import RunStatus

from napari_smalltumor.finetune.curves import Curves
from napari_smalltumor.finetune.run_text import facts
from napari_smalltumor.widgets.layouts import button, column, row, wrapped_label

_ROWS = 5


class WatchPage(QWidget):
    """Shows a status; says which case's prediction is wanted."""

    prediction_clicked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.curves = Curves()
        self.case = QComboBox()
        self.case.setToolTip("A case that is not learnt from")
        self.case.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.predict = button(
            "Show &prediction", "Segment the case with the network as it is now, as a layer"
        )
        self._facts = QGridLayout()
        self._cells = [(QLabel(), QLabel()) for _ in range(_ROWS)]
        self._said = wrapped_label()
        self._busy = False
        self._lay_out()
        self.predict.clicked.connect(lambda: self.prediction_clicked.emit(self.case.currentText()))
        self.show_status(RunStatus())

    def show_status(self, status: RunStatus) -> None:
        """Draw the curves and list the numbers."""
        self.curves.show_status(status)
        rows = facts(status)
        for number, (name, value) in enumerate(self._cells):
            shown = rows[number] if number < len(rows) else ("", "")
            name.setText(shown[0])
            value.setText(shown[1])
            value.setToolTip(", ".join(status.training) if shown[0] == "Learns from" else "")
        names = list(status.validation)
        if names != [self.case.itemText(n) for n in range(self.case.count())]:
            self.case.clear()
            self.case.addItems(names)
        self._allow()

    def set_predicting(self, busy: bool, words: str = "") -> None:
        """Show that a prediction is being made, or how it ended."""
        self._busy = busy
        self._said.setText(words)
        self._allow()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Follow the window's theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self.curves.restyle()

    def _allow(self) -> None:
        self.predict.setEnabled(self.case.count() > 0 and not self._busy)

    def _lay_out(self) -> None:
        layout = column(self)
        layout.addWidget(self.curves, 1)
        self._facts.setHorizontalSpacing(12)
        self._facts.setVerticalSpacing(1)
        self._facts.setColumnStretch(1, 1)
        for number, cells in enumerate(self._cells):
            for place, cell in enumerate(cells):
                self._facts.addWidget(cell, number, place)
        layout.addLayout(self._facts)
        line = row(self.case)
        line.addWidget(self.predict)
        layout.addLayout(line)
        layout.addWidget(self._said)
