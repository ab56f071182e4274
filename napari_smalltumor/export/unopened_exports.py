"""Masks that were exported elsewhere than beside the images, and are not opened with these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import ref

from psygnal import Signal
from smalltumor.data.case import Case
from smalltumor.data.identity.image_digests import (
    digests_of_images,
    images_of_mask,
    share_an_image,
)
from smalltumor.data.masks.exported_masks import exported_masks_of
from smalltumor.data.naming.export_names import RegionFile, named_region
from smalltumor.data.volumes.nifti import is_nifti_name
from smalltumor.errors import SmalltumorError

from napari_smalltumor import notify
from napari_smalltumor.autosave.exports import LastExport, last_export
from napari_smalltumor.autosave.masks import layer_key
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.export.region_files import layers_of_masks, read_regions
from napari_smalltumor.layers.metadata import cases_among, checksum, region_layers, region_of
from napari_smalltumor.layers.patient import Patient, layers_of_patient, patient_of_shown_case
from napari_smalltumor.patients.active_patient import ActivePatient, active_patient
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


@dataclass(frozen=True, eq=False)
class UnopenedExport:
    """Masks of an open case that were exported to files that were not opened with it.

    Parameters
    ----------
    case : Case
    export : LastExport
    """

    case: Case
    export: LastExport

    @property
    def when(self) -> str:
        """When they were exported, for the user."""
        return f"{datetime.fromtimestamp(self.export.time):%Y-%m-%d %H:%M}"

    @property
    def where(self) -> str:
        """The files, for the user."""
        return ", ".join(map(str, self.export.files))

    @property
    def can_be_opened(self) -> bool:
        """Whether this program can open the files; it cannot open a DICOM SEG."""
        return all(map(is_nifti_name, self.export.files))


class UnopenedExports:
    """Tells, when a patient is opened, of masks that were exported last to another place.

    Parameters
    ----------
    viewer : ViewerModel
    """

    changed = Signal()
    """Another patient was opened whose exported masks are elsewhere, or they were opened."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = ref(viewer)
        self._found: dict[Patient, UnopenedExport] = {}
        ensure_autosave(viewer).opened.connect(self._on_opened)

    def to_open(self, patient: Patient | None) -> UnopenedExport | None:
        """The masks that can be opened as the regions of a patient, who has none.

        They are of the images that were open when they were found: a patient who is opened again
        may have others.
        """
        viewer = self._viewer()
        found = self._found.get(patient) if patient is not None else None
        if viewer is None or found is None or not found.can_be_opened:
            return None
        layers = layers_of_patient(viewer.layers, patient)
        if not any(case is found.case for case in cases_among(layers)):
            return None
        return None if any(region_of(layer) is not None for layer in layers) else found

    def open(self, patient: Patient) -> None:
        """Show the masks as the regions of the patient."""
        found, viewer = self.to_open(patient), self._viewer()
        if found is None or viewer is None:
            return
        try:
            layers = _layers_of(found)
        except SmalltumorError as error:
            notify.report_error(error)
            return
        for layer in layers:
            viewer.add_layer(layer)
        self.changed.emit()

    def _on_opened(self, case: Case) -> None:
        viewer = self._viewer()
        if viewer is None:
            return
        patient = patient_of_shown_case(viewer.layers, case)
        self._found.pop(patient, None)
        ensure_autosave(viewer).autosave.wait()  # an export may be being recorded
        export = last_export(case)
        if export is not None and _is_elsewhere(export, case, viewer.layers):
            found = self._found[patient] = UnopenedExport(case, export)
            self._tell(patient, found, active_patient(viewer))
        self.changed.emit()

    def _tell(self, patient: Patient, found: UnopenedExport, patients: ActivePatient) -> None:
        title, was_active = patients.title_of(patient), patient == patients.current
        text = (
            f"The regions of {title} were exported on {found.when} to {found.where}, which is not "
            "opened with the images."
        )
        holds = None
        if self.to_open(patient) is not None:
            first = "Click" if was_active else f"Choose {title} and click"
            text += f" {first} {button_text(found)} at the top of a Small Tumour dock."

            def holds(active: Patient | None) -> bool:
                is_offered = self.to_open(patient) is not None
                return is_offered and (active == patient or not was_active)

        notify.info(patients.messages.about(patient, text, holds))


def _is_elsewhere(export: LastExport, case: Case, layers: Sequence[Layer]) -> bool:
    """Whether masks are in files that are there, of these images, and not shown."""
    if not all(map(Path.exists, export.files)):
        return False
    images = digests_of_images(case)
    masks = [path for path in export.files if is_nifti_name(path)]
    if not all(share_an_image(images_of_mask(path), images) for path in masks):
        return False
    try:
        beside = {file.path.resolve() for file in exported_masks_of(case)}
    except SmalltumorError:  # said when the case was opened
        return False
    shown = {layer_key(x): checksum(x.data) for x in region_layers(layers, case).values()}
    return beside.isdisjoint(export.files) and not export.checksums.items() <= shown.items()


def button_text(found: UnopenedExport) -> str:
    """What the button is called that opens exported masks."""
    return f"Open the export of {found.when}"


def _layers_of(found: UnopenedExport) -> list[Layer]:
    from napari.layers import Layer

    data = []
    for path in found.export.files:
        region = named_region(path) if len(found.export.files) > 1 else None
        masks, volume = read_regions(
            RegionFile(path, found.case.name, region), found.case, is_chosen=True
        )
        data += layers_of_masks(found.case, masks, [volume])
    return [Layer.create(*each) for each in data]


@one_per_viewer
def unopened_exports(viewer: ViewerModel) -> UnopenedExports:
    """The unopened exports of a viewer; all calls for a viewer return the same object."""
    return UnopenedExports(viewer)
