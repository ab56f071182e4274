"""The Compare dock: the active patient's regions against an expert's or an earlier mask."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.compat import isalive
from qtpy.QtWidgets import QFileDialog
from smalltumor.data.volumes.nifti import is_image_name
from superqt.utils import QSignalDebouncer

from napari_smalltumor import settings
from napari_smalltumor.compare.choices import (
    ReferenceChoice,
    case_to_compare,
    current_choice,
    expert_can_be_compared,
    expert_choice,
    reference_choices,
)
from napari_smalltumor.compare.panel import ComparePanel
from napari_smalltumor.compare.reference_file import is_on_grid
from napari_smalltumor.compare.reference_reader import ReferenceReader
from napari_smalltumor.compare.region_scorer import ComparedLayers, RegionScorer, Scores
from napari_smalltumor.compare.scores import ComparedLesion, LesionStatus
from napari_smalltumor.compare.table_model import ComparedLesionsModel
from napari_smalltumor.compare.texts import joined_text
from napari_smalltumor.display.reference_visibility import toggle_reference
from napari_smalltumor.layers.masks.reference import reference_layers
from napari_smalltumor.layers.masks.regions import OUTERMOST_FIRST
from napari_smalltumor.layers.metadata import region_layers
from napari_smalltumor.lesions.canvas.navigation import move_to
from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation
from napari_smalltumor.loading.dropping import accept_drops
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.widgets.docks.dock_tabs import show_as_tab
from napari_smalltumor.widgets.docks.follows_viewer import FollowsViewer
from napari_smalltumor.widgets.flag import Flag
from napari_smalltumor.widgets.guarded_fields import guard_fields

if TYPE_CHECKING:
    from napari.viewer import Viewer

_FILTER = "Volumes (*.nii *.nii.gz *.mha *.nrrd *.mgz *.mgh)"
_DEBOUNCE_MS = 50
"""Layers are often added several at once."""

_CHECK_MASK = (
    "Check that the mask is of this patient and that its header has the right voxel size and "
    "position."
)


class CompareDock(ComparePanel, FollowsViewer):
    """Connects the panel with the layers of the active patient.

    The reference is what the layers of the patient hold, so that it goes and returns with them.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        self.model = ComparedLesionsModel()
        super().__init__(PatientHeader(napari_viewer), self.model)
        self.model.setParent(self)
        self._viewer = napari_viewer
        self._patients = active_patient(napari_viewer)
        self.scorer = RegionScorer(self)
        self._scores: Scores = {}
        self._target: ComparedLayers | None = None
        self.reader = ReferenceReader(napari_viewer, self)
        self._updating = Flag()
        self._soon = QSignalDebouncer(parent=self)
        self._soon.setTimeout(_DEBOUNCE_MS)
        self._soon.triggered.connect(self.update_choices)
        show_as_tab(self, "Compare")
        guard_fields(self)
        accept_drops(self, napari_viewer, is_image_name, self.compare_with_file)
        self._connect()
        self.follow_viewer()

    @property
    def busy(self) -> bool:
        """Whether a file is being read or masks are being compared."""
        return self.reader.busy or self.scorer.busy

    def compare_with_expert(self) -> None:
        """Compare with the expert's mask, which is open or lies beside the patient's images."""
        choice = expert_choice(self._viewer)
        if choice is not None:
            self.reader.choose(choice)

    def compare_with_file(self, path: Path) -> None:
        """Read a mask in a worker and make it the reference."""
        self.reader.choose(ReferenceChoice(path.name, path=path))

    def go_to(self, compared: ComparedLesion) -> None:
        """Move the canvas and the planes to a lesion."""
        if self._target is not None:
            layers = self._target.reference or self._target.segmentation
            source = ViewerSegmentation(self._target.case.name, layers, self._target.case)
            move_to(self._viewer, source, compared.lesion)

    def update_choices(self) -> None:
        """Follow the layers of the active patient."""
        if not isalive(self) or not self.follows_viewer:
            return
        current = current_choice(self._viewer)
        with self._updating:
            self.show_choices(reference_choices(self._viewer), current)
        self.set_comparable(case_to_compare(self._viewer) is not None)
        self.show_expert(expert_can_be_compared(self._viewer))
        self.reader.forget_closed()
        self.reader.follow_source()
        self._set_target()

    def _connect(self) -> None:
        self.reference_box.activated.connect(
            lambda row: self.reader.choose(self.reference_box.itemData(row))
        )
        self.file_button.clicked.connect(self._ask_for_file)
        self.expert_button.clicked.connect(self.compare_with_expert)
        self.contours_box.clicked.connect(lambda: toggle_reference(self._viewer))
        self.region_box.currentIndexChanged.connect(self._show_lesions)
        self.table.selectionModel().currentRowChanged.connect(self._on_row)
        self.table.clicked.connect(self._on_row)
        self.reader.changed.connect(self.update_choices)
        self.scorer.scored.connect(self._show_scores)
        self.scorer.failed.connect(self._on_scores_failed)

    def connect_viewer(self) -> None:
        """Connect to the viewer, and show what is there now."""
        events = self._viewer.layers.events
        events.inserted.connect(self._on_layers)
        events.removed.connect(self._on_layers)
        self._patients.changed.connect(self._on_patient)
        settings.changed.connect(self._on_setting)
        self.update_choices()

    def disconnect_viewer(self) -> None:
        """Disconnect from the viewer and its layers."""
        events = self._viewer.layers.events
        events.inserted.disconnect(self._on_layers)
        events.removed.disconnect(self._on_layers)
        self._patients.changed.disconnect(self._on_patient, missing_ok=True)
        settings.changed.disconnect(self._on_setting)
        self._follow_visibility(None)
        self.reader.stop()
        self.scorer.stop()
        self._target = None

    def _on_layers(self, event: Any = None) -> None:
        self._soon.throttle()

    def _on_patient(self) -> None:
        """Remove the numbers of the patient before at once."""
        if isalive(self):
            self.update_choices()

    def _on_setting(self, name: str, value: Any) -> None:
        if name == "threshold":
            self._on_layers()

    def _set_target(self) -> None:
        """Compare the layers that are there now."""
        case, layers = case_to_compare(self._viewer), self._patients.layers
        reference = reference_layers(layers)
        if case is not None and not all(is_on_grid(x, case) for x in reference.values()):
            reference = {}  # the segmentation is now that of images on another grid
        target = None
        if case is not None and (reference or region_layers(layers, case)):
            target = ComparedLayers(case, region_layers(layers, case), reference)
        if target is None or not target.is_same(self._target):
            self._follow_visibility(target)
            self._target = target
            self._show_scores({})
        current = current_choice(self._viewer) if reference else None
        self.show_compared_with(current.title if current is not None else "")
        self._update_message()
        self.scorer.set_target(target, int(settings.get("threshold")))

    def _update_message(self) -> None:
        self.show_message(self.reader.message or self._missing() or self._disagreement())

    def _disagreement(self) -> str:
        """A warning if the reference seems to be mirrored, or lies elsewhere altogether."""
        outermost_first = [self._scores[r] for r in OUTERMOST_FIRST if r in self._scores]
        compared = [s for s in outermost_first if s.segmentation_ml and s.reference_ml]
        mirrored = compared[0].mirrored if compared else None
        if mirrored is not None:
            return (
                "⚠ The reference or the segmentation seems to be mirrored: they have "
                f"{mirrored}. {_CHECK_MASK}"
            )
        if not compared or any(scores.dice for scores in compared):
            return ""
        return f"⚠ The reference and the segmentation share no voxel. {_CHECK_MASK}"

    def _missing(self) -> str:
        """What is missing for a comparison."""
        if self._target is None:
            is_open = case_to_compare(self._viewer) is not None
            return "Segment the case first" if is_open else "Open a case first"
        if not self._target.reference:
            return "Choose a reference, or drop a mask here"
        if self._target.segmentation:
            return ""
        if self._target.reference_is_outside:
            return f"⚠ The reference lies outside the head. {_CHECK_MASK}"
        return "Segment the case to compare it"

    def _follow_visibility(self, target: ComparedLayers | None) -> None:
        """Keep the check box as the layers of the reference are."""
        for layer in self._target.reference.values() if self._target is not None else ():
            layer.events.visible.disconnect(self._show_visibility)
        for layer in target.reference.values() if target is not None else ():
            layer.events.visible.connect(self._show_visibility)
        self._show_visibility(target=target)

    def _show_visibility(self, event: Any = None, target: ComparedLayers | None = None) -> None:
        shown = target or self._target
        layers = shown.reference.values() if shown is not None else ()
        self.contours_box.setEnabled(bool(layers))
        self.contours_box.setChecked(any(layer.visible for layer in layers))

    def _ask_for_file(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self,
            f"Compare {active_patient(self._viewer).title} with a mask",
            settings.last_folder(),
            _FILTER,
        )
        if chosen:
            self.compare_with_file(Path(chosen))

    def _on_scores_failed(self, message: str) -> None:
        self._show_scores({})
        self.show_message(f"The comparison failed: {message}")

    def _show_scores(self, scores: Scores) -> None:
        self._scores = scores
        self.scores.show_scores(scores)
        self._show_lesions()
        self._update_message()

    def _show_lesions(self) -> None:
        """List the lesions of the chosen region, and keep the current row."""
        rows, current = self.model.rows, self.table.currentIndex().row()
        before = rows[current] if 0 <= current < len(rows) else None
        scores = self._scores.get(self.region)
        with self._updating:
            self.model.set_lesions(scores.lesions if scores is not None else ())
            row = self.model.row_of(before) if before is not None else None
            if row is not None:
                self.table.selectRow(row)
        self.summary.setText(
            ", ".join(f"{scores.count(status)} {status}" for status in LesionStatus)
            if scores is not None and scores.dice is not None
            else ""
        )
        self.show_joined(joined_text(scores) if scores is not None else "")

    def _on_row(self, index: Any, before: Any = None) -> None:
        rows = self.model.rows
        if not self._updating and 0 <= index.row() < len(rows):
            self.go_to(rows[index.row()])
