"""Autosave of unexported edits in the user's data folder.

An autosave file is deleted only when the edits are exported, undone, restored, discarded, or
replaced by a new result with the user's consent. Closing the case does not delete the file.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from smalltumor.data.case import Case

from napari_smalltumor import settings
from napari_smalltumor.autosave.baselines import Baselines
from napari_smalltumor.autosave.case_edits import EditsState
from napari_smalltumor.autosave.edited_cases import EditedCases
from napari_smalltumor.autosave.exports import record_export
from napari_smalltumor.autosave.folder import AutosaveFolder
from napari_smalltumor.autosave.mask_files import SUFFIX
from napari_smalltumor.autosave.masks import (
    by_case,
    case_of_mask,
    is_mask,
    key_of_case,
    layer_key,
    masks_among,
)
from napari_smalltumor.autosave.write_queue import WriteQueue
from napari_smalltumor.case_data.records import CaseRecord, case_key, file_name
from napari_smalltumor.layers.metadata import checksum, region_of, role_of
from napari_smalltumor.layers.titles import name_in_case

if TYPE_CHECKING:
    from napari.components import LayerList
    from napari.layers import Labels, Layer


class Autosave:
    """Autosave of the edited masks of a viewer.

    It passes what happens in the viewer to the `CaseEdits` of the case.

    Parameters
    ----------
    layers : LayerList
        The viewer's layers.
    root : Path, optional
        Folder of all autosaves; by default ``autosave`` in the user's data folder.
    """

    exported = Signal()
    """Masks were exported, so that they have fewer edits, or none, that are not saved."""

    def __init__(self, layers: LayerList, root: Path | None = None) -> None:
        self.folder = AutosaveFolder(root)
        self.baselines = Baselines()
        self._layers = layers
        self._writes = WriteQueue()
        self.cases = EditedCases(self.folder, self._writes, self.baselines)
        self._reader = settings.get("reader")
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
        for key, layers in by_case(masks_among(self._layers)).items():
            self.cases.update(key, layers)
        self.cases.write(self._reader)

    def wait(self) -> None:
        """Wait until all writes have ended. `problem` returns the error of a failed write."""
        self._writes.wait()

    def problem(self) -> str | None:
        """The message of the first write error since the last call, or None."""
        return self._writes.problem()

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
            self.baselines.set(layer, crc)
            exported.setdefault(key_of_case(layer), {})[layer_key(layer)] = crc
        self._record_exports(written, files)
        for key, checksums in exported.items():
            if (edits := self.cases.get(key)) is not None:
                edits.mark_exported(checksums)
        if settings.get("autosave"):
            self.save()
        else:
            self._delete_files_without_edits(exported)
        self.exported.emit()

    def _record_exports(self, written: Mapping[Layer, int], files: Sequence[Path] | None) -> None:
        """Keep time and place of an export, except of masks that changed since they were read."""
        if not settings.get("autosave"):
            return
        current = [layer for layer, crc in written.items() if checksum(layer.data) == crc]
        for layers in by_case(masks_among(current)).values():
            case, keys = case_of_mask(layers[0]), {layer_key(x): written[x] for x in layers}
            self._writes.submit(record_export, case, keys, time.time(), files)

    def _delete_files_without_edits(self, keys: Iterable[str]) -> None:
        """Delete files that were written before autosave was switched off."""
        shown = by_case(masks_among(self._layers))
        for key in keys:
            edits = self.cases.get(key)
            if edits is not None and key in shown and edits.state is EditsState.OPEN:
                self.cases.update(key, shown[key])
                if not edits.has_edits:
                    edits.write()
        self.cases.forget_ended()

    def edited(self, layers: Iterable[Layer]) -> list[str]:
        """Names of the masks among some layers whose edits were not exported.

        Masks of the same cases that were edited and then removed are named too.
        """
        names: list[str] = []
        for key, masks in by_case(masks_among(layers)).items():
            edited = [x for x in masks if self._is_edited(x)]
            names += [layer.name for layer in edited]
            if (edits := self.cases.get(key)) is not None:
                shown = {name_in_case(layer) for layer in edited}
                names += [name for name in edits.names_of_removed if name not in shown]
        return names

    def unsaved_results(self, layers: Iterable[Layer]) -> list[Labels]:
        """The masks among some layers of which a network's result was not exported."""
        return [x for x in masks_among(layers) if self.baselines.is_unsaved_result(x)]

    def lost_results(self, layers: Iterable[Layer]) -> list[Labels]:
        """Those of `unsaved_results` that are in no autosave file either when the case closes.

        ET, TC and WT are autosaved together as soon as one of them is edited.
        """
        if not settings.get("autosave"):
            return self.unsaved_results(layers)
        lost = []
        for key, masks in by_case(masks_among(layers)).items():
            edits = self.cases.get(key)
            kept = edits.kept_regions if edits is not None else frozenset()
            regions = {layer_key(x): x for x in masks if region_of(x) is not None}
            is_open = edits is None or edits.state is EditsState.OPEN
            if is_open and (kept or any(map(self._is_edited, regions.values()))):
                kept = frozenset(regions)
            lost += [x for x in self.unsaved_results(masks) if layer_key(x) not in kept]
        return lost

    def _is_edited(self, layer: Layer) -> bool:
        return checksum(layer.data) != self.baselines.checksum(layer)

    def unsaved(self, layers: Iterable[Layer]) -> list[str]:
        """Names of edited masks among some layers that are in no file, since autosave is off."""
        return [] if settings.get("autosave") else self.edited(layers)

    def mark_edited(
        self,
        layers: Iterable[Layer],
        readers: Sequence[str] = (),
        opened: Mapping[Layer, int | None] = MappingProxyType({}),
    ) -> None:
        """Save restored layers, even though they have not changed since they were added.

        Parameters
        ----------
        layers : iterable of Layer
        readers : sequence of str
            Who has made the edits.
        opened : mapping of Layer to int or None
            Of new layers, the checksum of the mask that was opened before it was edited, if known.
        """
        restored = list(masks_among(layers))
        for layer in restored:
            self.baselines.clear(layer)
            if layer in opened:
                self.baselines.set_restored(layer, opened[layer])
        shown = by_case(masks_among(self._layers))
        for key in by_case(restored):
            edits = self.cases.update(key, shown[key])
            edits.add_readers(readers)
            if settings.get("autosave"):
                edits.write()

    def readers_of(self, case: Case) -> tuple[str, ...]:
        """Who has made the edits of a case that were not exported, as far as they were named."""
        edits = self.cases.get(case_key(case))
        return () if edits is None else tuple(edits.readers)

    def restorable_files(self, case: Case) -> list[Path]:
        """Autosave files of a case that its viewers have closed, newest first."""
        return self.cases.restorable_files(case_key(case), file_name(case, SUFFIX))

    def restorable_files_of(self, record: CaseRecord) -> list[Path]:
        """Autosave files of the case of a record that its viewers have closed, newest first."""
        return self.cases.restorable_files(record.key, record.file_name(SUFFIX))

    def close(self) -> None:
        """Stop updating all files, whose folder is unlocked."""
        self.cases.close_all()

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
        if role.checksum is None and layer not in self.baselines:
            self.baselines.set_opened(layer, checksum(layer.data))
        key = key_of_case(layer)
        edits = self.cases.get(key)
        if edits is not None and edits.has_removed:
            self.cases.update(key, by_case(masks_among(self._layers))[key])

    def _on_removed(self, event: Any) -> None:
        """Save an edited mask that is removed from the viewer.

        While autosave is off, what was saved of it before is kept.
        """
        layer, is_on = event.value, settings.get("autosave")
        if not is_mask(layer):
            return
        key = key_of_case(layer)
        others = by_case(masks_among(self._layers)).get(key, [])
        if is_on:
            self.cases.update(key, [*others, layer])
        edits = self.cases.get(key)
        if edits is None:
            return
        edits.remove(layer_key(layer), only_saved=not is_on)
        if is_on:
            edits.write(self._reader)
        if not others:
            self.cases.close(key)

    def _on_setting(self, name: str, value: Any) -> None:
        """Save what was edited under the name of another reader before."""
        if name == "reader":
            if self._reader:
                self.save()
            self._reader = value
