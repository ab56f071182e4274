"""Whether the masks of the active patient are in a file as they are now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

from psygnal import Signal, SignalInstance
from qtpy.QtWidgets import QApplication
from smalltumor.data.case import Case
from smalltumor.labels.regions import Region

from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.export.case_export import case_to_export
from napari_smalltumor.layers.metadata import checksum, region_layers, role_of
from napari_smalltumor.layers.patient import Patient, patient_of_shown_case
from napari_smalltumor.layers.region_edits import RegionEdits
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels


@dataclass(frozen=True)
class WrittenMasks:
    """The masks of a patient as they were written.

    Parameters
    ----------
    files : tuple of Path
    stamps : tuple of tuple of int
        What changes when another program writes the files.
    checksums : mapping of Region to int
        Of the layers.
    """

    files: tuple[Path, ...]
    stamps: tuple[tuple[int, int] | None, ...]
    checksums: Mapping[Region, int]

    @classmethod
    def of(cls, files: Sequence[Path], layers: Mapping[Region, Labels]) -> WrittenMasks:
        """Masks that were just written."""
        return cls(tuple(files), tuple(map(_stamp, files)), _checksums(layers))

    @property
    def are_unchanged(self) -> bool:
        """Whether the files are as they were written."""
        return self.stamps == tuple(map(_stamp, self.files))


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
        self._read: WeakKeyDictionary[Labels, int] = WeakKeyDictionary()
        self._known: dict[Region, int] | None = None
        self._is_review: Callable[[], bool] = lambda: False
        self._save_review: Callable[[], None] = lambda: None
        application = QApplication.instance()  # without one, nobody paints
        self._edits = RegionEdits(self.refresh, application) if application else None
        for signal in (
            self._patients.changed,
            self._patients.patients_changed,
            self._patients.reassigned,
        ):
            signal.connect(self._follow)
        self._follow()

    @property
    def is_review(self) -> bool:
        """Whether the active patient is being reviewed, so that its masks belong to the review."""
        return self._is_review()

    def save_review(self) -> None:
        """Save the masks of the active patient as reviewed."""
        self._save_review()

    def follow_reviews(
        self, is_review: Callable[[], bool], save: Callable[[], None], changed: SignalInstance
    ) -> None:
        """Have the masks of a case that is being reviewed saved with the review.

        Parameters
        ----------
        is_review : callable
            Tells whether the active patient is being reviewed.
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
        """Whether the masks of the active patient are in a file as they are now."""
        layers, written = self._masks, self.written
        if self._known is None:  # once for all docks
            self._known = _checksums(layers)
        if written is not None and written.checksums == self._known:
            return written.are_unchanged
        self._keep_read(layers.values())  # autosave may have come to know them since
        return bool(layers) and all(
            self._read.get(layer) == self._known[region] for region, layer in layers.items()
        )

    @property
    def written(self) -> WrittenMasks | None:
        """The masks of the active patient that this window has written last."""
        current = self._patients.current
        return self._written.get(current) if current is not None else None

    def keep(self, case: Case, files: Sequence[Path]) -> None:
        """Remember that the masks of a case were written to files."""
        viewer = self._viewer()
        assert viewer is not None
        patient = patient_of_shown_case(viewer.layers, case)
        self._written[patient] = WrittenMasks.of(files, region_layers(viewer.layers, case))
        self.refresh()

    def refresh(self) -> None:
        """Look at the masks again; the signal of an edit comes a moment later than the edit."""
        self._known = None
        self.changed.emit()

    @property
    def _masks(self) -> dict[Region, Labels]:
        viewer = self._viewer()
        case = case_to_export(viewer) if viewer is not None else None
        return region_layers(self._patients.layers, case) if case is not None else {}

    def _keep_read(self, layers: Collection[Labels]) -> None:
        """Remember masks as they were read, which an export elsewhere does not change."""
        viewer = self._viewer()
        roles = {layer: role_of(layer) for layer in layers if layer not in self._read}
        of_files = [x for x, role in roles.items() if role is not None and role.checksum is None]
        if viewer is None or not of_files:
            return
        edited = ensure_autosave(viewer).autosave.edited(of_files)
        self._read.update({x: checksum(x.data) for x in of_files if x.name not in edited})

    def _follow(self) -> None:
        masks = self._masks.values()
        self._keep_read(masks)
        if self._edits is not None:
            self._edits.follow(masks)
        open_now = self._patients.patients
        self._written = {p: masks for p, masks in self._written.items() if p in open_now}
        self.refresh()


def _checksums(layers: Mapping[Region, Labels]) -> dict[Region, int]:
    return {region: checksum(layer.data) for region, layer in layers.items()}


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


@one_per_viewer
def save_state(viewer: ViewerModel) -> SaveState:
    """The save state of a viewer; all calls for a viewer return the same object."""
    return SaveState(viewer)
