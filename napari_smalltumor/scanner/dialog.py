"""The dialog that prepares a scan: its widgets and their layout."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)
from smalltumor.scanner.dicom.study_folder import StudyOfFile
from smalltumor.scanner.preparation.steps import Step
from smalltumor.scanner.series import Series
from smalltumor.scanner.studies import Study

from napari_smalltumor.scanner.series_table import SeriesTable
from napari_smalltumor.widgets.guarded_fields import guard_fields
from napari_smalltumor.widgets.layouts import allow_shrinking, button, wrapped_label

_SIZE = (860, 600)
_RUNNING_SIZE = (420, 80)
_LABEL_WIDTH = 72
_MARGIN = 12
_PROGRESS_STEPS = 100
_CHOOSE_STUDY = "Choose a study"
_BIAS_FIELD_TIP = (
    "Off by default, because the network was trained on images without this correction"
)


class PrepareDialog(QDialog):
    """Shows what was found, what will be done, and where the case is written.

    Nothing starts before *Prepare*. The dialog does not block the window.

    Parameters
    ----------
    parent : QWidget or None
    folder : Path
        The scan.
    """

    study_chosen = Signal(object)
    output_changed = Signal()
    prepare_clicked = Signal()
    open_clicked = Signal()
    cancel_clicked = Signal()

    def __init__(self, parent: QWidget | None, folder: Path) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Prepare the scan in {folder.name or folder}")
        self.scan = folder
        self._running = self._is_prepared = False
        self.choices = QWidget()
        self.studies = QComboBox()
        self.studies.setAccessibleName("Study")
        allow_shrinking(self.studies)
        self.table = SeriesTable()
        self.steps = wrapped_label()
        self.bias_field = QCheckBox("Correct the bias field (N4)")
        self.bias_field.setToolTip(_BIAS_FIELD_TIP)
        self.output = QLineEdit()
        self.output.setAccessibleName("Folder of the case")
        self.choose_button = button("Choose...", "Choose the folder that the case is written to")
        self.message = wrapped_label()
        self.progress = QProgressBar()
        self.step = QLabel()
        self.prepare_button = button("Prepare", "Start the steps above, and open the case")
        self.open_button = button("Open prepared case", "Open the case instead of preparing again")
        self.close_button = button("Close", "Close without preparing")
        self._lay_out(folder)
        guard_fields(self.studies)
        self._connect()
        self.set_running(False)

    def show_studies(self, studies: Sequence[Study], chosen: Study | None) -> None:
        """List the studies; nothing is chosen unless one is."""
        self.studies.clear()
        for study in studies:
            count = len(study.series)
            title = f"{study.title}: {count} series"
            self.studies.addItem(title, study)
        self.studies.setPlaceholderText(_CHOOSE_STUDY)
        self.studies.setCurrentIndex(-1 if chosen is None else list(studies).index(chosen))

    @property
    def shown_series(self) -> tuple[Series, ...]:
        """The series of the chosen study; none if no study is chosen."""
        study: Study | None = self.studies.currentData()
        return study.series if study is not None else ()

    def show_steps(self, steps: Sequence[Step]) -> None:
        """Show which steps will run, and why."""
        self.show_steps_text("\n".join(map(_step_line, steps)))

    def show_steps_text(self, text: str) -> None:
        """Show a text in place of the steps."""
        self.steps.setText(text)

    def show_message(self, problem: str, note: str) -> None:
        """Show why the scan cannot be prepared, and what should be known before."""
        self.message.setText("\n".join(f"⚠ {text}" for text in (problem, note) if text))
        self.message.setVisible(bool(problem or note))
        self.prepare_button.setEnabled(not problem)

    def offer_prepared(self, is_prepared: bool) -> None:
        """Offer to open the case that was prepared already, if there is one."""
        self._is_prepared = is_prepared
        self.open_button.setVisible(is_prepared and not self._running)

    def set_running(self, running: bool) -> None:
        """Show that the preparation runs, in little space, or that it does not."""
        self._running = running
        for widget in (self.choices, self.prepare_button):
            widget.setVisible(not running)
        self.open_button.setVisible(not running and self._is_prepared)
        self.progress.setVisible(running)
        self.step.setVisible(running)
        self.progress.setValue(0)
        self.close_button.setText("Cancel" if running else "Close")
        self.close_button.setToolTip(
            "Stop after the current step; nothing is written" if running else "Close this dialog"
        )
        self.close_button.setEnabled(True)
        self.resize(*(_RUNNING_SIZE if running else _SIZE))

    def set_cancelling(self) -> None:
        """Show that the preparation was asked to stop."""
        self.close_button.setEnabled(False)
        self.step.setText("cancelling: the current step ends first")

    def show_progress(self, fraction: float, step: str) -> None:
        """Move the bar and show the step."""
        self.progress.setValue(max(self.progress.value(), round(fraction * _PROGRESS_STEPS)))
        if self.close_button.isEnabled():
            self.step.setText(step)

    def reject(self) -> None:
        """Close the dialog; while the preparation runs, cancel that instead (also Escape)."""
        if self._running:
            self.cancel_clicked.emit()
        else:
            super().reject()

    def _lay_out(self, folder: Path) -> None:
        self.progress.setRange(0, _PROGRESS_STEPS)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(8)
        choices = QVBoxLayout(self.choices)
        choices.setContentsMargins(0, 0, 0, 0)
        choices.addLayout(_form(("Scan", wrapped_label(str(folder))), ("Study", self.studies)))
        choices.addWidget(self.table, 1)
        output = _beside(self.output, self.choose_button)
        choices.addLayout(_form(("Steps", self.steps), ("", self.bias_field), ("Write to", output)))
        choices.addWidget(self.message)
        buttons = QHBoxLayout()
        buttons.addWidget(self.step, 1)
        buttons.addStretch()
        buttons.addWidget(self.open_button)
        buttons.addWidget(self.prepare_button)
        buttons.addWidget(self.close_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.addWidget(self.choices, 1)
        layout.addWidget(self.progress)
        layout.addLayout(buttons)

    def _connect(self) -> None:
        self.studies.activated.connect(
            lambda index: self.study_chosen.emit(self.studies.itemData(index))
        )
        self.output.textChanged.connect(lambda: self.output_changed.emit())
        self.choose_button.clicked.connect(self._choose_output)
        self.prepare_button.clicked.connect(lambda: self.prepare_clicked.emit())
        self.open_button.clicked.connect(lambda: self.open_clicked.emit())
        self.close_button.clicked.connect(self.reject)

    def _choose_output(self) -> None:
        suggested = Path(self.output.text())
        chosen = QFileDialog.getExistingDirectory(
            self, "Folder in which the case's folder is created", str(suggested.parent)
        )
        if chosen:
            self.output.setText(str(Path(chosen) / suggested.name))


def _step_line(step: Step) -> str:
    mark, when = ("●", "") if step.needed else ("○", "not needed: ")
    return f"{mark} {step.name}: {when}{step.reason}"


def _form(*rows: tuple[str, QWidget]) -> QFormLayout:
    form = QFormLayout()
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    form.setHorizontalSpacing(_MARGIN)
    for title, widget in rows:
        label = QLabel(title)
        label.setFixedWidth(_LABEL_WIDTH)
        label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        form.addRow(label, widget)
    return form


def _beside(*widgets: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for number, widget in enumerate(widgets):
        layout.addWidget(widget, 1 - number)
    return row


def open_dialog(scan: Path, of_file: StudyOfFile | None = None) -> PrepareDialog | None:
    """The dialog of a scan that is shown and does not run; None if there is none.

    Parameters
    ----------
    scan : Path
    of_file : StudyOfFile, optional
        The study that the dialog has to show; by default, any.
    """
    from qtpy.QtWidgets import QApplication

    return next(
        (
            widget
            for widget in QApplication.topLevelWidgets()
            if isinstance(widget, PrepareDialog)
            and widget.scan == scan
            and widget.isVisible()
            and not widget._running
            and (of_file is None or of_file.holds_any(widget.shown_series))
        ),
        None,
    )
