"""Whether the masks of the active patient are in a file as they are now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

from psygnal import Signal, SignalInstance
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication
from smalltumor.data.case import Case
from smalltumor.data.masks.exported_masks import masks_named_as_exported
from smalltumor.labels.regions import Region

from napari_smalltumor.autosave.masks import masks_among
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.export.case_export import case_with_regions, file_to_save
from napari_smalltumor.export.dialogs.labels_dialog import labels_case
from napari_smalltumor.export.edited_labels import edited_labels
from napari_smalltumor.export.written_masks import (
    ReadMask,
    StampedFiles,
    WrittenMasks,
    checksums_of,
)
from napari_smalltumor.layers.editing.region_edits import RegionEdits
from napari_smalltumor.layers.metadata import (
    case_of,
    cases_among,
    checksum,
    region_layers,
    role_of,
)
from napari_smalltumor.layers.patient import Patient, layers_of_patient, patient_of_shown_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.opened_layers import OpenedLayers
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels, Layer

SAVE, SAVE_AS_REVIEWED = "Save", "Save as reviewed"


class SaveState:
    """Follows the masks of the active patient, and what was written of them.

    Parameters
    ----------
    viewer : ViewerModel
    """

    changed = Signal()
    """The masks of the active patient were edited, replaced or written, or another is active."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = ref(viewer)
        self._patients = active_patient(viewer)
        self._written: dict[Patient, WrittenMasks] = {}
        self._seen: dict[Patient, StampedFiles] = {}
        self._opened: dict[Patient, OpenedLayers] = {}
        self._read: WeakKeyDictionary[Labels, ReadMask] = WeakKeyDictionary()
        self._known: dict[Region, int] | None = None
        self._known_labels: list[Layer] | None = None
        self._is_review: Callable[[Patient], bool] = lambda patient: False
        self._save_review: Callable[[], None] = lambda: None
        application = QApplication.instance()  # without one, nobody paints
        self._edits = RegionEdits(self.refresh, application) if application else None
        for signal in (
            self._patients.changed,
            self._patients.patients_changed,
            self._patients.reassigned,
        ):
            signal.connect(self._follow)
        ensure_autosave(viewer).autosave.exported.connect(self.refresh)
        if application is not None:
            application.applicationStateChanged.connect(self._on_application)
            application.focusWindowChanged.connect(self._on_window)
        self._follow()

    @property
    def is_review(self) -> bool:
        """Whether the active patient is being reviewed, so that its masks belong to the review."""
        current = self._patients.current
        return current is not None and self._is_review(current)

    def action_for(self, patient: Patient) -> str:
        """What saving the masks of a patient is called."""
        return SAVE_AS_REVIEWED if self._is_review(patient) else SAVE

    def save_review(self) -> None:
        """Save the masks of the active patient as reviewed."""
        self._save_review()

    def follow_reviews(
        self,
        is_review: Callable[[Patient], bool],
        save: Callable[[], None],
        changed: SignalInstance,
    ) -> None:
        """Have the masks of a case that is being reviewed saved with the review.

        Parameters
        ----------
        is_review : callable
            Tells whether a patient is being reviewed.
        save : callable
        changed : SignalInstance
            Emitted when the case that is being reviewed is another one.
        """
        self._is_review, self._save_review = is_review, save
        changed.connect(self.refresh, unique=True)

    @property
    def has_masks(self) -> bool:
        """Whether the active patient has masks that can be saved."""
        return bool(self._masks)

    @property
    def is_saved(self) -> bool:
        """Whether the masks of the active patient are in a file as they are now.

        A file that was changed or deleted since does not count.
        """
        current, masks = self._patients.current, self._masks
        if current is None:
            return False
        if self._known is None:  # once for all docks
            self._known = checksums_of(masks)
        return self._are_in_file(current, masks, self._known)

    @property
    def edited_labels(self) -> list[Layer]:
        """The labels of the active patient, such as an expert's, whose edits are not saved."""
        current, viewer = self._patients.current, self._viewer()
        if current is None or viewer is None:
            return []
        if self._known_labels is None:
            self._known_labels = edited_labels(viewer, current)
        return self._known_labels

    def are_saved(self, patient: Patient, layers: Sequence[Layer]) -> bool:
        """As `is_saved`, of the masks among the layers of any patient, who may be closed.

        A result of a network counts that equals masks which were in a file before.
        """
        masks = _masks_among(layers)
        return self._are_in_file(patient, masks, checksums_of(masks))

    @property
    def written(self) -> WrittenMasks | None:
        """The masks of the active patient that this window has written last."""
        current = self._patients.current
        return self._written.get(current) if current is not None else None

    @property
    def is_segmented_anew(self) -> bool:
        """Whether the active patient was segmented again since corrected masks were written."""
        written = self.written
        return written is not None and written.are_segmented_anew(self._masks)

    def is_changed_elsewhere(self, path: Path) -> bool:
        """Whether a file was written or deleted since this window opened or saved its masks.

        Parameters
        ----------
        path : Path
            Where the masks of the active patient are saved.
        """
        current = self._patients.current
        seen = self._seen.get(current) if current is not None else None
        return seen is not None and path in seen.paths and not seen.are_unchanged

    def is_replaced(self, patient: Patient) -> bool:
        """Whether the file beside the images that this window has written was changed since."""
        written, seen = self._written.get(patient), self._seen.get(patient)
        if written is None or seen is None or set(seen.paths).isdisjoint(written.files):
            return False
        return not written.are_unchanged

    def keep(self, case: Case, files: Sequence[Path]) -> None:
        """Remember that the masks of a case were written to files."""
        viewer = self._viewer()
        assert viewer is not None
        patient = patient_of_shown_case(viewer.layers, case)
        self._written[patient] = WrittenMasks.of(files, region_layers(viewer.layers, case))
        if file_to_save(viewer, case) in files:
            self._seen[patient] = _files_to_save(viewer, [case])
        self._opened[patient] = OpenedLayers(layers_of_patient(viewer.layers, patient))
        self.refresh()

    def refresh(self) -> None:
        """Look at the masks again; the signal of an edit comes a moment later than the edit."""
        self._known = self._known_labels = None
        self.changed.emit()

    @property
    def _masks(self) -> dict[Region, Labels]:
        return _masks_among(self._patients.layers)

    def _are_in_file(
        self, patient: Patient, masks: Mapping[Region, Labels], checksums: Mapping[Region, int]
    ) -> bool:
        written = self._written.get(patient)
        if written is not None and written.checksums == checksums:
            return written.are_unchanged
        self._keep_read(masks.values())  # autosave may have come to know them since
        return bool(masks) and all(
            self._is_as_read(patient, mask, checksums[region]) for region, mask in masks.items()
        )

    def _keep_read(self, layers: Collection[Labels]) -> None:
        """Remember masks as they were read, which an export elsewhere does not change."""
        viewer = self._viewer()
        roles = {layer: role_of(layer) for layer in layers if layer not in self._read}
        of_files = [x for x, role in roles.items() if role is not None and role.checksum is None]
        if viewer is None or not of_files:
            return
        edited = ensure_autosave(viewer).autosave.edited(of_files)
        for layer in of_files:
            case = case_of(layer)
            if layer.name not in edited and case is not None:
                beside = StampedFiles.now(file.path for file in masks_named_as_exported(case))
                self._read[layer] = ReadMask(checksum(layer.data), beside)

    def _is_as_read(self, patient: Patient, layer: Labels, current: int) -> bool:
        """Whether a mask and the files that it was read from are unchanged."""
        read = self._read.get(layer)
        if read is None or read.checksum != current:
            return False
        is_elsewhere = self._is_review(patient)  # as the mask of a review is
        return is_elsewhere or read.beside.are_unchanged

    def _follow(self) -> None:
        masks = self._masks.values()
        self._keep_read(masks)
        if self._edits is not None:
            labels = [x for x in masks_among(self._patients.layers) if labels_case(x) is not None]
            self._edits.follow([*masks, *labels])
        self._forget_reopened()
        self._look_at_files()
        self.refresh()

    def _look_at_files(self) -> None:
        """Remember how the files are to which the masks of new patients would be saved."""
        viewer = self._viewer()
        if viewer is None:
            return
        for patient in self._patients.patients:
            if patient not in self._seen:
                layers = layers_of_patient(viewer.layers, patient)
                self._seen[patient] = _files_to_save(viewer, cases_among(layers))
                self._opened[patient] = OpenedLayers(layers)

    def _forget_reopened(self) -> None:
        """Forget what was written and seen of patients who were opened from their files since.

        A patient that was closed by hand may be opened again with the same layers.
        """
        viewer = self._viewer()
        if viewer is None:
            return
        for patient, opened in list(self._opened.items()):
            layers = layers_of_patient(viewer.layers, patient)
            if layers and not opened.continue_with(layers):
                del self._opened[patient], self._seen[patient]
                self._written.pop(patient, None)

    def _on_application(self, state: Qt.ApplicationState) -> None:
        """Look at the files again when the user comes back from another program."""
        if state == Qt.ApplicationState.ApplicationActive:
            self.refresh()

    def _on_window(self, window: object) -> None:
        """Look at the files again when the user comes back from another window of this program."""
        if window is not None:
            self.refresh()


def _masks_among(layers: Sequence[Layer]) -> dict[Region, Labels]:
    """The masks that would be saved of the layers of one patient."""
    case = case_with_regions(layers)
    return region_layers(layers, case) if case is not None else {}


def _files_to_save(viewer: ViewerModel, cases: Iterable[Case]) -> StampedFiles:
    return StampedFiles.now(path for case in cases if (path := file_to_save(viewer, case)))


@one_per_viewer
def save_state(viewer: ViewerModel) -> SaveState:
    """The save state of a viewer; all calls for a viewer return the same object."""
    return SaveState(viewer)
