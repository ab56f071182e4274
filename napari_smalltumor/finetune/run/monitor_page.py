"""The *Monitor* page: curves and numbers of a run, and predictions of validation cases."""

from __future__ import annotations

from qtpy.QtCore import QEvent, Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QLabel, QSizePolicy, QWidget
from smalltumor.training.runs.status import RunStatus

from napari_smalltumor.finetune.case_texts import RunCases, cases_text
from napari_smalltumor.finetune.run.curves import Curves
from napari_smalltumor.finetune.run_text import facts, warning_text
from napari_smalltumor.widgets.layouts import button, column, row, wrapped_label

_ROWS = 4


class MonitorPage(QWidget):
    """Shows the status of a run; emits the case whose prediction is requested."""

    prediction_clicked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.curves = Curves()
        self.case = QComboBox()
        self.case.setToolTip("Validation case")
        self.case.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.predict = button(
            "Show predict&ion", "Segment the case with the network saved last and show the result"
        )
        self._facts = QGridLayout()
        self._cells = [(QLabel(), QLabel()) for _ in range(_ROWS)]
        self._cases = wrapped_label()
        self._message = wrapped_label()
        self._warnings = wrapped_label()
        self._predicting = False
        self._lay_out()
        self.predict.clicked.connect(lambda: self.prediction_clicked.emit(self.case.currentText()))
        self.show_status(RunStatus())

    def show_status(self, status: RunStatus) -> None:
        """Draw the curves and list the numbers."""
        self.curves.show_status(status)
        rows = facts(status)
        for number, (name, value) in enumerate(self._cells):
            title, text = rows[number] if number < len(rows) else ("", "")
            name.setText(title)
            value.setText(text)
        cases = RunCases.of_run(status)
        self._cases.setText(cases_text(cases))
        self._cases.setToolTip(cases_text(cases, all_names=True))
        self._cases.setVisible(bool(status.training))
        self._warnings.setText(warning_text(status.warnings))
        self._warnings.setToolTip("\n".join(status.warnings))
        self._warnings.setVisible(bool(status.warnings))
        names = list(status.validation)
        if names != [self.case.itemText(n) for n in range(self.case.count())]:
            self.case.clear()
            self.case.addItems(names)
        self._enable_prediction()

    def set_predicting(self, predicting: bool, message: str = "") -> None:
        """Show that a prediction is being computed, or its result."""
        self._predicting = predicting
        self._message.setText(message)
        self._message.setVisible(bool(message))
        self._enable_prediction()

    @property
    def cases(self) -> str:
        """Which cases train and which validate, as it is shown."""
        return self._cases.text()

    @property
    def warnings(self) -> str:
        """What makes cases doubtful, as it is shown."""
        return self._warnings.text()

    @property
    def message(self) -> str:
        """The line under the button."""
        return self._message.text()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Apply the colours of a new theme to the curves."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self.curves.restyle()

    def _enable_prediction(self) -> None:
        self.predict.setEnabled(self.case.count() > 0 and not self._predicting)

    def _lay_out(self) -> None:
        layout = column(self)
        line = row(self.case)  # above what changes its height, as on the page *Cases*
        line.addWidget(self.predict)
        layout.addLayout(line)
        self._message.setVisible(False)
        layout.addWidget(self._message)
        layout.addWidget(self._cases)
        layout.addWidget(self._warnings)
        layout.addWidget(self.curves, 1)
        self._facts.setHorizontalSpacing(12)
        self._facts.setVerticalSpacing(1)
        self._facts.setColumnStretch(1, 1)
        for row_number, cells in enumerate(self._cells):
            for column_number, cell in enumerate(cells):
                self._facts.addWidget(cell, row_number, column_number)
        layout.addLayout(self._facts)
