"""A case knows whether its files still hold the images that were read."""

import os
import shutil
import time

import nibabel as nib
import numpy as np
import pytest
from smalltumor.data.loaded_images import LoadedImage
from smalltumor.data.read_case import read_case
from synthetic import write_case


@pytest.fixture
def folder(tmp_path):
    return write_case(tmp_path / "case")


def _write_other(path):
    image = nib.load(path)
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj)[::-1] + 1, image.affine), path)


def test_files_that_are_as_they_were_read_are_no_change(folder):
    case = read_case(folder)
    assert len(case.loaded_images) == 4
    assert not case.has_changed_images


def test_a_touch_and_a_copy_of_the_same_image_are_no_change(folder, tmp_path, monkeypatch):
    case = read_case(folder)
    path = case.paths["t1"]
    os.utime(path, ns=(1, 1))
    assert not case.has_changed_images
    shutil.copy(path, tmp_path / "copy.nii.gz").replace(path)
    assert not case.has_changed_images
    # Once compared, the same files are not read again.
    monkeypatch.setattr(LoadedImage, "_is_in_file", lambda self: pytest.fail("read again"))
    assert not case.has_changed_images


@pytest.mark.parametrize("modality", ["flair", "t1ce", "t1", "t2"])
def test_another_image_in_the_place_of_one_is_a_change(folder, modality):
    case = read_case(folder)
    _write_other(case.paths[modality])
    assert case.has_changed_images and case.has_changed_images


def test_another_image_of_the_same_size_and_time_is_a_change(folder):
    case = read_case(folder)
    image = case.loaded_images[case.paths["t1ce"]]
    path, status = image.volume.path, image.volume.path.stat()
    content = bytearray(path.read_bytes())
    content[-1] ^= 255  # of gzip's length, so that the file is damaged
    time.sleep(0.05)  # before Linux 6.13, times of files move on every 10 ms
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert case.has_changed_images


def test_a_folder_that_was_moved_away_is_no_change_but_another_in_its_place_is(tmp_path):
    first, second = (write_case(tmp_path / name) for name in ("first", "second"))
    for path in second.iterdir():
        _write_other(path)
    case = read_case(first)
    first.rename(tmp_path / "old")
    assert not case.has_changed_images
    (first / "masks").mkdir(parents=True)
    assert not case.has_changed_images
    shutil.rmtree(first)
    second.rename(first)
    assert case.has_changed_images


def test_another_patients_folder_in_the_place_of_one_is_a_change_whatever_its_files_are_named(
    tmp_path,
):
    case = read_case(write_case(tmp_path / "first"))
    other = write_case(tmp_path / "second")
    for path in other.iterdir():
        path.rename(path.with_name(path.name.replace("case", "other")))
    (tmp_path / "first").rename(tmp_path / "old")
    other.rename(tmp_path / "first")
    assert case.has_changed_images


def test_a_4d_file_is_compared_as_a_whole(tmp_path):
    path = tmp_path / "scan.nii.gz"
    voxels = np.random.default_rng(0).integers(1, 99, (8, 9, 7, 4)).astype(np.int16)
    nib.save(nib.Nifti1Image(voxels, np.eye(4)), path)
    case = read_case(path)
    nib.save(nib.Nifti1Image(voxels, np.eye(4)), path)
    assert not case.has_changed_images
    nib.save(nib.Nifti1Image(voxels[::-1], np.eye(4)), path)
    assert case.has_changed_images


def test_images_that_were_resampled_are_not_kept_twice(folder):
    path = folder / "case_t2.nii.gz"
    image = nib.load(path)
    affine = image.affine.copy()
    affine[0, 3] += 2
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), affine), path)
    assert path not in read_case(folder, resample=True).loaded_images
