"""The layers of a prepared scan in a viewer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.case import REFERENCE, Case
from smalltumor.scanner.prepared.prepared_case import PreparedCase

from napari_smalltumor.layers.coordinates import to_display
from napari_smalltumor.layers.masks.brain_mask import brain_mask_of
from napari_smalltumor.layers.metadata import (
    LayerKind,
    LayerRole,
    case_of,
    region_layers,
    role_of,
    same_case,
    set_role,
)
from napari_smalltumor.layers.selection import select
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.removed.removed_layers import removed_layers
from napari_smalltumor.prepared_scan.corrected_images import replace_images, stored_images

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels, Layer

_BRUSH_SIZE = 10
"""In voxels."""


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

    def are_same(self, other: ScanLayers) -> bool:
        """Whether others are the same layers, of images in the same order."""
        images, others = list(self.images.values()), list(other.images.values())
        return self.brain is other.brain and images == others


def scan_layers(viewer: ViewerModel) -> ScanLayers | None:
    """The layers of the active patient, if they are a case with a file of T1CE."""
    layers = active_patient(viewer).layers
    roles = {layer: role for layer in layers if (role := _image_role(layer)) is not None}
    case = next((r.case for r in roles.values() if r.modality == REFERENCE), None)
    if case is None or REFERENCE not in case.paths:
        return None
    # Of an image that was removed and opened again, the case is another object.
    images = {r.modality: layer for layer, r in roles.items() if same_case(r.case, case)}
    return ScanLayers(case, images, brain_mask_of(layers))  # type: ignore[arg-type]


def take_brush(viewer: ViewerModel, layer: Labels) -> None:
    """Show the outline of a brain mask, select it, and take napari's brush, in one slice."""
    layer.visible = True
    layer.contour = 1
    select(viewer, [layer])
    layer.selected_label = 1
    layer.brush_size = _BRUSH_SIZE
    layer.n_edit_dimensions = 2
    layer.mode = "paint"


def is_segmented(viewer: ViewerModel, case: Case) -> bool:
    """Whether a case has regions, also such that were removed and can be restored."""
    return bool(region_layers((*viewer.layers, *removed_layers(viewer).layers), case))


def show_images(viewer: ViewerModel, case: Case, prepared: PreparedCase) -> None:
    """Show the images of a correction, segment these from now on, and mark the regions as older.

    This includes layers that were removed and can be restored, and other objects of the case, as
    which its files were opened again.

    Parameters
    ----------
    viewer : ViewerModel
    case : Case
    prepared : PreparedCase
        The case after the correction.
    """
    corrected = stored_images(prepared)
    replace_images(case, corrected)
    for layer in (*viewer.layers, *removed_layers(viewer).layers):
        own = case_of(layer)
        if own is None or not same_case(own, case):
            continue
        replace_images(own, corrected)
        role = _image_role(layer)
        if role is not None and role.modality in corrected:
            layer.data = to_display(corrected[role.modality], case.grid)
        _mark_outdated(layer)


def _mark_outdated(layer: Layer) -> None:
    role = role_of(layer)
    if role is not None and role.region is not None:
        set_role(layer, replace(role, images_changed=True))


def _image_role(layer: Layer) -> LayerRole | None:
    """The role of an image of a modality; None for other layers."""
    role = role_of(layer)
    if role is None or role.kind is not LayerKind.IMAGE or role.modality is None:
        return None
    return role
