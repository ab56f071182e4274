"""Labels that were read are known again, whatever is drawn on them in the viewer."""

import os
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from smalltumor.data.loaded_labels import LoadedLabels
from smalltumor.data.masks.label_files import read_label_volume

SHAPE = (7, 8, 9)


def write_labels(path: Path, seed: int = 0, dtype: type = np.uint8, shift: float = 0.0) -> Path:
    data = np.random.default_rng(seed).integers(0, 4, SHAPE).astype(dtype)
    affine = np.eye(4)
    affine[0, 3] = shift
    nib.save(nib.Nifti1Image(data, affine), path)
    return path


@pytest.fixture
def path(tmp_path) -> Path:
    return write_labels(tmp_path / "seg.nii.gz")


def test_a_file_that_was_touched_or_written_again_is_no_change(path, tmp_path, monkeypatch):
    read = LoadedLabels(read_label_volume(path), read_label_volume)
    assert not read.is_changed
    os.utime(path, ns=(1, 1))
    assert not read.is_changed
    shutil.copy(path, tmp_path / "copy.nii.gz").replace(path)
    assert not read.is_changed
    monkeypatch.setattr(LoadedLabels, "_is_in_file", lambda self: pytest.fail("read again"))
    assert not read.is_changed


@pytest.mark.parametrize("other", [{"seed": 1}, {"shift": 2.0}])
def test_other_labels_or_another_place_are_a_change(path, other):
    read = LoadedLabels(read_label_volume(path), read_label_volume)
    write_labels(path, **other)
    assert read.is_changed and read.is_changed


def test_the_same_labels_of_another_type_are_no_change(path):
    read = LoadedLabels(read_label_volume(path), read_label_volume)
    write_labels(path, dtype=np.float32)
    assert not read.is_changed


def test_labels_that_were_edited_in_memory_are_still_those_of_the_file(path):
    volume = read_label_volume(path)
    read = LoadedLabels(volume, read_label_volume)
    data = np.array(volume.data)
    data[:] = 0
    os.utime(path, ns=(1, 1))
    assert not read.is_changed


def test_a_file_that_is_gone_is_no_change_and_a_damaged_one_is(path):
    read = LoadedLabels(read_label_volume(path), read_label_volume)
    content = path.read_bytes()
    path.unlink()
    assert read.is_missing and not read.is_changed
    path.write_bytes(content[:40])
    assert read.is_changed and not read.is_missing
