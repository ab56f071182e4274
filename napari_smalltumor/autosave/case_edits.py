"""The edits of one case, from the first stroke until they are exported, undone or answered for.

Masks can leave the viewer, and come back from their files or as the layers that were removed.

========  =======================  ================================================
state     masks in the viewer      the file
========  =======================  ================================================
OPEN      some                     has all edits when they are saved
CLOSED    none                     has the edits of removed masks; can be restored
REOPENED  some, none of them       as CLOSED; the user will be asked whether to
          edited                   restore it
========  =======================  ================================================

The table has what changes the state. All else is done in OPEN, and leaves it.

===============================================  ================  =========================
event                                            from              to
===============================================  ================  =========================
the last mask is removed, or the window closes   OPEN, REOPENED    CLOSED
unedited masks come                              CLOSED            REOPENED
an edited mask comes back as it was removed      CLOSED, REOPENED  OPEN, with these edits
another mask takes the place of a removed one    each              OPEN; file is set aside
a mask is edited                                 REOPENED          OPEN; file is set aside
the removed masks were exported                  CLOSED, REOPENED  OPEN; file is deleted
===============================================  ================  =========================

When the user has answered whether to restore the file, `EditedCases` forgets the case.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import Enum, auto
from typing import TYPE_CHECKING

from smalltumor.data.case import Case
from smalltumor.labels.regions import Region

from napari_smalltumor.autosave.baselines import Baselines
from napari_smalltumor.autosave.case_file import CaseFile
from napari_smalltumor.autosave.folder import AutosaveFolder
from napari_smalltumor.autosave.mask_copies import MaskCopy
from napari_smalltumor.autosave.masks import layer_key
from napari_smalltumor.autosave.write_queue import WriteQueue
from napari_smalltumor.layers.metadata import checksum, region_of

if TYPE_CHECKING:
    from napari.layers import Labels


class EditsState(Enum):
    """Whether the masks of a case are in the viewer, as in the table of this file."""

    OPEN = auto()
    CLOSED = auto()
    REOPENED = auto()


class CaseEdits:
    """The edits of one case.

    Parameters
    ----------
    case : Case
    folder : AutosaveFolder
    writes : WriteQueue

    Attributes
    ----------
    state : EditsState
    readers : list of str
        Who has made the edits, as far as readers were named.
    """

    def __init__(self, case: Case, folder: AutosaveFolder, writes: WriteQueue) -> None:
        self.state = EditsState.OPEN
        self.readers: list[str] = []
        self._file = CaseFile(case, folder, writes)
        # Edited masks in the viewer and those that were removed from it, by `layer_key`.
        self._shown: dict[str, MaskCopy] = {}
        self._removed: dict[str, MaskCopy] = {}

    @property
    def has_edits(self) -> bool:
        """Whether masks, in the viewer or removed, are edited."""
        return bool(self._shown or self._removed)

    @property
    def is_over(self) -> bool:
        """Whether there are no edits and no file."""
        return not (self.has_edits or self._file.checksums or self._file.write_failed)

    @property
    def is_saved(self) -> bool:
        """Whether the edits are in the file as of the last copy, if all writes have ended."""
        return bool(self._file.checksums) and not self._file.write_failed

    @property
    def has_removed(self) -> bool:
        """Whether edited masks were removed, which may come back or be replaced."""
        return bool(self._removed)

    @property
    def names_of_removed(self) -> list[str]:
        """Names of the edited masks that were removed while the case is open."""
        removed = self._removed.values() if self.state is EditsState.OPEN else ()
        return [copy.name for copy in removed]

    @property
    def kept_regions(self) -> frozenset[str]:
        """Keys of the regions that were removed, or closed, with the edits of their case."""
        return frozenset(key for key, copy in self._removed.items() if copy.is_region)

    def update(self, layers: Iterable[Labels], baselines: Baselines) -> None:
        """Copy the edited masks that changed since the last copy.

        ET, TC and WT are always copied together, because they form one segmentation.

        Parameters
        ----------
        layers : iterable of Labels
            All masks of the case in the viewer.
        baselines : Baselines
        """
        by_key = {layer_key(layer): layer for layer in layers}
        checksums = {key: checksum(layer.data) for key, layer in by_key.items()}
        edited = {k for k, layer in by_key.items() if checksums[k] != baselines.checksum(layer)}
        self._compare_with_removed(checksums, edited)
        if self.state is EditsState.OPEN:
            regions = {k for k, layer in by_key.items() if region_of(layer) is not None}
            if edited & regions or any(copy.is_region for copy in self._removed.values()):
                edited |= regions
        self._shown = {key: self._copy(by_key[key], checksums[key], baselines) for key in edited}

    def _copy(self, layer: Labels, checksum: int, baselines: Baselines) -> MaskCopy:
        """A copy of a mask: that of before if neither the mask nor its baseline changed."""
        baseline, opened = baselines.checksum(layer), baselines.opened_checksum(layer)
        copy = self._shown.get(layer_key(layer))
        if copy is not None and (
            copy.checksum,
            copy.baseline_checksum,
            copy.opened_checksum,
        ) == (checksum, baseline, opened):
            return copy
        return MaskCopy(layer, checksum, baseline, opened)

    def _compare_with_removed(self, checksums: Mapping[str, int], edited: Collection[str]) -> None:
        """Decide whether masks in the viewer are those that were removed, or are in their place.

        Nothing was asked when others were opened or made, so the file of the removed is kept.
        """
        before = {key: copy.checksum for key, copy in self._removed.items() if key in checksums}
        returned = {key for key, crc in before.items() if checksums[key] == crc}
        if before.keys() - returned:
            self._set_aside()
        elif self.state is not EditsState.OPEN:
            if not returned.isdisjoint(edited):
                self.state = EditsState.OPEN
                self._file.forget()
            elif edited:
                self._set_aside()
            else:
                self.state = EditsState.REOPENED
        if self.state is EditsState.OPEN:
            self._removed = {k: copy for k, copy in self._removed.items() if k not in checksums}

    def _set_aside(self) -> None:
        """Keep the file for a later question; what is edited from now on is in another one."""
        if self._file.write_failed:
            self.write()
        self._file.set_aside()
        self._removed, self.readers, self.state = {}, [], EditsState.OPEN

    def remove(self, key: str, *, only_saved: bool = False) -> None:
        """Keep the edits of a mask that is removed from the viewer.

        Parameters
        ----------
        key : str
            Its `layer_key`.
        only_saved : bool
            Whether to keep them only if the file has edits of this mask.
        """
        copy = self._shown.pop(key, None)
        if copy is not None and (key in self._file.checksums or not only_saved):
            self._removed[key] = copy

    def close(self) -> None:
        """Leave the file as it is: no mask of the case is in the viewer any more."""
        self._removed |= self._shown
        self._shown, self.state = {}, EditsState.CLOSED

    def mark_exported(self, exported: Mapping[str, int]) -> None:
        """Forget removed masks that an export has made obsolete.

        Parameters
        ----------
        exported : mapping of str to int
            Checksums of the exported masks, by `layer_key`. While a case is open, an export of
            regions also makes removed regions obsolete.
        """
        if self.state is EditsState.OPEN:
            self._removed = {
                key: copy
                for key, copy in self._removed.items()
                if not _is_obsolete(key, copy, exported)
            }
        elif all(exported.get(key) == copy.checksum for key, copy in self._removed.items()):
            self._removed, self.state = {}, EditsState.OPEN
            self.write()

    def add_readers(self, readers: Iterable[str]) -> None:
        """Name further readers who have made the edits."""
        self.readers += [reader for reader in readers if reader not in self.readers]

    def write(self, reader: str = "") -> None:
        """Write the edits, if the file has others or could not be written; delete it without any.

        Parameters
        ----------
        reader : str
            Who has made the edits since the last write, if named.
        """
        copies = {**self._removed, **self._shown}
        if self._file.holds(copies) and not self._file.write_failed:
            return
        if self.state is EditsState.OPEN:
            self.readers = self.readers if copies else []
            self.add_readers([reader] if reader and copies else [])
        self._file.write(copies, self.readers)


def _is_obsolete(key: str, copy: MaskCopy, exported: Mapping[str, int]) -> bool:
    if key in exported:
        return exported[key] == copy.checksum
    return copy.is_region and not exported.keys().isdisjoint(map(str, Region))
