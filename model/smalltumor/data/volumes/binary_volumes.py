"""Whether a volume is a mask by its voxels, read no further than needed to tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from smalltumor.data.volumes.nifti import is_nifti_name
from smalltumor.data.volumes.nifti_header import read_header, spatial_shape, voxel_offset
from smalltumor.data.volumes.unpacking import unpack
from smalltumor.data.volumes.volume_files import read_volume
from smalltumor.data.volumes.voxel_checks import check_numbers, check_size
from smalltumor.errors import CaseError

_FIRST_PART = 2**20
"""Bytes of voxels that are looked at first: of most images they have more than two values."""

_GROWTH = 4


def is_binary(path: Path) -> bool:
    """Whether the voxels of a volume have exactly two values; NaN counts as 0.

    Of a NIfTI image the start is read, to the third value; of a mask all. The stored values are
    counted, which an intensity scale in the header does not make more or fewer. A file that
    cannot be read is not said to be binary: reading it tells what is wrong.

    Parameters
    ----------
    path : Path
        Of any format that is read.

    Raises
    ------
    MissingPackageError
        If SimpleITK is needed and not installed.
    """
    try:
        if is_nifti_name(path):
            return _is_binary_nifti(path)
        return _count_to_three(read_volume(path, allow_nonfinite=True).data) == 2
    except CaseError:
        return False


def _is_binary_nifti(path: Path) -> bool:
    header = read_header(path)
    dtype = header.get_data_dtype()
    check_numbers(dtype, path)
    offset = voxel_offset(header, path)
    size = offset + int(np.prod(spatial_shape(header, path), dtype=object)) * dtype.itemsize
    check_size(size, path)
    part = _FIRST_PART
    while True:
        content = unpack(path, min(size, offset + part))
        voxels = max(len(content) - offset, 0) // dtype.itemsize
        count = _count_to_three(np.frombuffer(content, dtype, voxels, offset)) if voxels else 0
        if count > 2 or offset + part >= size:
            return count == 2 and len(content) == size
        part *= _GROWTH


def _count_to_three(data: npt.NDArray[np.generic]) -> int:
    """The number of values of an array, or 3 if there are more."""
    rest = data.ravel(order="K")
    if rest.dtype.kind == "f":
        rest = np.where(np.isnan(rest), rest.dtype.type(0), rest)
    count = 0
    while rest.size and count < 3:
        rest = rest[rest != rest[0]]
        count += 1
    return count
