"""What every reader of volumes refuses: huge files, odd voxels, and files that are replaced."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from smalltumor.data.volumes.nifti_header import MAX_BYTES
from smalltumor.errors import CaseError


def check_numbers(dtype: np.dtype[np.generic], path: Path) -> None:
    """Refuse a file whose voxels are not integers or floats of at most 64 bits."""
    if dtype.kind in "iuf" and dtype.itemsize <= 8:
        return
    if dtype.names is not None:
        raise CaseError(
            f"{path} holds colours (RGB), not grey values or label values; save the image before "
            "colours were laid over it, or the mask as a label map"
        )
    if dtype.kind == "c":
        raise CaseError(
            f"{path} holds complex numbers; save their magnitude as an image of its own"
        )
    raise CaseError(
        f"{path} holds numbers of an uncommon type; save it with 32-bit floating point numbers"
    )


def check_size(size: int, path: Path) -> None:
    """Refuse a file with more than `MAX_BYTES` of voxels, unpacked."""
    if size > MAX_BYTES:
        raise CaseError(
            f"{path}: {size / 2**30:.1f} GB unpacked is over the limit of "
            f"{MAX_BYTES // 2**30} GB for one volume"
        )


def check_finite(data: npt.NDArray[np.generic], path: Path) -> None:
    """Refuse voxels that are NaN or infinite."""
    if data.dtype.kind == "f" and not np.isfinite(data).all():
        raise CaseError(f"{path} has NaN or infinite voxels; replace them first")


def check_unchanged(before: object, after: object, path: Path) -> None:
    """Refuse a file that held something else before than after it was read."""
    if before != after:
        raise CaseError(f"{path} was replaced while it was read; read it again")
