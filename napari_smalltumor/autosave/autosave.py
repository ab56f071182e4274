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
from napari_smalltumor.autosave.files import AutosaveFolder, SavedMask, case_digest, write_masks
from napari_smalltumor.layers.coordinates import display_shape, from_display
from napari_smalltumor.layers.metadata import LayerKind, case_of, checksum, region_of, role_of

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
    predicted: bool

    def cropped(self, case: Case) -> SavedMask:
        volume = from_display(self.data, case.grid)
        box = bounding_box(volume != 0)
        start = (box[0].start, box[1].start, box[2].start)
        return SavedMask(self.name, volume[box], start, self.region, self.scheme, self.predicted)


@dataclass
class _CaseEdits:
    """The edits of one case.

    Parameters
    ----------
    case : Case
    copies : dict
        Copies of the edited layers in the viewer, by `_layer_key`.
    removed : dict
        Copies of edited layers that were removed from the viewer, by `_layer_key`.
    written_checksums : dict
        Checksums of the copies in the last write, by `_layer_key`.
    last_write : Future, optional
        The last write that was started.
    """

    case: Case
    copies: dict[str, _MaskCopy] = field(default_factory=dict)
    removed: dict[str, _MaskCopy] = field(default_factory=dict)
    written_checksums: dict[str, int] = field(default_factory=dict)
    last_write: Future[None] | None = None

    @property
    def write_failed(self) -> bool:
        write = self.last_write
        return write is not None and write.done() and write.exception() is not None

    def drop_obsolete(self, exported: Mapping[str, int]) -> None:
        """Drop copies of removed layers that an export has made obsolete.

        Parameters
        ----------
        exported : mapping of str to int
            Checksums of the exported masks, by `_layer_key`. An export of regions also makes the
            copies of removed regions obsolete.
        """
        region_exported = not {str(region) for region in Region}.isdisjoint(exported)

        def is_obsolete(key: str, copy: _MaskCopy) -> bool:
            if key in exported:
                return exported[key] == copy.checksum
            return region_exported and copy.region is not None

        self.removed = {k: copy for k, copy in self.removed.items() if not is_obsolete(k, copy)}


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
        # Of each mask as it was opened or last exported.
        self._checksums_on_disk: WeakKeyDictionary[Layer, int | None] = WeakKeyDictionary()
        # Both by `case_digest`; closed cases are kept while their autosave files exist.
        self._edits: dict[str, _CaseEdits] = {}
        self._closed: dict[str, _CaseEdits] = {}
        self._pending_writes: list[Future[None]] = []
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
        for digest, layers in _by_case(_masks_among(self._layers)).items():
            self._copy_edits(digest, layers)
        for edits in self._edits.values():
            self._start_write(edits)

    def wait(self) -> None:
        """Wait until all writes have ended. `problem` returns the error of a failed write."""
        wait(self._pending_writes)

    def problem(self) -> str | None:
        """The message of the first write error since the last call, or None."""
        done = [write for write in self._pending_writes if write.done()]
        self._pending_writes = [write for write in self._pending_writes if write not in done]
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
            self._checksums_on_disk[layer] = crc
            by_case.setdefault(_digest_of_case(layer), {})[_layer_key(layer)] = crc
        for digest, checksums in by_case.items():
            if (edits := self._edits.get(digest)) is not None:
                edits.drop_obsolete(checksums)
            closed = self._closed.get(digest)
            if closed is not None and closed.written_checksums.items() <= checksums.items():
                del self._closed[digest]
                self._pending_writes.append(
                    _write_thread().submit(_write_file, self.folder, closed.case, [])
                )
        self.save()

    def edited(self, layers: Iterable[Layer]) -> list[str]:
        """Names of the masks among some layers whose edits were not exported.

        Masks of the same cases that were edited and then removed are named too.
        """
        names: list[str] = []
        for digest, own in _by_case(_masks_among(layers)).items():
            names += [x.name for x in own if checksum(x.data) not in self._unedited_checksums(x)]
            if (edits := self._edits.get(digest)) is not None:
                names += [copy.name for copy in edits.removed.values() if copy.name not in names]
        return names

    def mark_edited(self, layers: Iterable[Layer]) -> None:
        """Autosave restored layers, even though they have not changed since they were added."""
        for layer in layers:
            self._checksums_on_disk[layer] = None

    def restorable_files(self, case: Case) -> list[Path]:
        """Autosave files of a case that its viewers have closed, newest first."""
        files = self.folder.restorable_files(case)
        return [f for f in files if case_digest(case) not in self._edits or not self.is_own(f)]

    def is_own(self, file: Path) -> bool:
        """Whether this viewer writes the file."""
        return file.parent == self.folder.path

    def _on_inserted(self, event: Any) -> None:
        self._on_new_layer(event.value)

    def _on_new_layer(self, layer: Layer) -> None:
        """Regard a new layer as unedited, unless it is a result, whose role has its checksum."""
        role = role_of(layer)
        is_known = layer in self._checksums_on_disk  # it was removed and is added again
        if _is_mask(layer) and role is not None and role.checksum is None and not is_known:
            self._checksums_on_disk[layer] = checksum(layer.data)

    def _on_removed(self, event: Any) -> None:
        """Save an edited mask that is removed from the viewer."""
        layer = event.value
        if not settings.get("autosave") or not _is_mask(layer):
            return
        digest, key = _digest_of_case(layer), _layer_key(layer)
        others = _by_case(_masks_among(self._layers)).get(digest, [])
        self._copy_edits(digest, [*others, layer])
        edits = self._edits.get(digest)
        if edits is None:
            return
        if key in edits.copies:
            edits.removed[key] = edits.copies.pop(key)
        self._start_write(edits)
        if not others:
            self._close(digest)

    def _close(self, digest: str) -> None:
        """Stop updating the file of a case; after the last case, unlock the folder."""
        edits = self._edits.pop(digest)
        self._closed[digest] = _CaseEdits(edits.case, written_checksums=edits.written_checksums)
        if not self._edits:
            self._pending_writes.append(_write_thread().submit(self.folder.unlock))

    def _copy_edits(self, digest: str, layers: list[Labels]) -> None:
        """Copy the edited masks of a case that changed since the last copy.

        ET, TC and WT are always copied together, because they form one segmentation.
        """
        edits = self._edits.get(digest) or _CaseEdits(_case(layers[0]))
        by_key = {_layer_key(layer): layer for layer in layers}
        edits.removed = {k: copy for k, copy in edits.removed.items() if k not in by_key}
        checksums = {key: checksum(layer.data) for key, layer in by_key.items()}
        edited = {
            k for k, layer in by_key.items() if checksums[k] not in self._unedited_checksums(layer)
        }
        regions = {k for k, layer in by_key.items() if region_of(layer) is not None}
        if edited & regions or any(copy.region is not None for copy in edits.removed.values()):
            edited |= regions
        edits.copies = {
            key: copy
            if (copy := edits.copies.get(key)) is not None and copy.checksum == checksums[key]
            else _copy(by_key[key], checksums[key])
            for key in edited
        }
        if edits.copies or edits.removed or edits.written_checksums:
            self._edits[digest] = edits
            self._closed.pop(digest, None)

    def _unedited_checksums(self, layer: Labels) -> tuple[int | None, int | None]:
        """Checksums of the layer's mask in the exported or opened file, and in the result."""
        role = role_of(layer)
        return self._checksums_on_disk.get(layer), role.checksum if role is not None else None

    def _start_write(self, edits: _CaseEdits) -> None:
        copies = {**edits.removed, **edits.copies}
        checksums = {key: copy.checksum for key, copy in copies.items()}
        if checksums == edits.written_checksums and not edits.write_failed:
            return
        edits.written_checksums = checksums
        edits.last_write = _write_thread().submit(
            _write_file, self.folder, edits.case, list(copies.values())
        )
        self._pending_writes.append(edits.last_write)


def _write_file(folder: AutosaveFolder, case: Case, copies: list[_MaskCopy]) -> None:
    if not copies:
        folder.discard(folder.file_of(case))
        return
    folder.lock()
    write_masks(folder.file_of(case), case, [copy.cropped(case) for copy in copies])


@cache
def _write_thread() -> ThreadPoolExecutor:
    """One thread for the writes of all viewers, in order; Python waits for it at exit."""
    return ThreadPoolExecutor(1, "smalltumor-autosave")


def _copy(layer: Labels, crc: int) -> _MaskCopy:
    role = role_of(layer)
    scheme = role.scheme if role is not None else None
    predicted = role is not None and role.kind is LayerKind.PREDICTION
    return _MaskCopy(crc, layer.name, np.array(layer.data), region_of(layer), scheme, predicted)


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
    """Layers by the digest of their case."""
    groups: dict[str, list[Labels]] = {}
    for layer in layers:
        groups.setdefault(_digest_of_case(layer), []).append(layer)
    return groups


def _case(layer: Layer) -> Case:
    case = case_of(layer)
    assert case is not None
    return case


def _digest_of_case(layer: Layer) -> str:
    return case_digest(_case(layer))


def _layer_key(layer: Layer) -> str:
    """The key of a layer among the layers of its case."""
    return str(region_of(layer) or f"layer {layer.name}")
