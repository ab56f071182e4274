"""Malformed images are refused with their name or read correctly; no source file changes."""

from __future__ import annotations

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from malformed_images import READ, REFUSED
from synthetic import write_case

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def state(folder: Path) -> dict[str, tuple[int, int, bytes | None]]:
    """Size, modification time and content of every file of a folder."""
    return {
        str(path.relative_to(folder)): (
            os.lstat(path).st_size,
            os.lstat(path).st_mtime_ns,
            path.read_bytes() if path.is_file() and not path.is_symlink() else None,
        )
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def case(tmp_path) -> Path:
    folder = write_case(tmp_path / "case")
    (tmp_path / "out").mkdir()
    return folder


@pytest.mark.parametrize("name", REFUSED)
def test_the_file_is_refused_in_one_line_with_its_name(name, case, tmp_path, smalltumor):
    REFUSED[name](case / "case_t1ce.nii.gz")
    before = state(case)
    code, out, err = smalltumor("segment", case, "-o", tmp_path / "out" / "mask.nii.gz")
    assert code == 1
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("smalltumor: ")
    assert "t1ce" in line.lower()
    assert list((tmp_path / "out").iterdir()) == []
    assert state(case) == before


@pytest.mark.parametrize("name", READ)
def test_the_file_is_read_and_the_mask_has_its_affine(name, case, tmp_path, smalltumor):
    source = case / "case_t1ce.nii.gz"
    READ[name](source)
    before = state(case)
    code, _, err = smalltumor("segment", case, "-o", tmp_path / "out" / "mask.nii.gz")
    assert (code, err) == (0, "")
    mask = nib.load(tmp_path / "out" / "mask.nii.gz")
    assert mask.shape == (20, 22, 18)
    expected = np.diag([-1.0, -1.0, 1.0, 1.0])
    np.testing.assert_allclose(mask.affine, expected, atol=1e-6)
    assert set(np.unique(mask.dataobj)) <= {0, 1, 2, 4}
    assert b"Jane Doe" not in mask.to_bytes()
    assert state(case) == before
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mask.nii.gz"]
