"""The widgets of the Segment dock and their layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from magicgui.widgets import CheckBox, ComboBox
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QProgressBar, QWidget
from smalltumor.data.case import REFERENCE
from smalltumor.data.input_checks import Finding, FindingKind
from smalltumor.data.naming.case_files import MODALITIES, OPTIONAL_MODALITIES, modality_titles
from smalltumor.labels.schemes import SCHEMES
from superqt import QElidingLabel

from napari_smalltumor import keys, settings
from napari_smalltumor.compare.expert_banner import ExpertBanner
from napari_smalltumor.layers.modalities import misassigned
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.segment.modality_pickers import ModalityPickers
from napari_smalltumor.segment.options import SegmentOptions
from napari_smalltumor.segment.results import ResultView
from napari_smalltumor.widgets.foldable_section import FoldableSection
from napari_smalltumor.widgets.layouts import button, column, form_layout, row, wrapped_label

if TYPE_CHECKING:
    from napari.components import ViewerModel

_STEPS = 1000
_SEGMENT = keys.with_key("Segment the tumour in the images above", keys.SEGMENT)
_EXPORT = "Write the regions as they are now, including your edits"
_REPORT = "Write a page with pictures and measures of the regions as they are now"
_NO_REGIONS = "Export and Report need ET, TC and WT: segment the case first"


class SegmentPanel(QWidget):
    """From top to bottom: patient, images, buttons, progress, results, options and export.

    Parameters
    ----------
    viewer : ViewerModel
        The pickers list its image layers.
    """

    segment_clicked = Signal()
    cancel_clicked = Signal()
    export_clicked = Signal(bool)
    report_clicked = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self.header = PatientHeader(viewer)
        self.pickers = ModalityPickers(viewer)
        self.options = SegmentOptions()
        self.options_section = FoldableSection(self.options)
        self.results = ResultView()
        self.expert_banner = ExpertBanner(viewer)
        self._segment = button("Segment", _SEGMENT)
        self._cancel = button("Cancel", "Stop the run; layers stay as they are")
        self._progress = QProgressBar()
        self._step = QElidingLabel()
        self._outcome = wrapped_label()
        self._export = button("E&xport...", _EXPORT)
        self._report = button("Rep&ort...", _REPORT)
        self._scheme = ComboBox(
            label="Label scheme",
            choices=[(f"{s.name}  ({s.ncr}, {s.ed}, {s.et})", s.name) for s in SCHEMES.values()],
            value=settings.get("scheme"),
            tooltip="Numbers for necrosis, edema and enhancing tumour in label files",
        )
        self._per_region = CheckBox(
            text="One file per region", tooltip="Write ET, TC and WT as three files of 0 and 1"
        )
        self._export_hint = wrapped_label(_NO_REGIONS)
        self._choice_warning = wrapped_label()
        self._weights_note = wrapped_label()
        self._running = False
        self._lay_out()
        self._show_options()
        self._show_weights()
        self._connect()
        self.set_exportable(False)
        self.set_running(False)

    def set_running(self, running: bool, message: str = "") -> None:
        """Show that a run has started, or that it has ended and how."""
        self._running = running
        self._show_choice()
        self._cancel.setEnabled(running)
        self._progress.setVisible(running)
        self._progress.setValue(0)  # after hiding: a visible bar redraws the window at once
        self._step.setVisible(running)
        self._outcome.setText("" if running else message)
        self._outcome.setVisible(not running and bool(message))

    def set_exportable(self, exportable: bool) -> None:
        """Enable *Export* and *Report* if there are regions to export."""
        self._export.setEnabled(exportable)
        self._export.setToolTip(_EXPORT if exportable else _NO_REGIONS)
        self._report.setEnabled(exportable)
        self._report.setToolTip(_REPORT if exportable else _NO_REGIONS)
        self._show_export_hint()

    def _show_export_hint(self) -> None:
        """Say beside an expert's mask why it is neither exported nor reported."""
        has_images = any(layer is not None for layer in self.pickers.chosen.values())
        self._export_hint.setVisible(has_images and not self._export.isEnabled())

    def set_cancelling(self) -> None:
        """Show that the run has been requested to stop."""
        self._cancel.setEnabled(False)

    def show_progress(self, fraction: float, step: str) -> None:
        """Move the bar and show the step."""
        self._progress.setValue(max(self._progress.value(), round(fraction * _STEPS)))
        self._step.setText(step)
        self._step.setToolTip(step)  # the line is cut if the dock is narrow

    @property
    def step(self) -> str:
        """The step of the run, or how the last run ended."""
        return str(self._step.text() if self._running else self._outcome.text())

    @property
    def choice_warning(self) -> str:
        """Which images are missing, or are chosen for another modality than their own."""
        return self._choice_warning.text()

    @property
    def weights_note(self) -> str:
        """Which weights are chosen, if not the shipped ones."""
        return "" if self._weights_note.isHidden() else str(self._weights_note.text())

    @property
    def obstacle(self) -> str | None:
        """Why the chosen images cannot be segmented, or None."""
        missing = [m for m, layer in self.pickers.chosen.items() if layer is None]
        return _obstacle(missing, allow_missing=self.options.allow_missing)

    def _show_choice(self) -> None:
        """Enable *Segment* if the chosen images suffice, and warn about what is wrong with them."""
        chosen, reason = self.pickers.chosen, self.obstacle
        missing = [m for m, layer in chosen.items() if layer is None]
        self._segment.setEnabled(not self._running and reason is None)
        self._segment.setToolTip(reason or _SEGMENT)
        self._show_export_hint()
        texts = misassigned(chosen)
        if missing and REFERENCE not in missing:
            texts.append(self._missing_text(missing, can_segment=reason is None))
        self._choice_warning.setText("\n".join(f"⚠ {text}" for text in texts))
        self._choice_warning.setVisible(bool(texts))

    def _show_options(self) -> None:
        """Say on the title of the folded options which are in use."""
        self.options_section.title = f"Options: {self.options.summary}"

    def _show_weights(self) -> None:
        """Name weights other than the shipped ones, which stay chosen after a restart."""
        chosen = self.options.weights_title if self.options.weights_path is not None else ""
        self._weights_note.setText(f"Weights: {chosen}, not the shipped ones")
        self._weights_note.setVisible(bool(chosen))

    def _missing_text(self, missing: Sequence[str], *, can_segment: bool) -> str:
        if not can_segment:
            return f"No image for {modality_titles(missing)}; the chosen weights need all four"
        dice = self.options.expected_dice(missing)
        return str(Finding(FindingKind.MISSING, modalities=tuple(missing), dice=dice))

    def _lay_out(self) -> None:
        self._progress.setRange(0, _STEPS)
        self._progress.setTextVisible(False)
        self._progress.setFixedHeight(8)
        layout = column(self)
        layout.addWidget(self.header)
        layout.addWidget(_heading("Images"))
        layout.addWidget(self.pickers)
        layout.addWidget(self._choice_warning)
        layout.addWidget(self._weights_note)
        layout.addLayout(row(self._segment, self._cancel))
        layout.addWidget(self._progress)
        layout.addWidget(self._step)
        layout.addWidget(self._outcome)
        layout.addWidget(self.results)
        layout.addWidget(self.expert_banner)
        layout.addWidget(self.options_section)
        layout.addWidget(_heading("Export"))
        export = QWidget()
        form_layout(export, [self._scheme, self._per_region])
        layout.addWidget(export)
        layout.addLayout(row(self._export, self._report))
        layout.addWidget(self._export_hint)
        layout.addStretch(1)

    def _connect(self) -> None:
        self.pickers.choice_changed.connect(self._show_choice)
        self.options.weights_changed.connect(self._show_choice)
        self.options.weights_changed.connect(self._show_weights)
        self.options.summary_changed.connect(self._show_options)
        self._segment.clicked.connect(lambda: self.segment_clicked.emit())
        self._cancel.clicked.connect(lambda: self.cancel_clicked.emit())
        self._export.clicked.connect(lambda: self.export_clicked.emit(self._per_region.value))
        self._report.clicked.connect(lambda: self.report_clicked.emit())
        self._scheme.changed.connect(lambda name: settings.put("scheme", name))


def _obstacle(missing: Sequence[str], *, allow_missing: bool) -> str | None:
    """Why images without these modalities cannot be segmented, or None."""
    if len(missing) == len(MODALITIES):
        return "Open a case first"
    needed = [m for m in missing if m not in OPTIONAL_MODALITIES or not allow_missing]
    return f"Choose a layer for {modality_titles(needed)}" if needed else None


def _heading(text: str) -> QLabel:
    label = QLabel(f"<b>{text}</b>")
    label.setAlignment(Qt.AlignmentFlag.AlignBottom)
    return label
