"""Volumes with two values are told from images by their voxels."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from smalltumor.data.volumes.binary_volumes import is_binary

LARGE = (100, 100, 220)
"""More voxels than are looked at first."""


def write(path: Path, data: np.ndarray, *, slope: float = 1.0, inter: float = 0.0) -> Path:
    image = nib.Nifti1Image(data, np.eye(4))
    image.header.set_slope_inter(slope, inter)
    nib.save(image, path)
    return path


def mask(dtype: str, low: float, high: float) -> np.ndarray:
    data = np.full(LARGE, low, dtype)
    data[20:80, 20:80, 40:180] = high
    return data


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        ("u1", 0, 1),
        ("u1", 0, 255),
        (">i2", -1024, 7),
        ("f4", 0, 1),
        ("f8", np.nan, 1),
    ],
)
def test_two_values_of_any_type_are_binary(tmp_path, ending, dtype, low, high):
    assert is_binary(write(tmp_path / f"m{ending}", mask(dtype, low, high)))


def test_nan_around_a_mask_is_its_background(tmp_path):
    data = mask("f4", 0, 1)
    data[:10] = np.nan
    assert is_binary(write(tmp_path / "m.nii.gz", data))


def test_an_intensity_scale_does_not_change_the_number_of_values(tmp_path):
    assert is_binary(write(tmp_path / "m.nii.gz", mask("i2", 0, 1), slope=0.1, inter=-3.7))
    data = np.random.default_rng(0).integers(0, 9, (9, 9, 9)).astype(np.int16)
    assert not is_binary(write(tmp_path / "image.nii.gz", data, slope=1e-9, inter=1e6))


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_one_voxel_of_a_third_value_at_the_end_is_enough(tmp_path, ending):
    data = mask("u1", 0, 1)
    data[-1, -1, -1] = 2
    assert not is_binary(write(tmp_path / f"image{ending}", data))


def test_one_value_is_not_binary(tmp_path):
    assert not is_binary(write(tmp_path / "m.nii.gz", np.zeros((9, 9, 9), np.uint8)))


def test_noise_that_gzip_makes_larger_is_an_image(tmp_path):
    data = np.random.default_rng(0).normal(0, 1, LARGE)
    assert not is_binary(write(tmp_path / "image.nii.gz", data))


def test_a_truncated_or_damaged_file_is_not_said_to_be_binary(tmp_path):
    whole = gzip.decompress(write(tmp_path / "m.nii.gz", mask("u1", 0, 1)).read_bytes())
    (tmp_path / "truncated.nii").write_bytes(whole[:-1])
    (tmp_path / "damaged.nii.gz").write_bytes(b"\x1f\x8b damaged")
    (tmp_path / "header.nii").write_bytes(whole[:352])
    for name in ("truncated.nii", "damaged.nii.gz", "header.nii", "missing.nii.gz"):
        assert not is_binary(tmp_path / name)


@pytest.mark.parametrize("ending", [".mha", ".nrrd"])
def test_other_formats_are_told_apart_too(tmp_path, ending):
    sitk = pytest.importorskip("SimpleITK", reason="the extra raw is not installed")
    data = mask("u1", 0, 1)[:20, :30, :50]
    data[5:, 5:, 5:] = 1
    sitk.WriteImage(sitk.GetImageFromArray(data), str(tmp_path / f"m{ending}"), True)
    assert is_binary(tmp_path / f"m{ending}")
    data[0, 0, 0] = 2
    sitk.WriteImage(sitk.GetImageFromArray(data), str(tmp_path / f"image{ending}"), True)
    assert not is_binary(tmp_path / f"image{ending}")
