"""Export to a BIDS dataset asks for its folder, and before it replaces a segmentation."""

import json

import nibabel as nib
import numpy as np
import pytest
from napari.utils._proxies import PublicOnlyProxy
from napari_cases import case_along, write_case_along
from qtpy.QtWidgets import QFileDialog, QInputDialog
from shown_layers import show_segmentation
from smalltumor.data.bids.names import bids_paths
from smalltumor.data.identity.image_digests import digests_of_images
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region

from napari_smalltumor import questions, settings
from napari_smalltumor.export.dialogs.bids_dialog import export_active_to_bids
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.layers.patient import Patient, patient_of_shown_case
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer()
    case = case_along("RAS")
    classes = np.random.default_rng(1).integers(0, 4, case.grid.shape).astype(np.uint8)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))
    return viewer


@pytest.fixture
def author_questions(monkeypatch) -> list[str]:
    """The names that were proposed; "A. Meier ;; B. Huber" is the answer to each question."""
    proposed: list[str] = []

    def answer(parent, title, label, mode, text):
        proposed.append(text)
        return "A. Meier ;; B. Huber", True

    monkeypatch.setattr(QInputDialog, "getText", answer)
    return proposed


@pytest.fixture
def sessions(monkeypatch) -> list[str]:
    """The sessions that were proposed, each of which is the answer; nobody is an author."""
    proposed: list[str] = []

    def answer(parent, title, label, mode, text):
        if title == "Session":
            proposed.append(text)
        return text, True

    monkeypatch.setattr(QInputDialog, "getText", answer)
    return proposed


def segmented(viewer, folder, seed: int) -> Patient:
    """Open a case with a mask that records its images, and make it active."""
    write_case_along(folder, labels=False, seed=seed)
    case = case_of(open_case(viewer, folder)[0])
    classes = np.full(case.grid.shape, 3, np.uint8)
    made_of = digests_of_images(case)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid, made_of=made_of))
    return patient_of_shown_case(viewer.layers, case)


def test_two_visits_of_one_patient_enter_one_dataset(
    make_napari_viewer, tmp_path, monkeypatch, messages, sessions
):
    viewer = make_napari_viewer()
    monkeypatch.setattr(questions, "confirm", lambda *a: pytest.fail(a[2]))
    dataset = tmp_path / "out"
    dataset.mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(dataset))
    segmented(viewer, tmp_path / "visit1" / "P7", 1)
    export_active_to_bids(PublicOnlyProxy(viewer))
    segmented(viewer, tmp_path / "visit2" / "P7", 2)
    export_active_to_bids(PublicOnlyProxy(viewer))
    assert {path.relative_to(dataset).parts[:-2] for path in dataset.rglob("*.nii.gz")} == {
        ("sub-P7",),
        ("sub-P7", "ses-visit2"),
    }
    assert sessions == ["visit2"]


def test_a_visit_that_is_in_the_dataset_is_replaced_there(
    make_napari_viewer, tmp_path, monkeypatch, messages, sessions
):
    viewer, asked = make_napari_viewer(), []
    monkeypatch.setattr(questions, "confirm", lambda *a: asked.append(a[2]) or True)
    dataset = tmp_path / "out"
    dataset.mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(dataset))
    first = segmented(viewer, tmp_path / "visit1" / "P7", 1)
    segmented(viewer, tmp_path / "visit2" / "P7", 2)
    for patient in (first, first):
        active_patient(viewer).activate(patient)
        export_active_to_bids(PublicOnlyProxy(viewer))
    assert sessions == ["visit1"] and len(asked) == 1
    assert asked[0].endswith("Replace them with the regions of P7 (visit1)?")
    assert "other images" not in asked[0]


def test_the_mask_of_another_visit_is_named_as_such_before_it_is_replaced(
    make_napari_viewer, tmp_path, monkeypatch, messages
):
    viewer, asked = make_napari_viewer(), []
    monkeypatch.setattr(questions, "confirm", lambda *a: asked.append(a[2]) or False)
    monkeypatch.setattr(QInputDialog, "getText", lambda *a: ("", True))
    dataset = tmp_path / "out"
    dataset.mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(dataset))
    segmented(viewer, tmp_path / "visit1" / "P7", 1)
    export_active_to_bids(PublicOnlyProxy(viewer))
    segmented(viewer, tmp_path / "visit2" / "P7", 2)
    export_active_to_bids(PublicOnlyProxy(viewer))
    assert "than those of P7 (visit2), such as another visit's" in asked[0]


def authors_in(dataset) -> list[str] | None:
    return json.loads((dataset / "dataset_description.json").read_text()).get("Authors")


def test_the_regions_are_written_and_replaced_only_on_request(
    viewer, tmp_path, monkeypatch, messages, author_questions
):
    asked: list[str] = []
    answers = iter((False, True))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(tmp_path))
    monkeypatch.setattr(questions, "confirm", lambda *a: asked.append(a[2]) or next(answers))
    settings.put("scheme", "brats2023")
    export_active_to_bids(PublicOnlyProxy(viewer))
    image, *_ = bids_paths("Pat", tmp_path)
    stored = np.asarray(nib.load(image).dataobj)
    assert set(np.unique(stored)) == {0, 1, 2, 3}
    assert asked == []
    assert authors_in(tmp_path) == ["A. Meier", "B. Huber"]
    viewer.layers["Pat ET"].data[...] = 0
    export_active_to_bids(PublicOnlyProxy(viewer))
    assert 3 in np.asarray(nib.load(image).dataobj)
    export_active_to_bids(PublicOnlyProxy(viewer))
    assert 3 not in np.asarray(nib.load(image).dataobj)
    assert len(asked) == 2 and "may be of another patient whose case is named Pat" in asked[0]
    assert [message.startswith("Wrote sub-Pat_seg-tumor_dseg") for message in messages] == [
        True
    ] * 2
    assert author_questions == [""]


@pytest.mark.one_binding
def test_authors_are_asked_for_with_a_new_dataset_only_and_remembered(
    viewer, tmp_path, monkeypatch, messages, author_questions
):
    monkeypatch.setattr(questions, "confirm", lambda *a: True)
    for name in ("first", "first", "second"):
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a, n=name: tmp_path / n)
        (tmp_path / name).mkdir(exist_ok=True)
        export_active_to_bids(PublicOnlyProxy(viewer))
    assert author_questions == ["", "A. Meier; B. Huber"]
    assert settings.get("authors") == "A. Meier; B. Huber"
    assert authors_in(tmp_path / "second") == ["A. Meier", "B. Huber"]


def test_nothing_is_written_if_the_question_for_authors_is_cancelled(
    viewer, tmp_path, monkeypatch, messages
):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(tmp_path))
    monkeypatch.setattr(QInputDialog, "getText", lambda *a: ("A. Meier", False))
    export_active_to_bids(PublicOnlyProxy(viewer))
    assert (list(tmp_path.iterdir()), messages) == ([], [])
    assert settings.get("authors") == ""


def test_a_dataset_of_images_is_refused_in_a_sentence(viewer, tmp_path, monkeypatch, messages):
    (tmp_path / "dataset_description.json").write_text('{"Name": "scans"}')
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(tmp_path))
    export_active_to_bids(PublicOnlyProxy(viewer))
    (message,) = messages
    assert "is a BIDS dataset of images" in message


@pytest.mark.one_binding
def test_a_folder_of_other_files_is_refused_before_authors_are_asked_for(
    viewer, tmp_path, monkeypatch, messages, author_questions
):
    (tmp_path / "letter.txt").touch()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(tmp_path))
    export_active_to_bids(PublicOnlyProxy(viewer))
    assert "holds other files, such as letter.txt" in messages[0]
    assert author_questions == []


def test_without_regions_nothing_is_asked(viewer, monkeypatch, messages):
    for region in Region:
        viewer.layers.remove(viewer.layers[f"Pat {region.name}"])
    export_active_to_bids(PublicOnlyProxy(viewer))
    assert "segment a case first" in messages[0]
