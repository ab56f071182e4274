"""The Follow-up dock: the active patient's regions against an earlier scan."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.compat import isalive
from qtpy.QtWidgets import QFileDialog
from smalltumor.lesions import Lesion, LesionList

from napari_smalltumor import keys, notify, settings
from napari_smalltumor.export.case_export import case_to_export
from napari_smalltumor.export.dialogs.preconditions import confirm_regions
from napari_smalltumor.follow_up import texts
from napari_smalltumor.follow_up.comparison import Comparison
from napari_smalltumor.follow_up.comparison_runs import ComparisonRuns
from napari_smalltumor.follow_up.earlier_layers import (
    contours_are_earlier,
    earlier_layer,
    flicker,
    show_current,
    show_earlier_contours,
)
from napari_smalltumor.follow_up.other_patients_scan import confirm_other_patients_scan
from napari_smalltumor.follow_up.page import ask_and_write_page
from napari_smalltumor.follow_up.panel import FollowUpPanel
from napari_smalltumor.follow_up.table_model import ChangesModel
from napari_smalltumor.layers.editing.nesting import ensure_nesting
from napari_smalltumor.layers.editing.region_edits import RegionEdits
from napari_smalltumor.layers.metadata import region_layers, same_case
from napari_smalltumor.lesions.canvas.navigation import move_to
from napari_smalltumor.lesions.review.lesion_positions import LesionPosition
from napari_smalltumor.lesions.review.review import review_lesion_at
from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation
from napari_smalltumor.loading.dropping import accept_drops
from napari_smalltumor.main_window.planes_window import planes_window
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.widgets.docks.dock_keys import DockKeys
from napari_smalltumor.widgets.docks.dock_tabs import show_as_tab
from napari_smalltumor.widgets.docks.follows_viewer import FollowsViewer
from napari_smalltumor.widgets.guarded_fields import guard_fields

if TYPE_CHECKING:
    from napari.viewer import Viewer


class FollowUpDock(FollowUpPanel, FollowsViewer):
    """Connects the panel with the active patient, each of whom keeps its own comparison.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        self.model = ChangesModel()
        super().__init__(PatientHeader(napari_viewer), self.model)
        self.model.setParent(self)
        self._viewer = napari_viewer
        self._patients = active_patient(napari_viewer)
        self.runs = ComparisonRuns(napari_viewer, self)
        self.keys: DockKeys | None = None
        self._edits = RegionEdits(self._show_state, self)
        show_as_tab(self, "Follow-up")
        guard_fields(self)
        accept_drops(self, napari_viewer)
        self.choose_button.clicked.connect(self._ask_for_folder)
        self.again_button.clicked.connect(self.compare_again)
        self.cancel_button.clicked.connect(self.runs.cancel)
        self.runs.changed.connect(self._update)
        self.runs.progressed.connect(self.show_progress)
        self.flicker_button.clicked.connect(lambda: self.flicker())
        self.beside_button.clicked.connect(lambda: self.toggle_beside())
        self.report_button.clicked.connect(self.report)
        self.contours_button.clicked.connect(self._show_contours)
        self.table.selectionModel().currentRowChanged.connect(self._on_row)
        self.table.clicked.connect(self._on_row)
        self._window = planes_window(napari_viewer)
        if self._window is not None:
            self._window.layout_changed.connect(self._show_flicker)
        self.follow_viewer()

    @property
    def busy(self) -> bool:
        """Whether a comparison runs."""
        return self.runs.busy

    @property
    def comparison(self) -> Comparison | None:
        """The comparison of the active patient."""
        return self.runs.current

    def compare_with(self, folder: Path) -> None:
        """Compare the active patient's regions with an earlier scan, in a worker."""
        case, patient = case_to_export(self._viewer), self._patients.current
        if self.busy or case is None or patient is None:
            return
        if not confirm_regions(self, self._viewer, case, "Compare anyway"):
            return
        ensure_nesting(self._viewer).apply()
        self.runs.compare(folder, case, patient)

    def compare_again(self) -> None:
        """Compare the regions as they are now with the same scan."""
        if self.comparison is not None:
            self.compare_with(self.comparison.folder)

    def flicker(self) -> None:
        """Switch between the earlier T1CE and the current images."""
        flicker(self._viewer)
        self._show_flicker()
        self._show_state()

    def toggle_beside(self) -> None:
        """Show a plane of the earlier scan beside that of the current one, or the latter alone."""
        if self._window is None or earlier_layer(self._viewer, self._patients.current) is None:
            return
        beside = not self._window.is_beside
        if beside:
            show_current(self._viewer)
        self._window.show_beside(beside)
        self._show_flicker()
        self._show_state()

    def report(self) -> None:
        """Write a page of the comparison, unless one of the masks has changed since."""
        self._show_state()
        if self.comparison is None:
            return
        if self.runs.is_old:
            notify.error(texts.changed_text(self.comparison))
            return
        ask_and_write_page(self._viewer, self.comparison, self)

    def step(self, by: int) -> None:
        """Go to another row of the table; from the last one to the first."""
        count = self.model.rowCount()
        if count:
            current = self.table.currentIndex().row()
            self.table.selectRow((current + by) % count if current >= 0 else 0)

    def connect_viewer(self) -> None:
        """Connect to the viewer, and show what is there now."""
        self._patients.changed.connect(self._update)
        self._patients.patients_changed.connect(self._update)
        self._bind_keys()
        self._update()

    def disconnect_viewer(self) -> None:
        """Disconnect from the viewer and its layers."""
        self._patients.changed.disconnect(self._update, missing_ok=True)
        self._patients.patients_changed.disconnect(self._update, missing_ok=True)
        self._edits.follow(())
        if self._window is not None and isalive(self._window):
            self._window.show_beside(False)
        if self.keys is not None:
            self.keys.unbind()
            self.keys = None
        self.runs.cancel()

    def _bind_keys(self) -> None:
        window = self._window
        actions: dict[keys.Key, Callable[[], None]] = {
            keys.FLICKER: self.flicker,
            keys.BESIDE: self.toggle_beside,
            keys.NEXT_CHANGE: partial(self.step, 1),
            keys.PREVIOUS_CHANGE: partial(self.step, -1),
        }
        self.keys = DockKeys(window.main_window if window else self, self, actions)

    def _update(self) -> None:
        """Show the comparison of the active patient, and nothing of another one."""
        if not isalive(self) or not self.follows_viewer:
            return
        self.runs.forget_closed()
        case = case_to_export(self._viewer)
        comparison = self.comparison
        if comparison is not None and not same_case(comparison.case, case):
            comparison = None
        layers = {} if case is None else region_layers(self._patients.layers, case)
        self._edits.follow(layers.values())
        self.show_running(self.busy)
        self.set_comparable(case is not None, busy=self.busy)
        changes = comparison.follow_up.changes if comparison is not None else ()
        if list(changes) != self.model.changes:
            self.model.set_changes(changes)
        if comparison is None:
            self.show_result(None)
        else:
            self.show_result(comparison.follow_up, comparison.warnings)
        self.again_button.setEnabled(comparison is not None and not self.busy)
        earlier = earlier_layer(self._viewer, self._patients.current)
        if earlier is not None:
            earlier.events.visible.connect(self._on_earlier_visible)
        elif self._window is not None:
            self._window.show_beside(False)
        self._show_flicker()
        self._show_state()

    def _on_earlier_visible(self, event: Any = None) -> None:
        self._show_flicker()
        self._show_state()

    def _show_state(self) -> None:
        if not isalive(self) or not self.follows_viewer:
            return
        shown, is_old = self.flicker_button.isChecked(), self.runs.is_old
        self.show_message(
            texts.state_text(self._viewer, self.runs, is_old=is_old, earlier_is_shown=shown)
        )
        self.show_outdated(is_old)
        has_contours = contours_are_earlier(self._viewer, self._patients.current)
        self.contours_button.setVisible(self.comparison is not None and not has_contours)

    def _show_flicker(self, event: Any = None) -> None:
        if not isalive(self):
            return
        layer = earlier_layer(self._viewer, self._patients.current)
        self.flicker_button.setEnabled(layer is not None)
        self.flicker_button.setChecked(layer is not None and bool(layer.visible))
        self.beside_button.setEnabled(layer is not None and self._window is not None)
        self.beside_button.setChecked(self._window is not None and self._window.is_beside)

    def _on_row(self, index: Any, before: Any = None) -> None:
        comparison, changes = self.comparison, self.model.changes
        if comparison is None or not 0 <= index.row() < len(changes):
            return
        layers = region_layers(self._patients.layers, comparison.case)
        if layers:
            source = ViewerSegmentation(comparison.case.name, layers, comparison.case)
            change = changes[index.row()]
            lesion = comparison.lesion_of(change)
            move_to(self._viewer, source, lesion)
            self._review(source, lesion)
        self._show_state()

    def _review(self, source: ViewerSegmentation, lesion: Lesion) -> None:
        """Make a lesion the one that the Lesions dock reviews; none if it lists none there."""
        centre = source.world_of(lesion.centroid_voxel)
        review_lesion_at(self._viewer, LesionPosition(centre, lesion.mm3, LesionList.FOUND))

    def _show_contours(self) -> None:
        if self.comparison is not None:
            show_earlier_contours(self._viewer, self.comparison)
            self._show_state()

    def _ask_for_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(
            self, f"Earlier scan of {self._patients.title}", self._folder_of_scans()
        )
        case = case_to_export(self._viewer)
        if not chosen or case is None:
            return
        if confirm_other_patients_scan(self, self._viewer, case, Path(chosen)):
            self.compare_with(Path(chosen))

    def _folder_of_scans(self) -> str:
        """The folder beside whose folders that of the active patient lies."""
        patient = self._patients.current
        folder = patient.folder.parent if patient is not None and patient.folder else None
        return str(folder) if folder is not None and folder.is_dir() else settings.last_folder()
