"""Autosave of unexported edits in the user's data folder.

An autosave file is deleted only when the edits are exported, undone, restored, discarded, or
replaced by a new result with the user's consent. Closing the case does not delete the file.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smalltumor.data.case import Case
from smalltumor.errors import SmalltumorError

from napari_smalltumor import settings
from napari_smalltumor.autosave.case_edits import CaseEdits, MaskCopy, copy_of
from napari_smalltumor.autosave.exports import record_export
from napari_smalltumor.autosave.folder import AutosaveFolder
from napari_smalltumor.autosave.mask_files import SUFFIX, SavedMask, write_masks
from napari_smalltumor.autosave.masks import (
    by_case,
    case_of_mask,
    is_mask,
    key_of,
    key_of_case,
    layer_key,
    masks_among,
)
from napari_smalltumor.autosave.readers import EditReaders
from napari_smalltumor.autosave.unedited_masks import UneditedMasks
from napari_smalltumor.case_data.records import CaseRecord, case_key, file_name
from napari_smalltumor.layers.metadata import checksum, region_of, role_of
from napari_smalltumor.layers.titles import name_in_case

if TYPE_CHECKING:
    from napari.components import LayerList
    from napari.layers import Labels, Layer


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
        self.unedited = UneditedMasks()
        # Both by `case_key`; closed cases are kept while their autosave files exist.
        self._edits: dict[str, CaseEdits] = {}
        self._closed: dict[str, CaseEdits] = {}
        self.readers = EditReaders()
        self._pending_writes: list[Future[None]] = []
        for layer in layers:
            self._on_new_layer(layer)
        layers.events.inserted.connect(self._on_inserted)
        layers.events.removed.connect(self._on_removed)
        settings.changed.connect(self._on_setting)

    def save(self) -> None:
        """Write the cases whose edits changed since the last call, in a thread.

        This call itself copies the changed masks, which takes a few milliseconds each.
        """
        if not settings.get("autosave"):
            return
        for owner, layers in by_case(masks_among(self._layers)).items():
            self._copy_edits(owner, layers)
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
        return {layer: checksum(layer.data) for layer in masks_among(layers)}

    def mark_exported(
        self, saved: Iterable[Layer] | Mapping[Layer, int], files: Sequence[Path] | None = None
    ) -> None:
        """Mark masks as exported and delete their autosave.

        Parameters
        ----------
        saved : iterable of layers, or mapping of layer to int
            The layers, if their current data were written; otherwise the `checksums` of the
            written data. Later strokes stay in the autosave.
        files : sequence of Path, optional
            The masks that were written, as in `record_export`.
        """
        written = saved if isinstance(saved, Mapping) else self.checksums(saved)
        exported: dict[str, dict[str, int]] = {}
        for layer, crc in written.items():
            self.unedited.keep(layer, crc)
            exported.setdefault(key_of_case(layer), {})[layer_key(layer)] = crc
        self._record_exports(written, files)
        for owner, checksums in exported.items():
            if (edits := self._edits.get(owner)) is not None:
                edits.drop_obsolete(checksums)
            closed = self._closed.get(owner)
            if closed is not None and closed.written_checksums.items() <= checksums.items():
                del self._closed[owner]
                self._pending_writes.append(
                    _write_thread().submit(_write_file, self.folder, closed.case, [])
                )
        if settings.get("autosave"):
            self.save()
        else:
            self._drop_files_without_edits(exported)

    def _drop_files_without_edits(self, owners: Iterable[str]) -> None:
        """Delete files that were written before autosave was switched off."""
        layers = by_case(masks_among(self._layers))
        for owner in owners:
            edits = self._edits.get(owner)
            if edits is not None:
                self._copy_edits(owner, layers.get(owner, []))
                if not edits.copies and not edits.removed:
                    self._start_write(edits)

    def _record_exports(self, written: Mapping[Layer, int], files: Sequence[Path] | None) -> None:
        """Keep time and place of an export, except of masks that changed since they were read."""
        if not settings.get("autosave"):
            return
        current = [layer for layer, crc in written.items() if checksum(layer.data) == crc]
        for layers in by_case(masks_among(current)).values():
            case, keys = case_of_mask(layers[0]), {layer_key(x): written[x] for x in layers}
            self._pending_writes.append(
                _write_thread().submit(record_export, case, keys, time.time(), files)
            )

    def edited(self, layers: Iterable[Layer]) -> list[str]:
        """Names of the masks among some layers whose edits were not exported.

        Masks of the same cases that were edited and then removed are named too.
        """
        names: list[str] = []
        for owner, own in by_case(masks_among(layers)).items():
            edited = [x for x in own if checksum(x.data) != self.unedited.checksum(x)]
            names += [layer.name for layer in edited]
            if (edits := self._edits.get(owner)) is not None:
                shown = {name_in_case(layer) for layer in edited}
                names += [copy.name for copy in edits.removed.values() if copy.name not in shown]
        return names

    def unsaved(self, layers: Iterable[Layer]) -> list[str]:
        """Names of edited masks among some layers that are in no file, since autosave is off."""
        return [] if settings.get("autosave") else self.edited(layers)

    def started_from_others(self, case: Case, masks: Iterable[SavedMask]) -> list[str]:
        """Names of the layers of a case that are open with another mask than saved edits had.

        Parameters
        ----------
        case : Case
        masks : iterable of SavedMask
            The edits of the case.
        """
        layers = by_case(masks_among(self._layers)).get(case_key(case), [])
        before = {key_of(m.region, m.name): m.started for m in masks if m.started is not None}
        return [
            layer.name
            for layer in layers
            if (key := layer_key(layer)) in before
            and self.unedited.checksum(layer) not in (None, before[key])
        ]

    def mark_edited(self, layers: Iterable[Layer]) -> None:
        """Autosave restored layers, even though they have not changed since they were added."""
        for layer in layers:
            self.unedited.keep(layer, None)

    def restorable_files(self, case: Case) -> list[Path]:
        """Autosave files of a case that its viewers have closed, newest first."""
        return self._restorable_files(case_key(case), file_name(case, SUFFIX))

    def restorable_files_of(self, record: CaseRecord) -> list[Path]:
        """Autosave files of the case of a record that its viewers have closed, newest first."""
        return self._restorable_files(record.key, record.file_name(SUFFIX))

    def _restorable_files(self, key: str, name: str) -> list[Path]:
        files = self.folder.restorable_files(name)
        return [f for f in files if key not in self._edits or not self.is_own(f)]

    def set_aside(self, key: str, file: Path) -> None:
        """Keep a file of this viewer that was not restored; new edits get another file.

        Parameters
        ----------
        key : str
            The `case_key` of its case.
        file : Path

        Raises
        ------
        OutputError
            If it cannot be moved.
        """
        self.take_up(key)
        self.wait()
        self.readers.forget(key)
        self.folder.set_aside(file)

    def discard(self, key: str, file: Path) -> None:
        """Delete a file that the user does not want to restore, of the case with a `case_key`."""
        if self.is_own(file):
            self.take_up(key)
            self.readers.forget(key)
        self.folder.discard(file)

    def take_up(self, key: str) -> None:
        """Regard the edits of a closed case, by its `case_key`, as answered for."""
        self._closed.pop(key, None)

    def close(self) -> None:
        """Stop updating all files, whose folder is unlocked."""
        for owner in list(self._edits):
            self._close(owner)

    def is_own(self, file: Path) -> bool:
        """Whether this viewer writes the file."""
        return file.parent == self.folder.path

    def _on_inserted(self, event: Any) -> None:
        self._on_new_layer(event.value)

    def _on_new_layer(self, layer: Layer) -> None:
        """Regard a new layer as unedited, unless it is a result, whose role has its checksum.

        One that returns, or takes the place of one that was removed, is looked at at once: after a
        stroke nothing would tell which it was.
        """
        role = role_of(layer)
        if not is_mask(layer) or role is None:
            return
        if role.checksum is None and layer not in self.unedited:
            self.unedited.keep(layer, checksum(layer.data))
        owner = key_of_case(layer)
        edits = self._edits.get(owner)
        if owner in self._closed or (edits is not None and edits.removed):
            self._copy_edits(owner, by_case(masks_among(self._layers))[owner])

    def _on_removed(self, event: Any) -> None:
        """Save an edited mask that is removed from the viewer."""
        layer = event.value
        if not settings.get("autosave") or not is_mask(layer):
            return
        owner, key = key_of_case(layer), layer_key(layer)
        others = by_case(masks_among(self._layers)).get(owner, [])
        self._copy_edits(owner, [*others, layer])
        edits = self._edits.get(owner)
        if edits is None:
            return
        if key in edits.copies:
            edits.removed[key] = edits.copies.pop(key)
        self._start_write(edits)
        if not others:
            self._close(owner)

    def _close(self, owner: str) -> None:
        """Stop updating the file of a case; after the last case, unlock the folder."""
        edits = self._edits.pop(owner)
        self._closed[owner] = CaseEdits(edits.case, written_checksums=edits.written_checksums)
        if not self._edits:
            self._pending_writes.append(_write_thread().submit(self.folder.unlock))

    def _copy_edits(self, owner: str, layers: list[Labels]) -> None:
        """Copy the edited masks of a case that changed since the last copy.

        ET, TC and WT are always copied together, because they form one segmentation.
        """
        edits = self._edits.get(owner) or CaseEdits(case_of_mask(layers[0]))
        by_key = {layer_key(layer): layer for layer in layers}
        checksums = {key: checksum(layer.data) for key, layer in by_key.items()}
        self._set_replaced_aside(owner, edits, checksums)
        edits.removed = {k: copy for k, copy in edits.removed.items() if k not in by_key}
        edited = {k for k, layer in by_key.items() if checksums[k] != self.unedited.checksum(layer)}
        regions = {k for k, layer in by_key.items() if region_of(layer) is not None}
        if edited & regions or any(copy.region is not None for copy in edits.removed.values()):
            edited |= regions
        edits.copies = {
            key: copy
            if (copy := edits.copies.get(key)) is not None and copy.checksum == checksums[key]
            else copy_of(by_key[key], checksums[key], self.unedited.checksum(by_key[key]))
            for key in edited
        }
        if edits.copies or edits.removed or edits.written_checksums:
            self._edits[owner] = edits

    def _set_replaced_aside(
        self, owner: str, edits: CaseEdits, checksums: Mapping[str, int]
    ) -> None:
        """Keep the file of edits whose layers were removed and have others in their place.

        Nothing was asked when these were made or opened. Layers that return are no others.
        """
        closed = self._closed.pop(owner, edits)
        removed = {key: copy.checksum for key, copy in edits.removed.items()}
        before = (removed if closed is edits else closed.written_checksums).items()
        if any(checksums.get(key, crc) != crc for key, crc in before):
            edits.written_checksums = {}
            self.readers.forget(owner)
            file = self.folder.file_of(edits.case)
            self._pending_writes.append(_write_thread().submit(_set_aside, self.folder, file))

    def _on_setting(self, name: str, value: Any) -> None:
        """Save what was edited under the name of another reader before."""
        if name == "reader":
            if self.readers.is_named:
                self.save()
            self.readers.name(value)

    def _start_write(self, edits: CaseEdits) -> None:
        copies = {**edits.removed, **edits.copies}
        checksums = {key: copy.checksum for key, copy in copies.items()}
        if checksums == edits.written_checksums and not edits.write_failed:
            return
        edits.written_checksums = checksums
        edits.last_write = _write_thread().submit(
            _write_file,
            self.folder,
            edits.case,
            list(copies.values()),
            self.readers.of_edits(edits.case, edited=bool(copies)),
        )
        self._pending_writes.append(edits.last_write)


def _write_file(
    folder: AutosaveFolder, case: Case, copies: list[MaskCopy], readers: Sequence[str] = ()
) -> None:
    if not copies:
        folder.discard(folder.file_of(case))
        return
    folder.lock()
    write_masks(folder.file_of(case), case, [copy.cropped(case) for copy in copies], readers)


def _set_aside(folder: AutosaveFolder, file: Path) -> None:
    if file.exists():
        folder.set_aside(file)


@cache
def _write_thread() -> ThreadPoolExecutor:
    """One thread for the writes of all viewers, in order; Python waits for it at exit."""
    return ThreadPoolExecutor(1, "smalltumor-autosave")
