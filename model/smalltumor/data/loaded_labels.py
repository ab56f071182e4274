"""Labels as they were read, and whether their file still holds them."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from smalltumor.data.loaded_images import LoadedFile
from smalltumor.data.volumes.nifti import Volume
from smalltumor.errors import SmalltumorError


class LoadedLabels(LoadedFile):
    """A label file that was read, without its voxels, which are edited in the viewer.

    Parameters
    ----------
    volume : Volume
        As `read` returns it.
    read : callable
        Reads a label file: `smalltumor.data.masks.label_files.read_label_volume`.
    """

    def __init__(self, volume: Volume, read: Callable[[Path], Volume]) -> None:
        super().__init__(volume.path, volume.stamp)
        self._read = read
        self._grid = volume.grid
        self.checksum = checksum_of(volume)
        """CRC-32 of the voxels."""

    def _is_in_file(self) -> bool:
        try:
            now = self._read(self.path)
        except SmalltumorError:
            return False
        return self._grid.matches(now.grid) and self.checksum == checksum_of(now)


def checksum_of(volume: Volume) -> int:
    """CRC-32 of the voxels of a volume."""
    return zlib.crc32(np.ravel(volume.data, order="F").data)
