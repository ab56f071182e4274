"""Images as they were read, and whether their files still hold them."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smalltumor.data.brain.background import Image, NonfiniteImageError, replace_nonfinite
from smalltumor.data.volumes.nifti import Volume
from smalltumor.data.volumes.volume_files import read_volume
from smalltumor.errors import SmalltumorError

_Stamp = tuple[int, ...]


def read_image(path: Path, *, allow_nonfinite: bool = False, with_content: bool = False) -> Volume:
    """Read an image, 3D or 4D; voxels of its background that are NaN or infinite are replaced.

    Parameters
    ----------
    path : Path
    allow_nonfinite : bool
        Leave a volume as it is that has such voxels in the brain, instead of raising an error.
    with_content : bool
        Tell which bytes were read.

    Raises
    ------
    CaseError
        As `read_volume`.
    NonfiniteImageError
        As `replace_nonfinite`.
    """
    stamp = stamp_of(path)
    read = read_volume(path, allow_nonfinite=True, with_content=with_content)
    volume = replace(read, stamp=stamp)

    def finite(image: Image) -> Image:
        try:
            return replace_nonfinite(image, str(path))
        except NonfiniteImageError:
            if allow_nonfinite:
                return image
            raise

    data = volume.data
    if data.ndim == 3:
        return replace(volume, data=finite(data))
    channels = [finite(data[..., n]) for n in range(data.shape[3])]
    if all(np.may_share_memory(channel, data) for channel in channels):
        return volume
    return replace(volume, data=np.stack(channels, axis=-1))


class LoadedFile(ABC):
    """A file that was read, which tells whether it holds something else now.

    What it holds is compared only if the file was written, so that a copy of the same volume in its
    place, or a new time, is no change.

    Parameters
    ----------
    path : Path
    stamp : tuple of int or None
        `stamp_of` the file before it was read.
    """

    def __init__(self, path: Path, stamp: _Stamp | None) -> None:
        self.path = path
        self._stamp_when_read = stamp
        self._stamp_when_changed: _Stamp | None = None

    @property
    def is_missing(self) -> bool:
        """Whether there is no such file now."""
        return stamp_of(self.path) is None

    @property
    def is_changed(self) -> bool:
        """Whether the file holds something else now, or what cannot be read."""
        now = stamp_of(self.path)
        if now is None or now == self._stamp_when_read:
            return False
        if now == self._stamp_when_changed:
            return True
        if self._is_in_file():
            self._stamp_when_read = now
            return False
        self._stamp_when_changed = now
        return True

    @abstractmethod
    def _is_in_file(self) -> bool:
        """Whether the file holds now what was read."""


class LoadedImage(LoadedFile):
    """An image in memory, which tells whether its file has been replaced since.

    Parameters
    ----------
    volume : Volume
        As `read_image` returns it.
    """

    def __init__(self, volume: Volume) -> None:
        super().__init__(volume.path, volume.stamp)
        self.volume = volume

    def rewritten(self, data: npt.NDArray[np.generic]) -> LoadedImage:
        """The image with the voxels that were written to its file just now."""
        return LoadedImage(replace(self.volume, data=data, stamp=stamp_of(self.volume.path)))

    @cached_property
    def checksum(self) -> int:
        """CRC-32 of the voxels."""
        return zlib.crc32(np.ravel(self.volume.data, order="F").data)

    @cached_property
    def is_uniform(self) -> bool:
        """Whether all voxels have one value, which may be NaN."""
        data = self.volume.data
        return np.array_equal(data, np.broadcast_to(data.flat[:1], data.shape), equal_nan=True)

    def _is_in_file(self) -> bool:
        own = self.volume
        try:
            now = read_image(own.path, allow_nonfinite=True)
        except SmalltumorError:
            return False
        return own.grid.matches(now.grid) and np.array_equal(own.data, now.data, equal_nan=True)


def stamp_of(path: Path) -> _Stamp | None:
    """What changes when a file is written or replaced; None if there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return (
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_ino,
        status.st_dev,
    )
