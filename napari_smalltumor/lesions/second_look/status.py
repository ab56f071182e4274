"""What is known of the second look at each layer of ET, until its mask gets another origin."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from smalltumor.labels.regions import Region
from smalltumor.second_look import LesionGrower

from napari_smalltumor.layers.metadata import role_of
from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation
from napari_smalltumor.lesions.second_look.origins import CandidateOrigin, StoredOrigin, origin_of

if TYPE_CHECKING:
    from napari.layers import Labels

_GROWERS: WeakKeyDictionary[Labels, tuple[object, LesionGrower | None]] = WeakKeyDictionary()


class SecondLookStatus(Enum):
    """What is known of the second look at a segmentation."""

    NO_ORIGIN = auto()
    """The network did not make the segmentation, and it is not that of a case of a cohort."""
    NOT_KEPT = auto()
    """A network made the segmentation, which was opened or restored without its probabilities."""
    NOT_COMPUTED = auto()
    """It is being computed, or that failed."""
    IMPOSSIBLE = auto()
    """T1CE or T1 is missing, or there is too little brain."""
    NOT_STORED = auto()
    """The run of the cohort has not written the candidates."""
    REFUSED = auto()
    """The files of candidates are not those of this mask, or are damaged."""
    COMPUTED = auto()


def origin_of_source(source: ViewerSegmentation | None) -> CandidateOrigin | None:
    """Where the candidates of a segmentation come from; None if there are none."""
    if source is None or source.case is None:
        return None
    return origin_of(source.layers.get(Region.ET))


def second_look_status(source: ViewerSegmentation | None) -> SecondLookStatus:
    """What is known of the second look at a segmentation."""
    origin = origin_of_source(source)
    if source is None or origin is None:
        is_from_network = source is not None and _network_made(source.layers.get(Region.ET))
        return SecondLookStatus.NOT_KEPT if is_from_network else SecondLookStatus.NO_ORIGIN
    key, grower = _GROWERS.get(source.layers[Region.ET], (None, None))
    if key is not origin.key:
        return SecondLookStatus.NOT_COMPUTED
    if grower is None:
        return SecondLookStatus.IMPOSSIBLE
    if isinstance(origin, StoredOrigin) and origin.problem:
        return SecondLookStatus.NOT_STORED if origin.key.is_missing else SecondLookStatus.REFUSED
    return SecondLookStatus.COMPUTED


def _network_made(layer: Labels | None) -> bool:
    """Whether it is recorded that a network made the mask in a layer, edited since or not."""
    role = role_of(layer) if layer is not None else None
    made_by = role.made_by if role is not None else None
    return made_by is not None and made_by.is_from_network


def grower_of(layer: Labels) -> LesionGrower | None:
    """What grows lesions at clicks beside the mask in a layer of ET, if it was computed."""
    key, grower = _GROWERS.get(layer, (None, None))
    origin = origin_of(layer)
    return grower if origin is not None and origin.key is key else None


def keep_grower(layer: Labels, origin: CandidateOrigin, grower: LesionGrower | None) -> None:
    """Keep what grows lesions, or that it is impossible, as long as the layer."""
    _GROWERS[layer] = origin.key, grower
