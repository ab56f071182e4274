"""Closing removes everything of one patient, and asks if edits were not saved."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from event_loop import let_turns_pass
from lesion_layers import show_regions
from lesion_layers import synthetic_case as case_with_lesions
from napari.layers import Labels, Layer
from napari.layers._layer_actions import _duplicate_layer
from napari_cases import write_case_along
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region
from smalltumor.labels.schemes import SCHEMES

from napari_smalltumor import questions, settings
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.closing.close_patient import close_active, close_patient
from napari_smalltumor.layers.create import labels_layer
from napari_smalltumor.layers.metadata import case_of, region_of
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """Questions that were asked; all are answered with *Close*, or *Close without saving*."""
    texts: list[str] = []
    monkeypatch.setattr(questions, "confirm", lambda p, t, text, a: texts.append(text) or True)
    answer_edits(monkeypatch, "Close without saving", texts)
    return texts


def answer_edits(monkeypatch, answer: str, texts: list[str]) -> None:
    """Answer the question about edits that can be saved, and list its text."""

    def ask(parent, title, text, *answers, harmless):
        assert answer in answers and harmless == questions.CANCEL
        texts.append(text)
        return answer

    monkeypatch.setattr(questions, "ask", ask)


@pytest.fixture
def viewer(make_napari_viewer, tmp_path, messages):
    """A patient without regions, and one with regions, lesions and rings that is active."""
    viewer = make_napari_viewer()
    open_case(viewer, write_case_along(tmp_path / "First", labels=False))
    viewer.window.add_dock_widget(LesionsDock(viewer), area="right")
    show_regions(viewer, case_with_lesions())
    return viewer


def segmented(viewer, folder) -> dict[Region, Labels]:
    """Open a case with a mask as of a network; its region layers."""
    case = case_of(open_case(viewer, write_case_along(folder, labels=False))[0])
    classes = np.zeros(case.grid.shape, np.uint8)
    classes[2:5, 2:5, 2:5] = 3
    return show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))


def paint(viewer, name: str) -> None:
    layer = viewer.layers[name]
    outside = np.argwhere(layer.data == 0)[0]
    layer.data_setitem(tuple(np.array([n]) for n in outside), 1)


def test_close_removes_every_layer_and_ring_and_shows_the_patient_before(
    viewer, asked, messages, qtbot
):
    header = PatientHeader(viewer)
    qtbot.addWidget(header)
    qtbot.waitUntil(lambda: any(x.name == "Small lesions" for x in viewer.layers))
    assert active_patient(viewer).title == "Pat"
    header.close_button.click()
    assert active_patient(viewer).title == header.picker.currentText() == "First"
    assert [x.name for x in viewer.layers if x.visible and len(x.data)] == ["First T1CE"]
    assert not [x for x in viewer.layers if region_of(x) is not None]
    header.close_button.click()  # a double click
    assert active_patient(viewer).title == "First"
    qtbot.waitUntil(lambda: not any(x.name == "Small lesions" for x in viewer.layers))
    qtbot.waitUntil(lambda: not header.findChild(QTimer).isActive())
    header.close_button.click()
    assert len(viewer.layers) == 0 and not header.close_button.isEnabled()
    let_turns_pass(qtbot)
    assert asked == ["ET, TC, WT of Pat were segmented, not saved, and will be lost."]
    assert messages == []


def test_a_painted_copy_of_a_region_is_asked_about(viewer, asked):
    viewer.layers.selection.active = viewer.layers["Pat ET"]
    _duplicate_layer(viewer.layers)
    close_active(viewer)
    (text,) = asked
    assert "Pat ET copy of Pat was not saved and will be lost" in text


@pytest.mark.parametrize("autosave", [pytest.param(True, marks=pytest.mark.one_binding), False])
def test_edits_that_were_not_exported_are_named_and_their_fate_is_told(viewer, asked, autosave):
    settings.put("autosave", autosave)
    paint(viewer, "Pat ET")
    close_active(viewer)
    (text,) = asked
    assert "Edits of Pat were not saved: ET, TC, WT." in text
    assert ("restore" in text) == autosave and ("lost" in text) != autosave
    assert active_patient(viewer).title == "First"


@pytest.mark.parametrize("autosave", [pytest.param(True, marks=pytest.mark.one_binding), False])
def test_edits_of_a_region_that_was_removed_before_are_named(viewer, asked, autosave):
    settings.put("autosave", autosave)
    paint(viewer, "Pat ET")
    viewer.layers.remove("Pat ET")
    close_active(viewer)
    (text,) = asked
    assert text.count("ET") == 1


@pytest.mark.one_binding
def test_closed_edits_are_saved_to_be_restored(viewer, asked, data_folder):
    paint(viewer, "Pat ET")
    close_active(viewer)
    ensure_autosave(viewer).autosave.wait()
    assert len(list(data_folder.glob("autosave/*/*.safetensors"))) == 1


@pytest.mark.one_binding
def test_nothing_is_closed_if_the_user_cancels(viewer, monkeypatch):
    answer_edits(monkeypatch, questions.CANCEL, [])
    paint(viewer, "Pat ET")
    before = list(viewer.layers)
    close_active(viewer)
    assert list(viewer.layers) == before and active_patient(viewer).title == "Pat"


@pytest.mark.slow
def test_edits_are_saved_beside_the_images_before_closing_if_the_user_wants_that(
    viewer, asked, monkeypatch, tmp_path
):
    regions = segmented(viewer, tmp_path / "P7")
    paint(viewer, "P7 ET")
    answer_edits(monkeypatch, "Save", asked)
    close_active(viewer)
    assert active_patient(viewer).title == "Pat" and len(asked) == 1
    stored = nib.load(tmp_path / "P7" / "P7_smalltumor.nii.gz").get_fdata()
    assert np.count_nonzero(stored == 4) == np.count_nonzero(regions[Region.ET].data)


@pytest.mark.slow
def test_a_patient_whose_edits_cannot_be_saved_stays_open(
    viewer, asked, messages, monkeypatch, tmp_path
):
    segmented(viewer, tmp_path / "P7")
    first = active_patient(viewer).patients[0]
    paint(viewer, "P7 ET")
    patient = active_patient(viewer).current
    active_patient(viewer).activate(first)
    (tmp_path / "P7" / "P7_smalltumor.nii.gz").write_bytes(b"precious")
    monkeypatch.setattr(questions, "confirm", lambda p, t, text, a: bool(asked.append(text)))
    answer_edits(monkeypatch, "Save", asked)
    assert not close_patient(viewer, patient)  # as a worklist does, from another patient
    assert "Replace it" in asked[-1]
    assert active_patient(viewer).title == "P7"
    assert (tmp_path / "P7" / "P7_smalltumor.nii.gz").read_bytes() == b"precious"


@pytest.mark.slow
@pytest.mark.one_binding
def test_what_saving_leaves_out_is_asked_about_again(viewer, asked, monkeypatch, tmp_path):
    """That is a drawing; edits of an expert's mask are saved to a file that the user names."""
    segmented(viewer, tmp_path / "P7")
    case = case_of(viewer.layers["P7 ET"])
    reference = labels_layer(case, np.zeros(case.grid.shape, np.uint8), SCHEMES["brats2023"], "x")
    viewer.add_layer(Layer.create(*reference))
    paint(viewer, "P7 ET")
    paint(viewer, viewer.layers[-1].name)
    _duplicate_layer(viewer.layers)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda p, t, start, f, options: (start, f))
    answer_edits(monkeypatch, "Save", asked)
    close_active(viewer)
    first, about_saving, last = asked
    assert viewer.layers and "not saved: ET, TC, WT, x." in first and "anyway" in about_saving
    assert "x copy of P7 was not saved" in last and "ET" not in last
    assert (tmp_path / "P7" / "P7_labels_edited.nii.gz").is_file()
    assert active_patient(viewer).title == "Pat"


def test_an_edited_region_that_was_removed_is_asked_about_too(viewer, asked):
    paint(viewer, "Pat ET")
    viewer.layers.remove(viewer.layers["Pat ET"])
    close_active(viewer)
    assert "not saved: ET, TC, WT." in asked[0]


def test_without_a_patient_the_command_says_so(make_napari_viewer, messages):
    close_active(make_napari_viewer())
    assert messages == ["No patient is open."]
