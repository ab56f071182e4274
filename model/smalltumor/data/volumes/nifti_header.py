"""Parsing of NIfTI headers: shape, place of the voxels in the file, and grid in mm.

Sizes in a damaged or malicious header must not decide how much memory is used.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from smalltumor.data.volumes.unpacking import unpack
from smalltumor.errors import CaseError
from smalltumor.files.damaged import DAMAGED
from smalltumor.geometry.grid import Affine, Grid

if TYPE_CHECKING:
    import nibabel as nib

MAX_BYTES = 4 * 2**30
"""Limit of an unpacked volume. BraTS volumes have 18 MB, 512 cubed float32 voxels 0.5 GB."""

HEADER_BYTES = 4096
"""Bytes at the start of a file that hold its header."""

_SPATIAL_UNIT = 7
_MILLIMETRES = {1: 1000.0, 2: 1.0, 3: 0.001}
"""Millimetres per unit, by NIfTI's code of metre, millimetre and micrometre; the default is mm."""


def read_header(path: Path) -> nib.Nifti1Header:
    """Read the header of a NIfTI file; only a few kilobytes are read.

    Raises
    ------
    CaseError
        If the file is missing or not NIfTI.
    """
    return parse_header(bytes(unpack(path, HEADER_BYTES)), path)


def millimetres_per_unit(header: nib.Nifti1Header) -> float:
    """Length in mm of the unit of a header; 1 if it gives none."""
    return _MILLIMETRES.get(int(header["xyzt_units"]) & _SPATIAL_UNIT, 1.0)


def read_spacing(path: Path) -> tuple[float, float, float]:
    """Read the voxel size of a NIfTI file along i, j and k in mm, as of the grid of its volume.

    Raises
    ------
    CaseError
        As `read_header`, or if the orientation in the header is damaged.
    """
    i, j, k = np.linalg.norm(_affine_in_mm(read_header(path), path)[:3, :3], axis=0).tolist()
    return i, j, k


def parse_header(content: bytes, path: Path) -> nib.Nifti1Header:
    """The header at the start of a file, unpacked; errors as of `read_header`."""
    from nibabel.spatialimages import HeaderDataError

    if not content:
        raise CaseError(f"{path} is empty (0 bytes); copy it again")
    kind = _header_kind(content[:4])
    if kind is None:
        raise CaseError(f"{path} is not a NIfTI file in spite of its name")
    size = kind.template_dtype.itemsize
    if len(content) < size:
        raise CaseError(f"{path} is truncated within its header; copy it again")
    try:
        header = kind.from_fileobj(io.BytesIO(content[:size]))
    except (HeaderDataError, EOFError, OSError, *DAMAGED) as error:
        raise CaseError(f"{path}: the NIfTI header is damaged ({error})") from error
    if bytes(header["magic"]).rstrip(b"\0\r\n\x1a") not in (b"n+1", b"n+2"):
        raise CaseError(
            f"{path} is an Analyze or split NIfTI header; convert the pair to one .nii.gz file"
        )
    if header["sform_code"] <= 0 and not np.all(kind(content[:size], check=False)["pixdim"][1:4]):
        # nibabel would use 1 mm.
        raise CaseError(f"{path}: the header gives no voxel sizes (zero)")
    return header


def _header_kind(size: bytes) -> Any:
    """Class of a header by its first four bytes, which hold its size in either byte order."""
    import nibabel as nib

    kinds = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
    return kinds.get(int.from_bytes(size, "little")) or kinds.get(int.from_bytes(size, "big"))


def spatial_shape(header: nib.Nifti1Header, path: Path) -> tuple[int, ...]:
    """Shape without trailing axes of length 1.

    Raises
    ------
    CaseError
        If it is neither 3D nor 4D.
    """
    shape = tuple(int(n) for n in header.get_data_shape())
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) not in (3, 4) or min(shape) < 1:
        raise CaseError(f"{path} has the shape {shape}; a 3D or 4D volume is needed")
    return shape


def voxel_offset(header: nib.Nifti1Header, path: Path) -> int:
    """The byte of the unpacked file at which the voxels start.

    Raises
    ------
    CaseError
        If it is negative, or over `MAX_BYTES`.
    """
    stored = float(header["vox_offset"])
    if not 0 <= stored <= MAX_BYTES:  # NaN too
        raise CaseError(
            f"{path}: the voxels cannot start at byte {stored:g}; the header is damaged"
        )
    return int(header.get_data_offset())


def grid_of(header: nib.Nifti1Header, shape: tuple[int, ...], path: Path) -> Grid:
    """The grid in mm.

    Raises
    ------
    CaseError
        If the orientation in the header is damaged.
    """
    affine = _affine_in_mm(header, path)
    try:
        return Grid((shape[0], shape[1], shape[2]), affine)
    except CaseError as error:
        raise error.prefixed(path) from error


def _affine_in_mm(header: nib.Nifti1Header, path: Path) -> Affine:
    """The sform, else the qform, else nibabel's default, whatever the unit of the file."""
    from nibabel.spatialimages import HeaderDataError

    try:
        with np.errstate(all="ignore"):  # Grid refuses what is not finite
            affine = np.array(header.get_best_affine(), dtype=np.float64)
    except (HeaderDataError, *DAMAGED) as error:
        raise CaseError(f"{path}: {error}") from error
    affine[:3] *= millimetres_per_unit(header)
    return affine
