"""Files of masks, and whether they are as they were when they were written or read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import ref

from smalltumor.files.file_stamp import Stamp, written_stamp_of
from smalltumor.labels.regions import Region

from napari_smalltumor.layers.metadata import checksum, role_of

if TYPE_CHECKING:
    from napari.layers import Labels
    from smalltumor.data.segmentation import Segmentation


@dataclass(frozen=True)
class StampedFiles:
    """Files with what changes when another program writes or deletes them.

    Parameters
    ----------
    paths : tuple of Path
    stamps : tuple of tuple of int
        `written_stamp_of` each file.
    """

    paths: tuple[Path, ...]
    stamps: tuple[Stamp | None, ...]

    @classmethod
    def now(cls, paths: Iterable[Path]) -> StampedFiles:
        """The files as they are."""
        paths = tuple(paths)
        return cls(paths, tuple(map(written_stamp_of, paths)))

    @property
    def are_unchanged(self) -> bool:
        """Whether the files are as they were."""
        return self.stamps == tuple(map(written_stamp_of, self.paths))


@dataclass(frozen=True)
class WrittenMasks:
    """The masks of a patient as they were written.

    Parameters
    ----------
    stamped : StampedFiles
    checksums : mapping of Region to int
        Of the layers.
    results : mapping of Region to reference to a Segmentation
        The network's results that had filled the layers; None of layers that none had filled.
    corrected : bool
        Whether the masks were not those results, so that they cannot be computed again.
    """

    stamped: StampedFiles
    checksums: Mapping[Region, int]
    results: Mapping[Region, ref[Segmentation] | None]
    corrected: bool

    @classmethod
    def of(cls, files: Iterable[Path], layers: Mapping[Region, Labels]) -> WrittenMasks:
        """Masks that were just written."""
        checksums = checksums_of(layers)
        filled = {r: role.checksum for r, x in layers.items() if (role := role_of(x)) is not None}
        results = {region: _result_in(layer) for region, layer in layers.items()}
        return cls(StampedFiles.now(files), checksums, results, checksums != filled)

    def are_segmented_anew(self, layers: Mapping[Region, Labels]) -> bool:
        """Whether layers were filled with another result since corrected masks were written."""
        now = ((r, role_of(layer)) for r, layer in layers.items())
        filled = {r: role.result for r, role in now if role is not None and role.result is not None}
        before = {r: result() for r, result in self.results.items() if result is not None}
        return self.corrected and any(before.get(r) is not result for r, result in filled.items())

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that were written."""
        return self.stamped.paths

    @property
    def are_unchanged(self) -> bool:
        """Whether the files are as they were written."""
        return self.stamped.are_unchanged


@dataclass(frozen=True)
class ReadMask:
    """A mask as it was read.

    Parameters
    ----------
    checksum : int
        Of the layer.
    beside : StampedFiles
        The exported masks that lay beside the images; none if the mask was read from elsewhere.
    """

    checksum: int
    beside: StampedFiles


def checksums_of(layers: Mapping[Region, Labels]) -> dict[Region, int]:
    """Checksums of the data of region layers."""
    return {region: checksum(layer.data) for region, layer in layers.items()}


def _result_in(layer: Labels) -> ref[Segmentation] | None:
    role = role_of(layer)
    return None if role is None or role.result is None else ref(role.result)
