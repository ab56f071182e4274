"""Autosave of unexported edits in the user's data folder.

A layer is edited if its mask differs from the network's result or the file that it was created
from, and from the last export. An autosave file is deleted only when the edits are exported,
undone, restored, discarded, or replaced by a new result with the user's consent. Closing the case
does not delete the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
from napari_smalltumor.layers.coordinates import display_shape, from_display
from napari_smalltumor.layers.metadata import case_of, checksum, region_of, role_of

if TYPE_CHECKING:
    from napari.components import LayerList
    from napari.layers import Labels, Layer


@dataclass(frozen=True)
class _MaskCopy:
    """A copy of a labels layer's mask, with the checksum of the data."""

    checksum: int
    name: str
    data: npt.NDArray[np.integer]
    region: Region | None
    scheme: str | None

    def cropped(self, case: Case) -> SavedMask:
        volume = from_display(self.data, case.grid)
        box = bounding_box(volume != 0)
        start = (box[0].start, box[1].start, box[2].start)
        return SavedMask(self.name, volume[box], start, self.region, self.scheme)


@dataclass
class _CaseEdits:
    """The edits of one case.

    Parameters
    ----------
    case : Case
    copies : dict
        Copies of the edited layers, by `_key_in_case`.
    removed : dict
        Copies of edited layers that were removed from the viewer.
    written : dict
        Checksums of the copies that the last write contains.
    write : Future, optional
        The last write that was started.
    """

    case: Case
    copies: dict[str, _MaskCopy] = field(default_factory=dict)
    removed: dict[str, _MaskCopy] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    write: Future[None] | None = None

    @property
    def write_failed(self) -> bool:
        write = self.write
        return write is not None and write.done() and write.exception() is not None

    def forget_removed(self, exported: Mapping[str, int]) -> None:
        """Drop copies of removed layers that an export has made obsolete.

        Parameters
        ----------
        exported : mapping of str to int
            Checksums of the exported masks, by `_key_in_case`. An export of regions also makes the
            copies of removed regions obsolete.
        """
        regions = not {str(region) for region in Region}.isdisjoint(exported)
        self.removed = {
            name: copy
            for name, copy in self.removed.items()
            if (
                exported[name] != copy.checksum
                if name in exported
                else not (regions and copy.region is not None)
            )
        }


class Autosave:
    """Autosave of the edited masks of a viewer.

    Parameters
    ----------
    layers : LayerList
        The viewer's layers.
    root : Path, optional
        Folder of all autosaves; by default ``autosave`` in the user's data folder.
    """

    def __init__(self, layers: LayerList, root: Path | None = None) -> None:
        self.folder = AutosaveFolder(root)
        self._layers = layers
        self._exported: WeakKeyDictionary[Layer, int] = WeakKeyDictionary()
        self._edits: dict[str, _CaseEdits] = {}
        self._closed: dict[str, _CaseEdits] = {}  # closed cases whose files remain
        self._writes: list[Future[None]] = []
        for layer in layers:
            self._on_new_layer(layer)
        layers.events.inserted.connect(self._on_inserted)
        layers.events.removed.connect(self._on_removed)

    def save(self) -> None:
        """Write the cases whose edits changed since the last call, in a thread.

        This call itself copies the changed masks, which takes a few milliseconds each.
        """
        if not settings.get("autosave"):
            return
        for key, layers in _by_case(_masks_among(self._layers)).items():
            self._copy_edits(key, layers)
        for edits in self._edits.values():
            self._write(edits)

    def wait(self) -> None:
        """Wait until all writes have ended. `problem` returns the error of a failed write."""
        wait(self._writes)

    def problem(self) -> str | None:
        """The message of the first write error since the last call, or None."""
        done = [write for write in self._writes if write.done()]
        self._writes = [write for write in self._writes if write not in done]
        errors = [error for write in done if (error := write.exception()) is not None]
        for error in errors:
            if not isinstance(error, SmalltumorError):
                raise error
        return str(errors[0]) if errors else None

    def checksums(self, layers: Iterable[Layer]) -> dict[Layer, int]:
        """Checksums of the masks among the layers, to pass to `mark_exported` after the write."""
        return {layer: checksum(layer.data) for layer in _masks_among(layers)}

    def mark_exported(self, saved: Iterable[Layer] | Mapping[Layer, int]) -> None:
        """Mark masks as exported and delete their autosave.

        Parameters
        ----------
        saved : iterable of layers, or mapping of layer to int
            The layers, if their current data were written; otherwise the `checksums` of the
            written data. Later strokes stay in the autosave.
        """
        written = saved if isinstance(saved, Mapping) else self.checksums(saved)
        by_case: dict[str, dict[str, int]] = {}
        for layer, crc in written.items():
            self._exported[layer] = crc
            by_case.setdefault(_case_key(layer), {})[_key_in_case(layer)] = crc
        for key, sums in by_case.items():
            if (edits := self._edits.get(key)) is not None:
                edits.forget_removed(sums)
            closed = self._closed.get(key)
            if closed is not None and closed.written.items() <= sums.items():
                del self._closed[key]
                self._writes.append(_writer().submit(_write, self.folder, closed.case, []))
        self.save()

    def mark_edited(self, layers: Iterable[Layer]) -> None:
        """Autosave restored layers, even though they have not changed since they were added."""
        for layer in layers:
            self._exported.pop(layer, None)

    def restorable_files(self, case: Case) -> list[Path]:
        """Autosave files of a case that its viewers have closed, newest first."""
        files = self.folder.restorable_files(case)
        return [f for f in files if case_key(case) not in self._edits or not self.is_own(f)]

    def is_own(self, file: Path) -> bool:
        """Whether this viewer writes the file."""
        return file.parent == self.folder.path

    def _on_inserted(self, event: Any) -> None:
        self._on_new_layer(event.value)

    def _on_new_layer(self, layer: Layer) -> None:
        """Count a new layer as equal to its file, unless its role has a result's checksum."""
        role = role_of(layer)
        if _is_mask(layer) and role is not None and role.checksum is None:
            self._exported[layer] = checksum(layer.data)

    def _on_removed(self, event: Any) -> None:
        """Save an edited mask that is removed from the viewer."""
        layer = event.value
        if not settings.get("autosave") or not _is_mask(layer):
            return
        key, name = _case_key(layer), _key_in_case(layer)
        others = _by_case(_masks_among(self._layers)).get(key, [])
        self._copy_edits(key, [*others, layer])
        edits = self._edits.get(key)
        if edits is None:
            return
        if name in edits.copies:
            edits.removed[name] = edits.copies.pop(name)
        self._write(edits)
        if not others:
            self._close(key)

    def _close(self, key: str) -> None:
        """Stop updating the file of a case; after the last case, unlock the folder."""
        edits = self._edits.pop(key)
        self._closed[key] = _CaseEdits(edits.case, written=edits.written)
        if not self._edits:
            self._writes.append(_writer().submit(self.folder.unlock))

    def _copy_edits(self, key: str, layers: list[Labels]) -> None:
        """Copy the edited masks of a case that changed since the last copy.

        ET, TC and WT are always copied together, because they form one segmentation.
        """
        edits = self._edits.get(key) or _CaseEdits(_case(layers[0]))
        named = {_key_in_case(layer): layer for layer in layers}
        edits.removed = {n: copy for n, copy in edits.removed.items() if n not in named}
        sums = {name: checksum(layer.data) for name, layer in named.items()}
        edited = {n for n, layer in named.items() if sums[n] not in self._unedited(layer)}
        regions = {n for n, layer in named.items() if region_of(layer) is not None}
        if edited & regions or any(copy.region is not None for copy in edits.removed.values()):
            edited |= regions
        edits.copies = {
            name: copy
            if (copy := edits.copies.get(name)) is not None and copy.checksum == sums[name]
            else _copy(named[name], sums[name])
            for name in edited
        }
        if edits.copies or edits.removed or edits.written:
            self._edits[key] = edits
            self._closed.pop(key, None)

    def _unedited(self, layer: Labels) -> tuple[int | None, int | None]:
        """Checksums of the layer's mask in the exported or opened file, and in the result."""
        role = role_of(layer)
        return self._exported.get(layer), role.checksum if role is not None else None

    def _write(self, edits: _CaseEdits) -> None:
        copies = {**edits.removed, **edits.copies}
        sums = {name: copy.checksum for name, copy in copies.items()}
        if sums == edits.written and not edits.write_failed:
            return
        edits.written = sums
        edits.write = _writer().submit(_write, self.folder, edits.case, list(copies.values()))
        self._writes.append(edits.write)


def _write(folder: AutosaveFolder, case: Case, copies: list[_MaskCopy]) -> None:
    if not copies:
        folder.discard(folder.file_of(case))
        return
    folder.lock()
    write_masks(folder.file_of(case), case, [copy.cropped(case) for copy in copies])


@cache
def _writer() -> ThreadPoolExecutor:
    """One thread for the writes of all viewers, in order; Python waits for it at exit."""
    return ThreadPoolExecutor(1, "smalltumor-autosave")


def _copy(layer: Labels, crc: int) -> _MaskCopy:
    role = role_of(layer)
    scheme = role.scheme if role is not None else None
    return _MaskCopy(crc, layer.name, np.array(layer.data), region_of(layer), scheme)


def _masks_among(layers: Iterable[Layer]) -> Iterator[Labels]:
    return (layer for layer in layers if _is_mask(layer))  # type: ignore[misc]


def _is_mask(layer: Layer) -> bool:
    """Whether a layer is a labels layer in memory and has the shape of its case."""
    from napari.layers import Labels

    case = case_of(layer)
    if case is None or not isinstance(layer, Labels) or not isinstance(layer.data, np.ndarray):
        return False
    return layer.data.shape == display_shape(case.grid)


def _by_case(layers: Iterable[Labels]) -> dict[str, list[Labels]]:
    groups: dict[str, list[Labels]] = {}
    for layer in layers:
        groups.setdefault(_case_key(layer), []).append(layer)
    return groups


def _case(layer: Layer) -> Case:
    case = case_of(layer)
    assert case is not None
    return case


def _case_key(layer: Layer) -> str:
    return case_key(_case(layer))


def _key_in_case(layer: Layer) -> str:
    """The key of a layer among the layers of its case."""
    return str(region_of(layer) or f"layer {layer.name}")
