"""The result in the viewer: one labels layer each for ET, TC and WT, and back to a segmentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from smalltumor.case import Case
from smalltumor.labels import REGION_COLOURS, Region, compose_classes
from smalltumor.segmentation import Segmentation

from napari_smalltumor.display import display_transform, from_display, to_display
from napari_smalltumor.metadata import KEY, case_of, region_layers, remembered
from napari_smalltumor.nesting import keep_nested

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels, Layer

    from napari_smalltumor.layers import LayerData

OUTERMOST_FIRST = (Region.WT, Region.TC, Region.ET)
"""From bottom to top, so that each region is seen inside the next."""

_FILL_OPACITY = {Region.WT: 0.35, Region.TC: 0.45, Region.ET: 0.65}
_OUTLINE_WIDTH = 1

STYLES = ("filled", "outlines")


def region_layer(
    case: Case,
    region: Region,
    mask: npt.NDArray[np.bool_],
    *,
    result: Segmentation | None = None,
    placement: Mapping[str, Any] | None = None,
) -> LayerData:
    """A labels layer of a region's mask: 1 inside, 0 outside.

    Parameters
    ----------
    case : Case
    region : Region
    mask : (i, j, k) bool array
        On the case's grid.
    result : Segmentation, optional
        What the mask was made from, kept so that edits can be told.
    placement : mapping, optional
        Layer arguments that differ from `display_transform`, such as another reader's units.
    """
    memory: dict[str, Any] = {"case": case, "region": region}
    if result is not None:
        memory["result"] = result
    colour = (*REGION_COLOURS[region], 1.0)
    attributes = {
        "name": f"{case.name} {region.name}",
        "colormap": {None: colour, 0: "transparent", 1: colour},
        "opacity": _FILL_OPACITY[region],
        "blending": "translucent_no_depth",
        "iso_gradient_mode": "smooth",
        "metadata": {KEY: memory},
        **display_transform(case.grid),
        **(placement or {}),
    }
    return _display_mask(mask, case), attributes, "labels"


def apply_style(layer: Labels, region: Region, style: str) -> None:
    """Draw a region's layer filled, or as an outline that leaves the image free."""
    outlined = style == "outlines"
    layer.contour = _OUTLINE_WIDTH if outlined else 0
    layer.opacity = 1.0 if outlined else _FILL_OPACITY[region]


def show_segmentation(
    viewer: ViewerModel,
    case: Case,
    segmentation: Segmentation,
    *,
    style: str = "filled",
    placement: Mapping[str, Any] | None = None,
) -> dict[Region, Labels]:
    """Put a segmentation into the viewer: update the case's region layers, or add them."""
    there = region_layers(viewer.layers, case)
    with keep_nested(viewer).replacing():
        for region, layer in there.items():
            _update(layer, segmentation.mask(region), case, segmentation)
    for region in OUTERMOST_FIRST:
        if region not in there:
            mask = segmentation.mask(region)
            data, attributes, _ = region_layer(
                case, region, mask, result=segmentation, placement=placement
            )
            there[region] = viewer.add_labels(data, **attributes)
            apply_style(there[region], region, style)
    return there


def _update(
    layer: Labels, mask: npt.NDArray[np.bool_], case: Case, segmentation: Segmentation
) -> None:
    memory = {**remembered(layer.metadata), "case": case, "result": segmentation}
    layer.metadata = {**layer.metadata, KEY: memory}
    layer.data = _display_mask(mask, case)  # a new array, so that old strokes cannot be undone
    layer.visible = True


def segmentation_of(layers: Iterable[Layer], case: Case) -> Segmentation | None:
    """The case's region layers as they are now, edits and all, as one segmentation.

    The inner region wins, see `smalltumor.labels.compose_classes`; a region without a layer is
    empty.

    Returns
    -------
    Segmentation or None
        None if the case has no region layers.
    """
    there = region_layers(layers, case)
    if not there:
        return None
    result = _result_of(there)
    sources = tuple(case.sources)
    classes = classes_of(there, case)
    if result is not None:
        return replace(result, classes=classes, sources=sources)
    return Segmentation(case.name, classes, case.grid, case.header, sources)


def classes_of(layers: Mapping[Region, Labels], case: Case) -> npt.NDArray[np.uint8]:
    """Tissue classes (i, j, k) on the case's grid of region layers, composed."""
    shape = to_display(np.empty(case.grid.shape, dtype=bool), case.grid).shape
    masks = {
        region: np.asarray(layers[region].data) != 0
        if region in layers
        else np.zeros(shape, dtype=bool)
        for region in Region
    }
    classes = compose_classes(masks[Region.ET], masks[Region.TC], masks[Region.WT])
    return np.ascontiguousarray(from_display(classes, case.grid))


def is_edited(layers: Iterable[Layer], case: Case) -> bool:
    """Whether the case's region layers differ from the result that filled them."""
    there = region_layers(layers, case)
    result = _result_of(there)
    if result is None:
        return any(np.any(layer.data) for layer in there.values())
    return any(
        not np.array_equal(layer.data, _display_mask(result.mask(region), case))
        for region, layer in there.items()
    )


def placement_of(layer: Layer, case: Case) -> dict[str, Any]:
    """How results must lie to lie on a layer that another reader made."""
    if case_of(layer) is not None:
        return {}
    return {"units": layer.units, "axis_labels": layer.axis_labels}


def _result_of(layers: Mapping[Region, Labels]) -> Segmentation | None:
    results = [remembered(layer.metadata).get("result") for layer in layers.values()]
    return next((r for r in results if r is not None), None)


def _display_mask(mask: npt.NDArray[np.bool_], case: Case) -> npt.NDArray[np.uint8]:
    return np.array(to_display(mask, case.grid), dtype=np.uint8, order="C")
