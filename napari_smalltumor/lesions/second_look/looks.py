"""The second look at each result of the network, kept until its layer gets another result."""

from __future__ import annotations

from enum import Enum, auto
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

_LOOKS: WeakKeyDictionary[Labels, tuple[Segmentation, SecondLook | None]] = WeakKeyDictionary()


def network_result(source: LesionSource) -> Segmentation | None:
    """The network's result that a segmentation came from; None if it was read or drawn."""
    role = role_of(source.layers[Region.ET]) if Region.ET in source.layers else None
    result = role.result if role is not None else None
    known = isinstance(getattr(result, "cropped", None), CroppedProbabilities)
    return result if known else None


class LookStatus(Enum):
    """What is known of the second look at a segmentation."""

    NO_RESULT = auto()
    """The network did not make the segmentation."""
    NOT_COMPUTED = auto()
    """It is being computed, or that failed."""
    IMPOSSIBLE = auto()
    """T1CE or T1 is missing, or there is too little brain."""
    COMPUTED = auto()


def look_status(source: LesionSource | None) -> LookStatus:
    """What is known of the second look at a segmentation."""
    result = None if source is None else network_result(source)
    if source is None or result is None:
        return LookStatus.NO_RESULT
    of, look = _LOOKS.get(source.layers[Region.ET], (None, None))
    if of is not result:
        return LookStatus.NOT_COMPUTED
    return LookStatus.IMPOSSIBLE if look is None else LookStatus.COMPUTED


def look_of(layer: Labels) -> SecondLook | None:
    """The second look at the result that is in the layer of ET, if it was computed."""
    result, look = _LOOKS.get(layer, (None, None))
    role = role_of(layer)
    return look if role is not None and role.result is result else None


def keep_look(layer: Labels, result: Segmentation, look: SecondLook | None) -> None:
    """Keep the second look at a result, or that it is impossible, as long as the layer."""
    _LOOKS[layer] = result, look
