"""Headers that lost, contradict or displace an image are told; sound ones are not."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from smalltumor.data.volumes.header_checks import check_axes, check_sides, header_warnings
from smalltumor.data.volumes.nifti import Volume, read_nifti
from smalltumor.errors import GridMismatchError
from synthetic import ORIENTATIONS, grid_along

GRID = grid_along("LPS", degrees=12.0, spacing=(0.9375, 0.9375, 5.0))
MIRROR = np.diag([-1.0, 1.0, 1.0, 1.0])
SOUND = (GRID.affine, 1, GRID.affine, 1)
UNKNOWN = (None, 0, None, 0)
DISAGREEING = (MIRROR @ GRID.affine, 1, GRID.affine, 1)


def volume(path: Path, sform, sform_code, qform, qform_code, unit: str = "mm") -> Volume:
    header = nib.Nifti1Header()
    header.set_data_shape(GRID.shape)
    header.set_xyzt_units(unit)
    header.set_qform(qform, qform_code)  # sets pixdim, too
    header.set_sform(sform, sform_code)
    nib.save(nib.Nifti1Image(np.ones(GRID.shape, np.int16), None, header), path)
    return read_nifti(path)


def moved(*mm: float) -> np.ndarray:
    affine = GRID.affine.copy()
    affine[:3, 3] += mm
    return affine


@pytest.mark.parametrize("axcodes", ORIENTATIONS[::5])
@pytest.mark.parametrize("codes", [(1, 1), (0, 1), (1, 2), (4, 1)])
def test_sound_headers_of_any_orientation_are_not_told(tmp_path, axcodes, codes):
    affine = grid_along(axcodes, degrees=12.0, spacing=(0.46875, 0.46875, 5.0)).affine
    assert header_warnings([volume(tmp_path / "a.nii", affine, codes[0], affine, codes[1])]) == []


@pytest.mark.parametrize("unit", ["mm", "micron", "unknown"])
def test_a_sound_header_in_another_unit_is_not_told(tmp_path, unit):
    affine = GRID.affine.copy()
    affine[:3] *= 1000 if unit == "micron" else 1
    assert header_warnings([volume(tmp_path / "a.nii", affine, 1, affine, 1, unit)]) == []


def test_an_sform_without_a_qform_is_not_told(tmp_path):
    nib.save(nib.Nifti1Image(np.ones(GRID.shape, np.int16), GRID.affine), tmp_path / "a.nii")
    read = read_nifti(tmp_path / "a.nii")
    assert (int(read.header["sform_code"]), int(read.header["qform_code"])) == (2, 0)
    assert header_warnings([read]) == []


def test_a_qform_without_an_sform_is_not_told(tmp_path):
    read = volume(tmp_path / "a.nii", None, 0, GRID.affine, 1)
    assert not read.header.get_sform()[:3].any()
    assert header_warnings([read]) == []


def test_a_standard_space_beside_the_scanners_is_no_disagreement(tmp_path):
    scaled = np.diag([1.1, 1.2, 1.1, 1.0]) @ GRID.affine
    for standard in (moved(20, 30, -40), scaled):
        assert header_warnings([volume(tmp_path / "a.nii", standard, 4, GRID.affine, 1)]) == []


@pytest.mark.parametrize(
    ("forms", "text"),
    [
        (UNKNOWN, "does not give left and right .* axes are assumed to be LAS"),
        (DISAGREEING, "sform and qform disagree about left and right; the sform is used"),
        ((GRID.affine @ np.diag([1, -1, 1, 1]), 1, GRID.affine, 1), "about left and right"),
        ((GRID.affine, 1, moved(20, 0, 0), 1), "disagree about the position by up to 20 mm"),
        ((GRID.affine @ np.diag([1, 1, 0.2, 1]), 1, GRID.affine, 1), r"0\.94 x 1 and .* x 5 mm"),
        ((GRID.affine @ np.diag([1, 1, 0.2, 1]), 1, GRID.affine, 0), r"voxel size, 0\.94 x "),
    ],
)
def test_what_is_wrong_is_told_with_the_file(tmp_path, forms, text):
    (warning,) = header_warnings([volume(tmp_path / "a.nii", *forms)])
    assert re.search(text, warning)
    assert warning.startswith(f"{tmp_path / 'a.nii'}: ")


def test_files_with_the_same_problem_share_a_warning(tmp_path):
    files = [volume(tmp_path / f"{name}.nii", *UNKNOWN) for name in "abc"]
    (warning,) = header_warnings([*files, files[0], volume(tmp_path / "d.nii", *SOUND)])
    assert warning.startswith(f"{tmp_path / 'a.nii'}, b.nii and c.nii: the header does not")


@pytest.mark.parametrize("bad", [UNKNOWN, DISAGREEING])
def test_an_image_that_may_be_mirrored_is_not_registered_to_a_sound_one(tmp_path, bad):
    images = volume(tmp_path / "bad.nii", *bad), volume(tmp_path / "b.nii", *SOUND)
    for moving, fixed in (images, images[::-1]):
        with pytest.raises(GridMismatchError, match=r"bad\.nii: .*may be mirrored.*DICOM"):
            check_sides(moving, fixed)


def test_images_of_one_tool_are_compared_as_they_are(tmp_path):
    for number, forms in enumerate([SOUND, UNKNOWN, DISAGREEING]):
        pair = [volume(tmp_path / f"{number}{name}.nii", *forms) for name in "ab"]
        for moving, fixed in combinations(pair, 2):
            check_sides(moving, fixed)


def test_images_without_orientation_on_different_grids_are_refused(tmp_path):
    nib.save(nib.Nifti1Image(np.ones((9, 8, 7), np.int16), None), tmp_path / "a.nii")
    with pytest.raises(GridMismatchError, match="does not give left and right"):
        check_sides(read_nifti(tmp_path / "a.nii"), volume(tmp_path / "b.nii", *UNKNOWN))


@pytest.mark.parametrize("bad", [UNKNOWN, DISAGREEING])
def test_labels_that_may_be_mirrored_are_not_turned_to_the_axes_of_the_images(tmp_path, bad):
    labels = volume(tmp_path / "seg.nii", *bad)
    check_axes(labels, labels.grid)
    with pytest.raises(GridMismatchError, match=r"seg\.nii: .*may be mirrored"):
        check_axes(labels, grid_along("PIR"))
    check_axes(volume(tmp_path / "sound.nii", *SOUND), grid_along("PIR"))


@pytest.mark.parametrize(("length", "warnings"), [(1 + 1e-6, 0), (2.0, 1), (np.nan, 1)])
def test_a_damaged_qform_is_told_and_a_rounded_one_is_not(tmp_path, length, warnings):
    affine = grid_along("LPS").affine  # turned by 180 degrees: the quaternion is (0, 0, 0, 1)
    header = volume(tmp_path / "a.nii", affine, 1, affine, 1).header.copy()
    header["quatern_d"] = length
    nib.save(nib.Nifti1Image(np.ones(GRID.shape, np.int16), None, header), tmp_path / "b.nii")
    found = header_warnings([read_nifti(tmp_path / "b.nii")])
    assert len(found) == warnings and all("the qform is damaged" in text for text in found)
