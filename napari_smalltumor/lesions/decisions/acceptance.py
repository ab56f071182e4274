"""Which lesions the user has accepted, kept with the case in the user's data folder.

A mark belongs to a lesion as it is: the lesion that was edited has no mark, and the same lesion in
a mask that is restored, opened or segmented again has it. So marks do not depend on whether masks
are autosaved or exported. Layers whose case was not read from files keep theirs while they are
open.

::

    DATA/accepted/Patient-1-c0ffee....json
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from psygnal import Signal, SignalInstance
from smalltumor.data.case import Case
from smalltumor.errors import OutputError
from smalltumor.labels.regions import Region
from smalltumor.lesions import Lesion

from napari_smalltumor import notify, settings
from napari_smalltumor.autosave.masks import layer_key
from napari_smalltumor.case_data.kept_files import kept_file, write_kept
from napari_smalltumor.case_data.moved_cases import taken_over
from napari_smalltumor.layers.metadata import case_of, identifying_files, same_case

if TYPE_CHECKING:
    from napari.layers import Labels

FORMAT = "smalltumor accepted lesions"
FORMAT_VERSION = 1

Identity = tuple[str, int, tuple[float, ...], tuple[tuple[int, ...], ...]]
"""Region, voxel count, centre and box of a lesion; an edited lesion has another identity."""

_MARKS: WeakKeyDictionary[Labels, frozenset[Identity]] = WeakKeyDictionary()


class _Events:
    changed = Signal()


changed: SignalInstance = _Events().changed
"""Emitted when lesions were accepted, or are accepted no longer."""


def _read_again(case: Case) -> None:
    """Forget that nothing was kept of a case when something of another has been taken over."""
    for layer in [x for x, marks in _MARKS.items() if not marks and same_case(case_of(x), case)]:
        del _MARKS[layer]
    changed.emit()


taken_over.connect(_read_again)


def is_accepted(layer: Labels, region: Region, lesion: Lesion) -> bool:
    """Whether a lesion of a layer was accepted as it is now."""
    return _identity(region, lesion) in _marks_of(layer)


def accept(layer: Labels, region: Region, lesions: Iterable[Lesion], accepted: bool) -> None:
    """Mark lesions of a layer as accepted, or remove the marks; a failed write is reported."""
    identities = {_identity(region, lesion) for lesion in lesions}
    marks = _marks_of(layer)
    _MARKS[layer] = marks | identities if accepted else marks - identities
    file = file_in("accepted", layer)
    if file is not None:
        try:
            _write(file, layer, _MARKS[layer])
        except OutputError as error:
            notify.warn(f"Accepted lesions could not be saved: {error}")
    changed.emit()


def _marks_of(layer: Labels) -> frozenset[Identity]:
    if layer not in _MARKS:
        file = file_in("accepted", layer)
        stored = _read(file).get(layer_key(layer), []) if file is not None else []
        _MARKS[layer] = frozenset(stored)
    return _MARKS[layer]


def file_in(folder: str, layer: Labels) -> Path | None:
    """The file of a layer's case in a folder of the user's data; None without autosave."""
    return file_of_case(folder, layer) if settings.get("autosave") else None


def file_of_case(folder: str, layer: Labels) -> Path | None:
    """The file of a layer's case, whether or not it is saved; None if the case has no files."""
    case = case_of(layer)
    if case is None or not _has_files(case):
        return None
    return kept_file(folder, case)


def _has_files(case: Case) -> bool:
    return any(isinstance(path, Path) for path in identifying_files(case).values())


def _read(file: Path) -> dict[str, list[Identity]]:
    """The marks of each layer of a case; none if the file is missing, damaged or of the future."""
    try:
        content = json.loads(file.read_text())
        if (content["format"], content["version"]) != (FORMAT, FORMAT_VERSION):
            return {}
        return {key: [_parse(mark) for mark in marks] for key, marks in content["layers"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _write(file: Path, layer: Labels, marks: Iterable[Identity]) -> None:
    layers = {**_read(file), layer_key(layer): sorted(marks)}
    content = {"format": FORMAT, "version": FORMAT_VERSION, "layers": layers}
    case = case_of(layer)
    assert case is not None  # it has a file
    write_kept(file, case, content)


def _identity(region: Region, lesion: Lesion) -> Identity:
    centre = tuple(round(float(x), 3) for x in lesion.centroid_voxel)
    return region.value, int(lesion.voxels), centre, tuple((int(a), int(b)) for a, b in lesion.bbox)


def _parse(mark: Any) -> Identity:
    region, voxels, centre, box = mark
    return str(region), int(voxels), tuple(map(float, centre)), tuple((a, b) for a, b in box)
