"""DICOM files that are there twice are one."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from dicom_cases import SHAPE, noise, pydicom, write_series
from smalltumor.scanner.source import find_source
from smalltumor.scanner.studies import find_studies
from synthetic import grid_along


def copied(folder: Path, target: Path) -> list[Path]:
    """Copies of the files of a folder, under other names."""
    target.mkdir(parents=True, exist_ok=True)
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return [Path(shutil.copy(path, target / f"{path.name}_copy")) for path in files]


@pytest.mark.parametrize("where", ["same", "other"])
def test_files_that_are_there_twice_are_read_once_and_this_is_said(tmp_path: Path, where: str):
    grid = grid_along("LPS", SHAPE)
    folder = write_series(tmp_path / "same", noise(), grid, "Ax T1")
    copies = copied(folder, tmp_path / where)
    found = find_studies(tmp_path)
    (study,) = found.studies
    (series,) = study.series
    assert series.problem == ""
    np.testing.assert_array_equal(series.read().data, noise())
    (warning,) = found.warnings
    assert str(warning).startswith("12 DICOM files are left out as copies of others (")
    # A file that is named by the user may be one of those that are left out.
    read = {
        find_source(None, {"t1ce": path}, allow_missing=True).assignment.chosen["t1ce"].shape
        for path in (copies[0], next(folder.iterdir()))
    }
    assert read == {SHAPE}


def test_a_copy_with_another_comment_in_its_header_is_a_copy(tmp_path: Path):
    folder = write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "Ax T1")
    for path in copied(folder, folder):
        image = pydicom.dcmread(path)
        image.ImageComments = "exported again"
        image.save_as(path)
    (study,) = find_studies(tmp_path).studies
    assert study.series[0].problem == ""


def test_files_of_one_uid_with_other_pixels_are_no_copies(tmp_path: Path):
    folder = write_series(tmp_path, noise(1), grid_along("LPS", SHAPE), "Ax T1")
    write_series(folder, noise(2), grid_along("LPS", SHAPE), "Ax T1", suffix="b")
    found = find_studies(tmp_path)
    assert found.warnings == ()
    assert found.studies[0].series[0].problem == "it has 24 images at 12 positions"
