"""Which lesions the user has accepted, kept with the case in the user's data folder.

A mark belongs to a lesion as it is: the lesion that was edited has no mark, and the same lesion in
a mask that is restored, opened or segmented again has it. So marks do not depend on whether masks
are autosaved or exported. Layers whose case was not read from files keep theirs while they are
open.

::

    DATA/accepted/Patient-1-c0ffee....json
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from psygnal import Signal, SignalInstance
from smalltumor.data.case import Case
from smalltumor.labels.regions import Region
from smalltumor.lesions import Lesion

from napari_smalltumor.autosave.masks import layer_key
from napari_smalltumor.case_data.moved_cases import taken_over
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.lesions.decisions.stored_values import StoredValues

if TYPE_CHECKING:
    from napari.layers import Labels

Identity = tuple[str, int, tuple[float, ...], tuple[tuple[int, ...], ...]]
"""Region, voxel count, centre and box of a lesion; an edited lesion has another identity."""

Marks = Mapping[str, frozenset[Identity]]
"""Accepted lesions by the key of their layer."""

_NOTHING: frozenset[Identity] = frozenset()
_OF_LAYERS: WeakKeyDictionary[Labels, frozenset[Identity]] = WeakKeyDictionary()
"""Those of cases that were not read from files."""


class _Events:
    changed = Signal()


changed: SignalInstance = _Events().changed
"""Emitted when lesions were accepted, or are accepted no longer."""


def _on_taken_over(case: Case) -> None:
    changed.emit()


taken_over.connect(_on_taken_over)


def is_accepted(layer: Labels, region: Region, lesion: Lesion) -> bool:
    """Whether a lesion of a layer was accepted as it is now."""
    return _identity(region, lesion) in _marks_of(layer)


def accept(layer: Labels, region: Region, lesions: Iterable[Lesion], accepted: bool) -> None:
    """Mark lesions of a layer as accepted, or remove the marks; a failed write is reported."""
    identities = frozenset(_identity(region, lesion) for lesion in lesions)

    def changed_marks(marks: frozenset[Identity]) -> frozenset[Identity]:
        return marks | identities if accepted else marks - identities

    case, key = case_of(layer), layer_key(layer)
    file = _STORED.file_of(case)
    if file is None or case is None:
        _OF_LAYERS[layer] = changed_marks(_marks_of(layer))
    else:
        _STORED.change(
            file, case, lambda all_: {**all_, key: changed_marks(all_.get(key, _NOTHING))}
        )
    changed.emit()


def _marks_of(layer: Labels) -> frozenset[Identity]:
    file = _STORED.file_of(case_of(layer))
    if file is None:
        return _OF_LAYERS.get(layer, _NOTHING)
    return _STORED.get(file).get(layer_key(layer), _NOTHING)


def _identity(region: Region, lesion: Lesion) -> Identity:
    centre = tuple(round(float(x), 3) for x in lesion.centroid_voxel)
    return region.value, int(lesion.voxels), centre, tuple((int(a), int(b)) for a, b in lesion.bbox)


def _parsed(content: Mapping[str, Any]) -> Marks:
    return {key: frozenset(map(_parse, marks)) for key, marks in content["layers"].items()}


def _parse(mark: Any) -> Identity:
    region, voxels, centre, box = mark
    return str(region), int(voxels), tuple(map(float, centre)), tuple((a, b) for a, b in box)


def _to_json(marks: Marks) -> Mapping[str, Any]:
    return {"layers": {key: sorted(of_layer) for key, of_layer in marks.items()}}


_STORED: StoredValues[Marks] = StoredValues(
    folder="accepted",
    subject="Accepted lesions",
    format="smalltumor accepted lesions",
    version=1,
    parse=_parsed,
    to_json=_to_json,
    empty={},
)
