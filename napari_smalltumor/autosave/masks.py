"""The labels layers whose edits are autosaved, and the case that each belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from smalltumor.data.case import Case
from smalltumor.labels.regions import Region

from napari_smalltumor.case_data.records import case_key
from napari_smalltumor.layers.coordinates import display_shape
from napari_smalltumor.layers.masks.reference import reference_of
from napari_smalltumor.layers.metadata import case_of, region_of
from napari_smalltumor.layers.titles import name_in_case

if TYPE_CHECKING:
    from napari.layers import Labels, Layer


def masks_among(layers: Iterable[Layer]) -> Iterator[Labels]:
    """The layers that are autosaved when they are edited."""
    return (layer for layer in layers if is_mask(layer))


def is_mask(layer: Layer) -> bool:
    """Whether a layer is a labels layer in memory and has the shape of its case.

    A reference, which nobody can edit, is none.
    """
    from napari.layers import Labels

    case = case_of(layer)
    if case is None or not isinstance(layer, Labels) or not isinstance(layer.data, np.ndarray):
        return False
    if reference_of(layer) is not None:
        return False
    return layer.data.shape == display_shape(case.grid)


def by_case(layers: Iterable[Labels]) -> dict[str, list[Labels]]:
    """Layers by the key of their case."""
    groups: dict[str, list[Labels]] = {}
    for layer in layers:
        groups.setdefault(key_of_case(layer), []).append(layer)
    return groups


def case_of_mask(layer: Layer) -> Case:
    """The case of a mask, which always has one."""
    case = case_of(layer)
    assert case is not None
    return case


def key_of_case(layer: Layer) -> str:
    """The `case_key` of a mask's case."""
    return case_key(case_of_mask(layer))


def layer_key(layer: Layer) -> str:
    """The key of a layer among the layers of its case."""
    return key_of(region_of(layer), name_in_case(layer))


def key_of(region: Region | None, name: str) -> str:
    """The key of the layer of a region, or of another layer with this name."""
    return str(region or f"layer {name}")
