"""Which layers show an earlier scan of a patient, on which nothing may be edited."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from weakref import WeakSet

from napari_smalltumor.layers.editing.visibility import can_be_seen
from napari_smalltumor.layers.own_metadata import set_metadata

if TYPE_CHECKING:
    from napari.layers import Layer

_TITLE_KEY = "smalltumor_earlier_scan"
"""Key of the title of an earlier scan in a layer's metadata, which napari passes to copies."""

_CONTOURS: WeakSet[Layer] = WeakSet()
"""References that are the regions of an earlier scan; they are drawn over the current one, too."""


def mark_as_earlier_scan(layer: Layer, title: str) -> None:
    """Remember that a layer shows an earlier scan with this title."""
    set_metadata(layer, {**layer.metadata, _TITLE_KEY: title})


def is_earlier_scan(layer: Layer) -> bool:
    """Whether a layer, or the image that it was copied from, shows an earlier scan."""
    return layer._type_string == "image" and _TITLE_KEY in layer.metadata


def title_of_earlier_scan(layer: Layer) -> str:
    """The title of the earlier scan that a layer shows; empty for any other layer."""
    return str(layer.metadata[_TITLE_KEY]) if is_earlier_scan(layer) else ""


def mark_as_earlier_contours(layers: Iterable[Layer]) -> None:
    """Remember that layers are the contours of an earlier scan."""
    _CONTOURS.update(layers)


def are_earlier_contours(layers: Iterable[Layer]) -> bool:
    """Whether all of the layers are contours of an earlier scan."""
    return all(layer in _CONTOURS for layer in layers)


def layers_of_earlier_scan(layers: Iterable[Layer]) -> list[Layer]:
    """The images of an earlier scan, shown or not, and its contours that can be seen above them."""
    layers = list(layers)
    images = [layer for layer in layers if is_earlier_scan(layer)]
    contours = [layer for layer in layers if layer in _CONTOURS and can_be_seen(layer)]
    return images + contours if images else []


def earlier_scan_is_shown(layers: Iterable[Layer]) -> bool:
    """Whether one of the layers shows an earlier scan and can be seen."""
    return any(is_earlier_scan(layer) and can_be_seen(layer) for layer in layers)
