"""A file that is named after another patient than it is of is written only if the user agrees."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from napari_cases import write_case_along
from qtpy.QtWidgets import QFileDialog
from shown_layers import show_segmentation
from smalltumor.data.identity.visits import name_with_visit
from smalltumor.data.segmentation import Segmentation

from napari_smalltumor import questions
from napari_smalltumor.export.dialogs.export_dialog import ask_and_export
from napari_smalltumor.export.dialogs.other_patients_file import confirm_other_patients_file
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.layers.patient import Patient
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """The questions, which are answered with *Cancel*."""
    texts: list[str] = []
    monkeypatch.setattr(questions, "confirm", lambda *a: bool(texts.append(a[2])))
    return texts


def open_segmented(viewer, folder: Path):
    case = case_of(open_case(viewer, folder)[0])
    classes = np.ones(case.grid.shape, np.uint8)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))
    return case


def test_an_export_under_the_name_of_another_open_patient_asks_and_names_both(
    make_napari_viewer, tmp_path, asked, errors, monkeypatch
):
    viewer = make_napari_viewer()
    for name in ("Anna", "Bert"):
        open_segmented(viewer, write_case_along(tmp_path / name))
    assert active_patient(viewer).title == "Bert"
    third = tmp_path / "third"
    third.mkdir()
    chosen = third / "Anna_smalltumor.nii.gz"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(chosen), a[3]))
    assert ask_and_export(viewer, None, per_region=False) == []
    assert asked == [
        "Anna_smalltumor.nii.gz is named after Anna, who is open, too, but the regions in it are "
        "those of Bert.\n\nWrite the regions of Bert under this name?"
    ]
    assert not chosen.exists() and errors == []
    monkeypatch.setattr(questions, "confirm", lambda *a: True)
    assert ask_and_export(viewer, None, per_region=False) == [chosen]


OPEN = [Patient("P7", Path("/data/P7")), Patient("P7_visit2", Path("/data/P7_visit2"))]
OPEN += [Patient("Anna", Path("/data/a")), Patient("Anna", Path("/data/b"))]


VIEWER = SimpleNamespace(layers=[])


class Open:
    """Two visits of one patient, and two patients of one name."""

    patients = OPEN

    @staticmethod
    def title_of(patient: Patient) -> str:
        return str(patient.folder)


@pytest.mark.parametrize(
    ("patient", "name", "whose"),
    [
        (OPEN[0], "P7_smalltumor.nii.gz", ""),
        (OPEN[0], "final.nii.gz", ""),
        (OPEN[0], "P7_reader2.dcm", ""),
        (OPEN[0], "p7_visit2_report.pdf", "/data/P7_visit2, who is open, too"),
        (OPEN[0], "P8_ET_lesions.csv", "another patient or scan"),
        (OPEN[1], "P7_visit2.nii.gz", ""),
        (OPEN[1], "P7_smalltumor.nii.gz", "/data/P7, who is open, too"),
        (OPEN[1], "P7_visit3_smalltumor.nii.gz", "another patient or scan"),
        (OPEN[2], "Anna_smalltumor.nii.gz", ""),
    ],
)
def test_a_name_is_another_patients_if_it_states_that_one_and_not_its_own(
    asked, monkeypatch, patient, name, whose
):
    for module in ("other_patients", "dialogs.other_patients_file"):
        target = f"napari_smalltumor.export.{module}.active_patient"
        monkeypatch.setattr(target, lambda viewer: Open)
    may = confirm_other_patients_file(None, VIEWER, patient, Path("/out") / name, "regions")
    assert may == (not whose)
    assert [f"{name} is named after {whose}, but" in text for text in asked] == [True] * bool(whose)


@pytest.mark.parametrize(
    ("patient", "folder", "said"),
    [
        (OPEN[2], "/data/a", ""),
        (OPEN[2], "/data/b", "/data/b is the folder of /data/b, who is open, too."),
        (OPEN[2], "/data/P7", "/data/P7 is the folder of /data/P7, who is open, too."),
        (OPEN[2], "/out", ""),
    ],
)
def test_the_folder_of_another_open_patient_is_asked_about(
    asked, monkeypatch, patient, folder, said
):
    for module in ("other_patients", "dialogs.other_patients_file"):
        target = f"napari_smalltumor.export.{module}.active_patient"
        monkeypatch.setattr(target, lambda viewer: Open)
    path = Path(folder, "Anna_smalltumor.nii.gz")
    assert confirm_other_patients_file(None, VIEWER, patient, path, "regions") == (not said)
    assert [said in text for text in asked] == [True] * bool(said)


@pytest.mark.parametrize("name", ["Anna", "anna"])
def test_a_folder_with_other_images_of_the_name_is_asked_about(asked, monkeypatch, tmp_path, name):
    for module in ("other_patients", "dialogs.other_patients_file"):
        target = f"napari_smalltumor.export.{module}.active_patient"
        monkeypatch.setattr(target, lambda viewer: Open)
    (tmp_path / f"{name}_t1ce.nii.gz").touch()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "Eva_t1ce.nii.gz").touch()
    path = tmp_path / "Anna_smalltumor.nii.gz"
    assert not confirm_other_patients_file(None, VIEWER, OPEN[2], path, "regions")
    assert "holds images of the same name that are not those of /data/a" in asked[0]
    path = tmp_path / "other" / "Anna_smalltumor.nii.gz"
    assert confirm_other_patients_file(None, VIEWER, OPEN[2], path, "regions")


PATIENTS = [
    *(OPEN[0], OPEN[1], OPEN[2], Patient("BraTS2021_00495", Path("/data/BraTS2021_00495"))),
    *(Patient("MUELLER_2026", Path("/data")), Patient("P8", Path("/data/P8/visit2"))),
    *(Patient("P9", Path("/data/P9/follow-up")), Patient("P9_follow-up", Path("/data"))),
    *(Patient("sub-01_ses-02", Path("/data/anat")), Patient("sub-01", Path("/data/sub-01/anat"))),
    *(Patient("012", Path("/data/012")), Patient("P7_pre", Path("/data")), Patient("P7_v2", None)),
    *(Patient("GBM_followup_003", Path("/data")), Patient("baseline", Path("/data/baseline"))),
]
PROPOSED = ["_smalltumor.nii.gz", "_smalltumor.dcm", "_ET_lesions.csv", "_report.pdf"]


@pytest.mark.parametrize("ending", ["_follow-up.pdf", "_follow-up.html", *PROPOSED])
@pytest.mark.parametrize("patient", PATIENTS, ids=lambda each: f"{each.name} of {each.folder}")
def test_a_name_that_is_proposed_is_no_other_patients(asked, monkeypatch, patient, ending):
    target = "napari_smalltumor.export.other_patients.active_patient"
    monkeypatch.setattr(target, lambda viewer: Open)
    of_page = ending.split(".")[0] if ending not in PROPOSED[:3] else ""
    path = Path(f"/out/{name_with_visit(patient.name, patient.folder)}{ending}")
    assert confirm_other_patients_file(None, VIEWER, patient, path, "measures", of_page)
    assert asked == []


def test_the_end_of_a_page_s_name_does_not_hide_that_it_is_another_patients(asked, monkeypatch):
    for module in ("other_patients", "dialogs.other_patients_file"):
        target = f"napari_smalltumor.export.{module}.active_patient"
        monkeypatch.setattr(target, lambda viewer: Open)
    path = Path("/out/P7_visit2_follow-up.pdf")
    assert not confirm_other_patients_file(None, VIEWER, OPEN[0], path, "measures", "_follow-up")
    assert "named after /data/P7_visit2" in asked[0]
