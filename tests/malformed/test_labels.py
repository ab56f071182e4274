"""Malformed label files are refused with their name."""

from __future__ import annotations

import shutil

import nibabel as nib
import numpy as np
import pytest
from malformed_labels import AFFINE, REFUSED
from synthetic import write_case


@pytest.mark.parametrize("name", REFUSED)
def test_the_file_is_refused_in_one_line_with_its_name(name, tmp_path, smalltumor):
    path = tmp_path / "odd_mask.nii.gz"
    REFUSED[name](path)
    before = path.read_bytes()
    table = tmp_path / "table.csv"
    code, out, err = smalltumor("lesions", path, "-o", table)
    assert (code, out) == (1, "")
    (line,) = err.splitlines()
    assert "odd_mask.nii.gz" in line
    assert not table.exists()
    assert path.read_bytes() == before


def test_thousands_of_lesions_are_listed(tmp_path, smalltumor):
    data = np.zeros((40, 40, 20), np.uint8)
    data[::2, ::2, ::2] = 1
    nib.save(nib.Nifti1Image(data, AFFINE), tmp_path / "many.nii.gz")
    code, out, _ = smalltumor("lesions", tmp_path / "many.nii.gz", "--labels", "mask")
    assert code == 0
    assert "4000 components" in out


@pytest.mark.parametrize("name", REFUSED)
def test_evaluation_refuses_the_file_with_its_name(name, tmp_path, smalltumor):
    for side in ("predictions", "truth"):
        (tmp_path / side).mkdir()
        write_labels(tmp_path / side / "a_seg.nii.gz")
    REFUSED[name](tmp_path / "predictions" / "a_seg.nii.gz")
    report = tmp_path / "report"
    folders = (tmp_path / "predictions", tmp_path / "truth")
    code, _, err = smalltumor("evaluate", *folders, "--truth-labels", "brats2018", "-o", report)
    assert code == 1
    assert ("predictions" if name == "value_3_of_two_schemes" else "a_seg.nii.gz") in err
    assert len(err.splitlines()) == 1


def write_labels(path) -> None:
    data = np.zeros((6, 7, 8), np.uint8)
    data[1:3, 1:3, 1:3] = 4
    nib.save(nib.Nifti1Image(data, AFFINE), path)


def test_a_case_with_damaged_labels_is_segmented(tmp_path, smalltumor):
    folder = write_case(tmp_path / "case")
    (folder / "case_seg.nii.gz").write_bytes(b"not an image")
    code, _, _ = smalltumor("segment", folder, "-o", tmp_path / "mask.nii.gz")
    assert code == 0
    shutil.rmtree(folder)
