"""Export to a BIDS dataset asks for its folder, and before it replaces a segmentation."""

import json

import nibabel as nib
import numpy as np
import pytest
from napari.utils._proxies import PublicOnlyProxy
from napari_cases import case_along
from qtpy.QtWidgets import QFileDialog, QInputDialog
from shown_layers import show_segmentation
from smalltumor.data.bids import bids_paths
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region

from napari_smalltumor import notify, questions, settings
from napari_smalltumor.export.bids_dialog import export_active_to_bids


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer()
    case = case_along("RAS")
    classes = np.random.default_rng(1).integers(0, 4, case.grid.shape).astype(np.uint8)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))
    return viewer


@pytest.fixture
def messages(monkeypatch) -> list[str]:
    shown: list[str] = []
    monkeypatch.setattr(notify, "info", shown.append)
    monkeypatch.setattr(notify, "error", shown.append)
    return shown


@pytest.fixture
def author_questions(monkeypatch) -> list[str]:
    """The names that were proposed; "A. Meier ;; B. Huber" is the answer to each question."""
    proposed: list[str] = []

    def answer(parent, title, label, mode, text):
        proposed.append(text)
        return "A. Meier ;; B. Huber", True

    monkeypatch.setattr(QInputDialog, "getText", answer)
    return proposed


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
