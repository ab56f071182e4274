"""The second look at each result of the network, kept until its layer gets another result."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from smalltumor.data.probabilities import CroppedProbabilities
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region
from smalltumor.second_look import SecondLook

from napari_smalltumor.layers.metadata import role_of
from napari_smalltumor.lesions.source import LesionSource

if TYPE_CHECKING:
    from napari.layers import Labels

_LOOKS: WeakKeyDictionary[Labels, tuple[Segmentation, SecondLook]] = WeakKeyDictionary()


def network_result(source: LesionSource) -> Segmentation | None:
    """The network's result that a segmentation came from; None if it was read or drawn."""
    role = role_of(source.layers[Region.ET]) if Region.ET in source.layers else None
    result = role.result if role is not None else None
    known = isinstance(getattr(result, "cropped", None), CroppedProbabilities)
    return result if known else None


def look_of(layer: Labels) -> SecondLook | None:
    """The second look at the result that is in the layer of ET, if it was computed."""
    result, look = _LOOKS.get(layer, (None, None))
    role = role_of(layer)
    return look if role is not None and role.result is result else None


def keep_look(layer: Labels, result: Segmentation, look: SecondLook) -> None:
    """Keep the second look at a result as long as the layer."""
    _LOOKS[layer] = result, look
