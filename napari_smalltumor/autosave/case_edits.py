"""Copies of edited masks, by case, as they are written to an autosave file."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import Case
from smalltumor.geometry.boxes import bounding_box
from smalltumor.labels.regions import Region

from napari_smalltumor.autosave.mask_files import SavedMask
from napari_smalltumor.layers.coordinates import from_display
from napari_smalltumor.layers.metadata import LayerKind, region_of, role_of
from napari_smalltumor.layers.titles import name_in_case

if TYPE_CHECKING:
    from napari.layers import Labels


@dataclass(frozen=True)
class MaskCopy:
    """A copy of a labels layer's mask, with the checksums of the data and of those before edits."""

    checksum: int
    name: str
    data: npt.NDArray[np.integer]
    region: Region | None
    scheme: str | None
    predicted: bool
    started: int | None

    def cropped(self, case: Case) -> SavedMask:
        """The mask on the grid of its case, cropped to its voxels, as it is saved."""
        volume = from_display(self.data, case.grid)
        box = bounding_box(volume != 0)
        start = (box[0].start, box[1].start, box[2].start)
        return SavedMask(
            self.name, volume[box], start, self.region, self.scheme, self.predicted, self.started
        )


@dataclass
class CaseEdits:
    """The edits of one case.

    Parameters
    ----------
    case : Case
    copies : dict
        Copies of the edited layers in the viewer, by `layer_key`.
    removed : dict
        Copies of edited layers that were removed from the viewer, by `layer_key`.
    written_checksums : dict
        Checksums of the copies in the last write, by `layer_key`.
    last_write : Future, optional
        The last write that was started.
    """

    case: Case
    copies: dict[str, MaskCopy] = field(default_factory=dict)
    removed: dict[str, MaskCopy] = field(default_factory=dict)
    written_checksums: dict[str, int] = field(default_factory=dict)
    last_write: Future[None] | None = None

    @property
    def write_failed(self) -> bool:
        """Whether the last write has ended with an error."""
        write = self.last_write
        return write is not None and write.done() and write.exception() is not None

    def drop_obsolete(self, exported: Mapping[str, int]) -> None:
        """Drop copies of removed layers that an export has made obsolete.

        Parameters
        ----------
        exported : mapping of str to int
            Checksums of the exported masks, by `layer_key`. An export of regions also makes the
            copies of removed regions obsolete.
        """
        region_exported = not {str(region) for region in Region}.isdisjoint(exported)

        def is_obsolete(key: str, copy: MaskCopy) -> bool:
            if key in exported:
                return exported[key] == copy.checksum
            return region_exported and copy.region is not None

        self.removed = {k: copy for k, copy in self.removed.items() if not is_obsolete(k, copy)}


def copy_of(layer: Labels, crc: int, started: int | None) -> MaskCopy:
    """Copy the mask of a layer whose data have the checksum `crc`, and had `started` unedited."""
    role = role_of(layer)
    scheme = role.scheme if role is not None else None
    predicted = role is not None and role.kind is LayerKind.PREDICTION
    data, region = np.array(layer.data), region_of(layer)
    return MaskCopy(crc, name_in_case(layer), data, region, scheme, predicted, started)
