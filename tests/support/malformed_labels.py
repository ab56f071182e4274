"""Malformed label files: invalid values, types and shapes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np

AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0])
Maker = Callable[[Path], object]


def one_voxel(value: float, dtype: str) -> Maker:
    """A maker of a label file with one voxel of a value."""

    def make(path: Path) -> None:
        data = np.zeros((6, 7, 8), dtype)
        data[2, 3, 4] = value
        nib.save(nib.Nifti1Image(data, AFFINE, dtype=dtype), path)

    return make


def rgb(path: Path) -> None:
    data = np.zeros((6, 7, 8), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(data, AFFINE), path)


def four_axes(path: Path) -> None:
    nib.save(nib.Nifti1Image(np.ones((6, 7, 8, 2), np.uint8), AFFINE), path)


REFUSED: dict[str, Maker] = {
    "fractions": one_voxel(1.5, "f4"),
    "negative_values": one_voxel(-1, "i2"),
    "nan_value": one_voxel(np.nan, "f4"),
    "infinite_value": one_voxel(np.inf, "f8"),
    "value_5": one_voxel(5, "u1"),
    "value_2_to_the_40": one_voxel(2**40, "i8"),
    "value_2_to_the_63": one_voxel(2**63, "u8"),
    "value_1e30": one_voxel(1e30, "f8"),
    "value_3_of_two_schemes": one_voxel(3, "u1"),
    "rgb": rgb,
    "four_axes": four_axes,
}
