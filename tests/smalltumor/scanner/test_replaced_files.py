"""Files that are replaced after a folder was searched are not read as the patient's they were."""

from __future__ import annotations

import shutil

import nibabel as nib
import numpy as np
import pytest
from dicom_cases import SHAPE, noise, write_enhanced, write_series
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import CaseError
from smalltumor.scanner.dicom_seg import write_dicom_seg_of_series
from smalltumor.scanner.studies import find_studies
from synthetic import LPS, grid_along

GRID = grid_along("LPS", SHAPE)
OTHERS = {
    "patient": {"patient": "P2"},
    "visit of the patient": {"study": "1.2.4"},
    "series": {"number": 2},
}


@pytest.fixture
def incoming(tmp_path):
    """A folder with the only series of a study."""
    return write_series(tmp_path / "incoming", noise(), GRID, "Ax T1 POST")


def series_in(folder):
    (study,) = find_studies(folder).studies
    (series,) = study.series
    return series


@pytest.mark.parametrize("other", OTHERS)
def test_the_series_of_another_is_not_read_in_its_place(incoming, other):
    series = series_in(incoming)
    assert np.array_equal(series.read().data, noise())
    shutil.rmtree(incoming)
    write_series(incoming, noise(1), GRID, "Ax T1 POST", **OTHERS[other])
    with pytest.raises(CaseError, match="holds another image than when its folder was searched"):
        series.read()
    assert np.array_equal(series_in(incoming).read().data, noise(1))


def test_one_slice_of_another_is_enough(incoming, tmp_path):
    series = series_in(incoming)
    other = write_series(tmp_path / "other", noise(1), GRID, "Ax T1 POST", patient="P2")
    name = sorted(path.name for path in incoming.iterdir())[5]
    shutil.copy(other / name, incoming / name)
    with pytest.raises(CaseError, match="another image"):
        series.read()


@pytest.mark.parametrize("other", OTHERS)
def test_no_dicom_seg_refers_to_the_series_of_another(incoming, tmp_path, other):
    pytest.importorskip("highdicom", reason="highdicom is not installed: no DICOM SEG")
    series, path = series_in(incoming), tmp_path / "seg.dcm"
    mask = Segmentation("P1", (noise() % 4).astype(np.uint8), series.grid)
    shutil.rmtree(incoming)
    write_series(incoming, noise(1), GRID, "Ax T1 POST", **OTHERS[other])
    with pytest.raises(CaseError, match="another image"):
        write_dicom_seg_of_series(mask, series, path)
    assert not path.exists()
    write_dicom_seg_of_series(mask, series_in(incoming), path)


def test_an_enhanced_file_of_another_is_not_read_in_its_place(tmp_path):
    pydicom = pytest.importorskip("pydicom")
    path = write_enhanced(tmp_path / "study", noise(), GRID, "Ax T1 POST")
    series = series_in(tmp_path / "study")
    series.read()
    for file in [path] if path.is_file() else path.iterdir():
        header = pydicom.dcmread(file)
        header.PatientID = "P2"
        header.save_as(file)
    with pytest.raises(CaseError, match="another image"):
        series.read()


def test_a_volume_that_was_written_since_is_not_read(tmp_path):
    (tmp_path / "study").mkdir()
    path = tmp_path / "study" / "t1_post.nii.gz"
    nib.save(nib.Nifti1Image(noise(), LPS), path)
    series = series_in(tmp_path / "study")
    assert np.array_equal(series.read().data, noise())
    nib.save(nib.Nifti1Image(noise(1), LPS), path)
    with pytest.raises(CaseError, match="another image"):
        series.read()
