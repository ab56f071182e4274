"""Which layers show an earlier scan of a patient, on which nothing may be edited."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakSet

from napari_smalltumor.layers.editing.visibility import can_be_seen

if TYPE_CHECKING:
    from napari.layers import Layer

_EARLIER: WeakKeyDictionary[Layer, str] = WeakKeyDictionary()
"""The title of its scan by layer."""

_CONTOURS: WeakSet[Layer] = WeakSet()
"""References that are the regions of an earlier scan; they are drawn over the current one, too."""


def mark_as_earlier_scan(layer: Layer, title: str) -> None:
    """Remember that a layer shows an earlier scan with this title."""
    _EARLIER[layer] = title


def is_earlier_scan(layer: Layer) -> bool:
    """Whether a layer shows an earlier scan."""
    return layer in _EARLIER


def title_of_earlier_scan(layer: Layer) -> str:
    """The title of the earlier scan that a layer shows; empty for any other layer."""
    return _EARLIER.get(layer, "")


def mark_as_earlier_contours(layers: Iterable[Layer]) -> None:
    """Remember that layers are the contours of an earlier scan."""
    _CONTOURS.update(layers)


def are_earlier_contours(layers: Iterable[Layer]) -> bool:
    """Whether all of the layers are contours of an earlier scan."""
    return all(layer in _CONTOURS for layer in layers)


def layers_of_earlier_scan(layers: Iterable[Layer]) -> list[Layer]:
    """The images of an earlier scan, shown or not, and its contours that can be seen above them."""
    layers = list(layers)
    images = [layer for layer in layers if layer in _EARLIER]
    contours = [layer for layer in layers if layer in _CONTOURS and can_be_seen(layer)]
    return images + contours if images else []


def earlier_scan_is_shown(layers: Iterable[Layer]) -> bool:
    """Whether one of the layers shows an earlier scan and can be seen."""
    return any(layer in _EARLIER and can_be_seen(layer) for layer in layers)
