"""Which layers show an earlier scan of a patient, on which nothing may be edited."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from weakref import WeakSet

from napari_smalltumor.layers.visibility import can_be_seen

if TYPE_CHECKING:
    from napari.layers import Layer

_EARLIER: WeakSet[Layer] = WeakSet()


def mark_as_earlier_scan(layer: Layer) -> None:
    """Remember that a layer shows an earlier scan."""
    _EARLIER.add(layer)


def earlier_scan_is_shown(layers: Iterable[Layer]) -> bool:
    """Whether one of the layers shows an earlier scan and can be seen."""
    return any(layer in _EARLIER and can_be_seen(layer) for layer in layers)
