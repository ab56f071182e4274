"""Edits that no file holds yet are kept in the user's data folder.

What is edited: the mask of a region that differs from the result that filled it, or a label
volume that differs from the file it was opened from, and from what was last exported. What is
kept of a case goes only when it is exported, undone, or replaced by a new result the user agreed
to; not when the case is closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import Case
from smalltumor.errors import SmalltumorError
from smalltumor.labels.components import bounding_box
from smalltumor.labels.regions import Region

from napari_smalltumor import settings
from napari_smalltumor.autosave.files import AutosaveFolder, SavedMask, case_key, write_masks
from napari_smalltumor.layers.coordinates import from_display
from napari_smalltumor.layers.metadata import case_of, checksum, region_of, role_of

if TYPE_CHECKING:
    from napari.components import LayerList
    from napari.layers import Labels, Layer


@dataclass(frozen=True)
class _Copy:
    """A labels layer at one moment."""

    checksum: int
    name: str
    data: npt.NDArray[np.integer]
    region: Region | None
    scheme: str | None

    def cut(self, case: Case) -> SavedMask:
        volume = from_display(self.data, case.grid)
        box = bounding_box(volume != 0)
        start = (box[0].start, box[1].start, box[2].start)
        return SavedMask(self.name, volume[box], start, self.region, self.scheme)


@dataclass
class _Kept:
    """The edits of one case by layer, of layers that were removed too, and what is on disk."""

    case: Case
    copies: dict[str, _Copy] = field(default_factory=dict)
    removed: dict[str, _Copy] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)


class Autosave:
    """Keeps the edited masks of a viewer.

    Parameters
    ----------
    layers : LayerList
        Of the viewer.
    root : Path, optional
        Folder of all autosaves; the user's data folder if not given.
    """

    def __init__(self, layers: LayerList, root: Path | None = None) -> None:
        self.folder = AutosaveFolder(root)
        self._layers = layers
        self._safe: WeakKeyDictionary[Layer, int] = WeakKeyDictionary()
        self._kept: dict[str, _Kept] = {}
        self._writes: list[Future[None]] = []
        for layer in layers:
            self._begin(layer)
        layers.events.inserted.connect(self._on_inserted)
        layers.events.removed.connect(self._on_removed)

    def save(self) -> None:
        """Write the cases whose edits changed since the last time, in a thread.

        Copies the masks that changed, which takes some milliseconds each.
        """
        if not settings.get("autosave"):
            return
        for key, layers in _by_case(_masks_among(self._layers)).items():
            self._take(key, layers)
        for kept in self._kept.values():
            self._write(kept)

    def wait(self) -> None:
        """Until all that was begun is on disk, or has failed; see `problem`."""
        wait(self._writes)

    def problem(self) -> str | None:
        """What went wrong in writes since the last time this was asked, in one line."""
        ended = [write for write in self._writes if write.done()]
        self._writes = [write for write in self._writes if write not in ended]
        errors = [error for write in ended if (error := write.exception()) is not None]
        for error in errors:
            if not isinstance(error, SmalltumorError):
                raise error
        return str(errors[0]) if errors else None

    def exported(self, layers: Iterable[Layer]) -> None:
        """These are in a file of the user's now; what was kept of them goes."""
        for layer in layers:
            if _is_mask(layer):
                self._safe[layer] = checksum(layer.data)
                kept = self._kept.get(_key(layer))
                if kept is not None and region_of(layer) is not None:
                    kept.removed = {n: c for n, c in kept.removed.items() if c.region is None}
        self.save()

    def count_as_edited(self, layers: Iterable[Layer]) -> None:
        """Keep layers although they are as they were when they came: they were restored."""
        for layer in layers:
            self._safe.pop(layer, None)

    def left_of(self, case: Case) -> list[Path]:
        """Files of a case that an earlier viewer left, or this one before the case was closed."""
        files = self.folder.left_of(case)
        return [f for f in files if case_key(case) not in self._kept or not self.is_own(f)]

    def is_own(self, file: Path) -> bool:
        """Whether this is where this viewer writes."""
        return file.parent == self.folder.path

    def _on_inserted(self, event: Any) -> None:
        self._begin(event.value)

    def _begin(self, layer: Layer) -> None:
        """What fills a layer when it comes is in a file, unless a result filled it."""
        role = role_of(layer)
        if _is_mask(layer) and role is not None and role.checksum is None:
            self._safe[layer] = checksum(layer.data)

    def _on_removed(self, event: Any) -> None:
        """A mask that leaves the viewer is kept as it was, should that have been a mistake."""
        gone = event.value
        if not settings.get("autosave") or not _is_mask(gone):
            return
        key, name = _key(gone), _name(gone)
        others = _by_case(_masks_among(self._layers)).get(key, [])
        self._take(key, [*others, gone])
        kept = self._kept.get(key)
        if kept is None:
            return
        if name in kept.copies:
            kept.removed[name] = kept.copies.pop(name)
        self._write(kept)
        if not others:
            del self._kept[key]  # its file stays

    def _take(self, key: str, layers: list[Labels]) -> None:
        """Copy the masks of a case that are edited, unless the copies at hand are as good.

        ET, TC and WT are kept together: one without the others would be another segmentation.
        """
        kept = self._kept.get(key) or _Kept(_case(layers[0]))
        named = {_name(layer): layer for layer in layers}
        kept.removed = {n: c for n, c in kept.removed.items() if n not in named}
        sums = {name: checksum(layer.data) for name, layer in named.items()}
        edited = {n for n, layer in named.items() if sums[n] not in self._unedited(layer)}
        regions = {n for n, layer in named.items() if region_of(layer) is not None}
        if edited & regions or any(c.region is not None for c in kept.removed.values()):
            edited |= regions
        kept.copies = {
            name: old
            if (old := kept.copies.get(name)) is not None and old.checksum == sums[name]
            else _copy(named[name], sums[name])
            for name in edited
        }
        if kept.copies or kept.removed or kept.written:
            self._kept[key] = kept

    def _unedited(self, layer: Labels) -> tuple[int | None, int | None]:
        role = role_of(layer)
        return self._safe.get(layer), role.checksum if role is not None else None

    def _write(self, kept: _Kept) -> None:
        copies = {**kept.removed, **kept.copies}
        checksums = {name: copy.checksum for name, copy in copies.items()}
        if checksums == kept.written:
            return
        kept.written = checksums
        self._writes.append(_writer().submit(_write, self.folder, kept.case, list(copies.values())))


def _write(folder: AutosaveFolder, case: Case, copies: list[_Copy]) -> None:
    if not copies:
        folder.discard(folder.file_of(case))
        return
    folder.hold()
    write_masks(folder.file_of(case), case, [copy.cut(case) for copy in copies])


@cache
def _writer() -> ThreadPoolExecutor:
    """One thread for all viewers; Python waits for it when it ends."""
    return ThreadPoolExecutor(1, "smalltumor-autosave")


def _copy(layer: Labels, total: int) -> _Copy:
    role = role_of(layer)
    scheme = role.scheme if role is not None else None
    return _Copy(total, layer.name, np.array(layer.data), region_of(layer), scheme)


def _masks_among(layers: Iterable[Layer]) -> Iterator[Labels]:
    return (layer for layer in layers if _is_mask(layer))  # type: ignore[misc]


def _is_mask(layer: Layer) -> bool:
    """Whether it is a labels layer on a case's grid, in memory."""
    from napari.layers import Labels

    case = case_of(layer)
    if case is None or not isinstance(layer, Labels) or not isinstance(layer.data, np.ndarray):
        return False
    return layer.data.ndim == 3 and from_display(layer.data, case.grid).shape == case.grid.shape


def _by_case(layers: Iterable[Labels]) -> dict[str, list[Labels]]:
    groups: dict[str, list[Labels]] = {}
    for layer in layers:
        groups.setdefault(_key(layer), []).append(layer)
    return groups


def _case(layer: Layer) -> Case:
    case = case_of(layer)
    assert case is not None
    return case


def _key(layer: Layer) -> str:
    return case_key(_case(layer))


def _name(layer: Layer) -> str:
    """What a layer is called among those of its case."""
    return str(region_of(layer) or f"layer {layer.name}")
