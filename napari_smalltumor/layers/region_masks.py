"""Masks of region layers as segmentations, and whether they were edited."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import Case
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.masks import compose_classes
from smalltumor.labels.regions import Region

from napari_smalltumor.layers.coordinates import (
    from_display,
    to_display,
)
from napari_smalltumor.layers.metadata import region_layers, remembered

if TYPE_CHECKING:
    from napari.layers import Labels, Layer


def display_mask(mask: npt.NDArray[np.bool_], case: Case) -> npt.NDArray[np.uint8]:
    """A mask (i, j, k) as a layer holds it: a copy, 0 and 1, along (I, P, L)."""
    return np.array(to_display(mask, case.grid), dtype=np.uint8, order="C")


def segmentation_of(layers: Iterable[Layer], case: Case) -> Segmentation | None:
    """The case's region layers as they are now, edits and all, as one segmentation.

    The inner region wins, see `smalltumor.labels.masks.compose_classes`; a region without a
    layer is empty.

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
    return from_display(classes, case.grid).copy(order="K")


def is_edited(layers: Iterable[Layer], case: Case) -> bool:
    """Whether the case's region layers differ from the result that filled them.

    Masks that no result filled, such as files that were opened, count as edited unless empty.
    """
    for layer in region_layers(layers, case).values():
        shown = remembered(layer.metadata).get("shown")
        if np.any(layer.data) if shown is None else _sum(layer.data) != shown:
            return True
    return False


def fingerprint(layers: Iterable[Layer], case: Case) -> int:
    """A number that changes when one of the case's region layers is edited, added or removed."""
    there = region_layers(layers, case)
    return hash(tuple((r.value, _sum(there[r].data)) for r in sorted(there)))


def _sum(mask: npt.NDArray[np.generic]) -> int:
    # Three milliseconds for a head; comparing with a copy would also keep 9 MB for each region.
    return zlib.crc32(np.ascontiguousarray(mask))


def _result_of(layers: Mapping[Region, Labels]) -> Segmentation | None:
    results = [remembered(layer.metadata).get("result") for layer in layers.values()]
    return next((r for r in results if r is not None), None)
