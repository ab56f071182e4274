"""Which lesions were accepted, by whom and when, kept with the case in the user's data folder.

A mark belongs to a lesion as it is: the lesion that was edited has no mark, and the same lesion in
a mask that is restored, opened or segmented again has it. So marks do not depend on whether masks
are autosaved or exported. Layers whose case was not read from files keep theirs while they are
open.

::

    DATA/accepted/Patient-1-c0ffee....json
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from psygnal import Signal, SignalInstance
from smalltumor.data.case import Case
from smalltumor.labels.regions import Region
from smalltumor.lesions import Lesion

from napari_smalltumor.autosave.masks import layer_key
from napari_smalltumor.case_data.moved_cases import taken_over
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.lesions.decisions.signature import Signature
from napari_smalltumor.lesions.decisions.stored_values import StoredValues

if TYPE_CHECKING:
    from napari.layers import Labels

Identity = tuple[str, int, tuple[float, ...], tuple[tuple[int, ...], ...]]
"""Region, voxel count, centre and box of a lesion; an edited lesion has another identity."""

Marks = Mapping[Identity, Signature]
"""The accepted lesions of a layer, and who accepted each of them."""

_NOTHING: Marks = {}
_OF_LAYERS: WeakKeyDictionary[Labels, Marks] = WeakKeyDictionary()
"""Those of cases that were not read from files."""


class _Events:
    changed = Signal()


changed: SignalInstance = _Events().changed
"""Emitted when lesions were accepted, or are accepted no longer."""


def _on_taken_over(case: Case) -> None:
    changed.emit()


taken_over.connect(_on_taken_over)


def acceptance_of(layer: Labels, region: Region, lesion: Lesion) -> Signature | None:
    """Who accepted a lesion of a layer as it is now, and when; None if nobody did."""
    return _marks_of(layer).get(_identity(region, lesion))


def mark(layer: Labels, region: Region, lesions: Mapping[Lesion, Signature | None]) -> None:
    """Record who accepted each lesion of a layer, or that nobody did.

    A failed write is reported.
    """
    signatures = {_identity(region, x): signature for x, signature in lesions.items()}

    def changed_marks(marks: Marks) -> Marks:
        new = {**marks, **signatures}
        return {lesion: signature for lesion, signature in new.items() if signature is not None}

    case, key = case_of(layer), layer_key(layer)
    file = _STORED.file_of(case)
    if file is None or case is None:
        _OF_LAYERS[layer] = changed_marks(_marks_of(layer))
    else:
        _STORED.change(
            file, case, lambda all_: {**all_, key: changed_marks(all_.get(key, _NOTHING))}
        )
    changed.emit()


def _marks_of(layer: Labels) -> Marks:
    file = _STORED.file_of(case_of(layer))
    if file is None:
        return _OF_LAYERS.get(layer, _NOTHING)
    return _STORED.get(file).get(layer_key(layer), _NOTHING)


def _identity(region: Region, lesion: Lesion) -> Identity:
    centre = tuple(round(float(x), 3) for x in lesion.centroid_voxel)
    return region.value, int(lesion.voxels), centre, tuple((int(a), int(b)) for a, b in lesion.bbox)


def _parsed(content: Mapping[str, Any]) -> Mapping[str, Marks]:
    return {key: dict(map(_parse, marks)) for key, marks in content["layers"].items()}


def _parse(mark: Any) -> tuple[Identity, Signature]:
    (region, voxels, centre, box), (who, when) = mark
    boxes = tuple((int(a), int(b)) for a, b in box)
    identity = str(region), int(voxels), tuple(map(float, centre)), boxes
    return identity, Signature(str(who), str(when))


def _to_json(marks: Mapping[str, Marks]) -> Mapping[str, Any]:
    return {"layers": {key: sorted(of_layer.items()) for key, of_layer in marks.items()}}


_STORED: StoredValues[Mapping[str, Marks]] = StoredValues(
    folder="accepted",
    subject="Accepted lesions",
    format="smalltumor accepted lesions",
    version=2,
    parse=_parsed,
    to_json=_to_json,
    empty={},
)
