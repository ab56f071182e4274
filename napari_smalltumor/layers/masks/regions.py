"""Region layers: one labels layer each for ET, TC and WT."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import REFERENCE, Case
from smalltumor.data.made_by import MadeBy
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import REGION_COLOURS, Region

from napari_smalltumor.layers.coordinates import (
    display_transform,
    flipped_placement,
    uses_display_axes,
)
from napari_smalltumor.layers.drawing_errors import DrawingErrors
from napari_smalltumor.layers.editing.nesting import ensure_nesting
from napari_smalltumor.layers.masks.incomplete_results import IncompleteResult
from napari_smalltumor.layers.masks.region_masks import display_mask
from napari_smalltumor.layers.metadata import (
    LayerKind,
    LayerRole,
    case_of,
    checksum,
    fill_layer,
    region_layers,
    role_of,
)
from napari_smalltumor.layers.patient import Patient, patient_of
from napari_smalltumor.layers.selection import name_is_edited, selection_untouched
from napari_smalltumor.layers.warm_up import garbage_collection_paused

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels, Layer

    from napari_smalltumor.layers.create import LayerData

OUTERMOST_FIRST = tuple(reversed(Region))
"""Layer order from bottom to top: each region is drawn above the region that contains it."""

_FILL_OPACITY = {Region.WT: 0.35, Region.TC: 0.45, Region.ET: 0.65}
OUTLINE_WIDTH = 1

STYLES = ("filled", "outlines")


def region_layer(
    case: Case,
    region: Region,
    mask: npt.NDArray[np.bool_],
    other_images: str = "",
    made_by: MadeBy | None = None,
    read_from: str = "",
    *,
    images_changed: bool = False,
) -> LayerData:
    """A labels layer of a region's mask: 1 inside, 0 outside.

    Parameters
    ----------
    case : Case
    region : Region
    mask : (i, j, k) bool array
        On the case's grid.
    other_images, made_by, read_from, images_changed
        As of `LayerRole`.
    """
    data = display_mask(mask, case)
    role = LayerRole(
        LayerKind.REGION,
        case,
        region=region,
        made_by=made_by,
        made_checksum=checksum(data),
        read_from=read_from,
        other_images=other_images,
        images_changed=images_changed,
    )
    return data, _attributes(case, region, role), "labels"


def _attributes(
    case: Case, region: Region, role: LayerRole, placement: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    colour = (*REGION_COLOURS[region], 1.0)
    return {
        "name": f"{case.name} {region.name}",
        "colormap": {None: colour, 0: "transparent", 1: colour},
        "opacity": _FILL_OPACITY[region],
        "blending": "translucent_no_depth",
        "iso_gradient_mode": "smooth",
        "metadata": role.metadata(),
        **display_transform(case.grid),
        **(placement or {}),
    }


def apply_style(layer: Labels, region: Region, style: str) -> None:
    """Draw a region's layer filled or as an outline."""
    outlined = style == "outlines"
    layer.contour = OUTLINE_WIDTH if outlined else 0
    layer.opacity = 1.0 if outlined else _FILL_OPACITY[region]


def segmentation_steps(
    viewer: ViewerModel,
    case: Case,
    segmentation: Segmentation,
    masks: Mapping[Region, npt.NDArray[np.uint8]],
    *,
    style: str = "filled",
    placement: Mapping[str, Any] | None = None,
) -> Iterator[Labels]:
    """Show a segmentation in short steps: update the case's region layers, then add others.

    All are updated in the first step. What is saved or painted between steps would else be of two
    results, or lost. Between steps all regions are nested, and so is what is painted meanwhile.
    Until the last one is added, the result is incomplete, and no file is written of it.

    Parameters
    ----------
    viewer : ViewerModel
    case : Case
    segmentation : Segmentation
        Of the case; the layers keep it as their result.
    masks : mapping of Region to (I, P, L) uint8 array
        Masks from `display_mask`; they become the layers' data.
    style : {"filled", "outlines"}
        Of layers that are added.
    placement : mapping, optional
        Layer arguments that replace those of `display_transform`, for example the units of
        another reader's layers.
    """
    from napari.layers import Labels

    existing = region_layers(viewer.layers, case)
    missing = [region for region in Region if region not in existing]
    nesting = ensure_nesting(viewer)
    with IncompleteResult(existing.values() if missing else ()) as result:
        if existing:
            with nesting.replacing(case):
                _fill(existing, masks, segmentation, case)
            yield next(iter(existing.values()))
        for region in missing:  # ET first, because users read and edit it first
            role = replace(_role(case, region, segmentation), checksum=checksum(masks[region]))
            attributes = _attributes(case, region, role, placement)
            existing[region] = Labels(masks[region], **attributes)
            apply_style(existing[region], region, style)
            yield existing[region]
            if region == missing[-1]:
                result.complete()  # before the event of the insertion, which docks follow
            else:
                result.add(existing[region])
            index = region_index(viewer.layers, existing, region)
            try:
                with garbage_collection_paused(), selection_untouched(viewer):
                    viewer.layers.insert(index, existing[region])
            finally:
                nesting.unite(case)
            yield existing[region]
    is_there = existing[Region.ET] in viewer.layers  # the user may have removed it meanwhile
    if is_there and not name_is_edited():
        viewer.layers.selection.active = existing[Region.ET]


def _fill(
    layers: Mapping[Region, Labels],
    masks: Mapping[Region, npt.NDArray[np.uint8]],
    segmentation: Segmentation,
    case: Case,
) -> None:
    """Fill all layers, also if one cannot be drawn; then raise the first error."""
    with DrawingErrors() as errors:
        for region, layer in layers.items():
            with errors.kept():
                fill_layer(layer, masks[region], _role(case, region, segmentation))


def region_index(layers: Iterable[Layer], existing: Mapping[Region, Labels], region: Region) -> int:
    """Index of a region's layer in the layer list: below the regions inside it, else on top."""
    layers = list(layers)
    position = OUTERMOST_FIRST.index(region)
    inside, outside = OUTERMOST_FIRST[position + 1 :], OUTERMOST_FIRST[:position]
    indices = {r: layers.index(x) for r, x in existing.items() if x in layers}
    below = [indices[r] for r in inside if r in indices]
    above = [indices[r] + 1 for r in outside if r in indices]
    return min(below) if below else max(above, default=len(layers))


def _role(case: Case, region: Region, segmentation: Segmentation) -> LayerRole:
    return LayerRole(LayerKind.REGION, case, region=region, result=segmentation)


def hide_stored_labels(layers: Iterable[Layer], patient: Patient) -> None:
    """Hide the patient's other label layers, which the result would cover."""
    for layer in layers:
        role = role_of(layer)
        if role is not None and role.scheme is not None and patient_of(layer) == patient:
            layer.visible = False


def placement_of(case: Case, chosen: Mapping[str, Layer | None]) -> dict[str, Any]:
    """Layer arguments that align results with the layers from which a case was created.

    Parameters
    ----------
    case : Case
        A case from `modalities.case_of_layers`.
    chosen : mapping of modality to layer
    """
    layers = [layer for layer in chosen.values() if layer is not None]
    reference = chosen[REFERENCE]
    if reference is None or case_of(reference) is not None:
        return {}
    flipped = {} if uses_display_axes(layers) else flipped_placement(case.grid)
    return {"units": reference.units, "axis_labels": reference.axis_labels, **flipped}
