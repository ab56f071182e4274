"""Files of a patient are proposed to be written beside its images."""

from __future__ import annotations

from pathlib import Path

import pytest
from napari.components import ViewerModel
from napari_cases import write_case_along

from napari_smalltumor import settings
from napari_smalltumor.layers.patient import Patient, patient_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.output_folder import output_folder, remember_output_folder


@pytest.fixture
def last(monkeypatch) -> list[str]:
    """The folders in napari's history, with the newest first."""
    folders: list[str] = [str(Path.home())]
    monkeypatch.setattr(settings, "last_folder", lambda **k: folders[0])
    monkeypatch.setattr(
        settings, "remember_folder", lambda path, **k: folders.insert(0, str(path.parent))
    )
    return folders


def opened(viewer: ViewerModel, folder: Path) -> Patient:
    patient = patient_of(open_case(viewer, write_case_along(folder, labels=False))[0])
    assert patient is not None
    return patient


def test_the_folder_of_the_images_comes_before_the_folder_last_used(tmp_path, last):
    patient = opened(ViewerModel(), tmp_path / "Pat")
    last.insert(0, str(tmp_path))
    assert output_folder(ViewerModel(), patient) == tmp_path / "Pat"


def test_a_folder_chosen_for_a_patient_is_proposed_for_no_other(tmp_path, last):
    viewer = ViewerModel()
    first, second = (opened(viewer, tmp_path / name) for name in ("First", "Second"))
    remember_output_folder(first, tmp_path / "mask.nii.gz")
    assert output_folder(viewer, first) == tmp_path
    assert output_folder(viewer, second) == tmp_path / "Second"


def test_the_folder_of_another_open_patient_is_not_proposed_although_it_was_chosen(tmp_path, last):
    viewer = ViewerModel()
    first, second = (opened(viewer, tmp_path / name / "Anna") for name in ("1", "2"))
    remember_output_folder(first, tmp_path / "2" / "Anna" / "Anna_report.pdf")
    assert output_folder(viewer, first) == tmp_path / "1" / "Anna"
    assert output_folder(viewer, second) == tmp_path / "2" / "Anna"


@pytest.mark.parametrize("own", [True, False])
def test_a_patient_without_files_gets_the_folder_last_used_unless_it_is_another_s(
    tmp_path, last, own
):
    viewer = ViewerModel()
    other = opened(viewer, tmp_path / "Other")
    last.insert(0, str(tmp_path if own else other.folder))
    expected = tmp_path if own else Path.home()
    assert output_folder(viewer, Patient("array")) == expected
