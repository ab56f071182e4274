"""The layers of a prepared scan in a viewer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.case import REFERENCE, Case
from smalltumor.scanner.preparation.prepare import PreparedCase

from napari_smalltumor.layers.brain_mask import brain_mask_of
from napari_smalltumor.layers.coordinates import to_display
from napari_smalltumor.layers.metadata import LayerKind, role_of
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels


@dataclass(frozen=True, eq=False)
class ScanLayers:
    """The case of a patient and its layers.

    Parameters
    ----------
    case : Case
    images : mapping of str to Image layer
        By modality.
    brain : Labels layer, optional
    """

    case: Case
    images: Mapping[str, Image]
    brain: Labels | None

    @property
    def folder(self) -> Path:
        """The folder of the prepared case."""
        return self.case.paths[REFERENCE].parent

    def show_images(self, prepared: PreparedCase) -> None:
        """Show the images of a correction, and segment these from now on."""
        self.case.volumes = {m: s.image for m, s in prepared.sequences.items()}
        for modality, layer in self.images.items():
            layer.data = to_display(self.case.volumes[modality], self.case.grid)


def scan_layers(viewer: ViewerModel) -> ScanLayers | None:
    """The layers of the active patient, if they are a case with a file of T1CE."""
    layers = active_patient(viewer).layers
    case: Case | None = None
    images: dict[str, Image] = {}
    for layer in layers:
        role = role_of(layer)
        if role is None or role.kind is not LayerKind.IMAGE or role.modality is None:
            continue
        case = case or role.case
        if role.case is case:
            images[role.modality] = layer  # type: ignore[assignment]
    if case is None or REFERENCE not in images or REFERENCE not in case.paths:
        return None
    return ScanLayers(case, images, brain_mask_of(layers))
