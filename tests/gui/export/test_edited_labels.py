"""Edits of an expert's mask are told, and Ctrl+S writes them to another file beside the images."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.layers import Layer
from napari_cases import write_case_along
from psygnal import Signal
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QFileDialog, QShortcut
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.schemes import SCHEMES

from napari_smalltumor import notify, questions
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.closing.unsaved_work import can_be_saved, saving_action, what_is_unsaved
from napari_smalltumor.export.edited_labels import edited_labels
from napari_smalltumor.export.save_state import save_state
from napari_smalltumor.export.unopened_exports import unopened_exports
from napari_smalltumor.layers.create import labels_layer
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.loading.reader import layers_of_file
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer_setup import set_up


@pytest.fixture
def told(monkeypatch) -> list[str]:
    told: list[str] = []
    for name in ("info", "error", "warn"):
        monkeypatch.setattr(notify, name, told.append)
    return told


@pytest.fixture
def viewer(make_napari_viewer, tmp_path, told):
    """A case with an expert's mask, whose layer is selected."""
    viewer = make_napari_viewer()
    open_case(viewer, write_case_along(tmp_path / "Pat"))
    set_up(viewer)
    viewer.layers.selection.active = viewer.layers["Pat labels"]
    return viewer


def press_save(viewer) -> None:
    window = viewer.window._qt_window
    key = QKeySequence("Ctrl+S")
    (shortcut,) = [x for x in window.findChildren(QShortcut) if x.key() == key]
    shortcut.activated.emit()


def edit(viewer) -> int:
    """Change a voxel of the expert's mask; the number of background voxels then."""
    layer = viewer.layers["Pat labels"]
    place = np.argwhere(layer.data)[0]
    layer.data_setitem(tuple(np.array([n]) for n in place), 0)
    return int(np.count_nonzero(layer.data == 0))


def of_edits(told: list[str]) -> list[str]:
    return [text for text in told if "you edited the mask" in text]


def test_the_first_stroke_on_an_experts_mask_is_told(viewer, told):
    edit(viewer)
    edit(viewer)
    assert of_edits(told) == [
        "Pat: you edited the mask of Pat_seg.nii.gz. That file is never changed; Save labels "
        "(Ctrl+S) writes Pat labels to another one."
    ]


def test_strokes_on_the_regions_are_not(viewer, told):
    case = case_of(viewer.layers["Pat labels"])
    result = Segmentation(case.name, np.full(case.grid.shape, 3, np.uint8), case.grid)
    for layer in show_segmentation(viewer, case, result).values():
        layer.paint((1, 1, 1), 0)
    assert of_edits(told) == []
    viewer.layers["Pat labels"].visible = True
    edit(viewer)
    (text,) = of_edits(told)
    assert "File > Save Selected Layers writes" in text  # Ctrl+S saves the regions


def test_the_key_writes_edited_labels_beside_the_images(viewer, told, tmp_path, monkeypatch):
    source = tmp_path / "Pat" / "Pat_seg.nii.gz"
    before = source.read_bytes()
    background = edit(viewer)
    proposed: list[Path] = []

    def accept(parent, title, start, filters, options):
        proposed.append(Path(start))
        return start, filters

    monkeypatch.setattr(QFileDialog, "getSaveFileName", accept)
    press_save(viewer)
    assert proposed == [source.with_name("Pat_labels_edited.nii.gz")]
    written = nib.load(proposed[0]).get_fdata()
    assert np.count_nonzero(written == 0) == background and source.read_bytes() == before
    assert ensure_autosave(viewer).autosave.edited(viewer.layers) == []
    assert what_is_unsaved(viewer, active_patient(viewer).current) == []


def test_the_key_writes_the_labels_that_were_edited_although_an_image_is_selected(
    viewer, told, tmp_path, monkeypatch
):
    edit(viewer)
    viewer.layers.selection.active = viewer.layers["Pat T1CE"]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda p, t, start, f, options: (start, f))
    press_save(viewer)
    assert (tmp_path / "Pat" / "Pat_labels_edited.nii.gz").is_file()


def test_edits_of_saved_edits_go_to_a_file_with_a_number_that_is_named_next_time(
    viewer, told, tmp_path, monkeypatch
):
    folder = tmp_path / "Pat"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda p, t, start, f, options: (start, f))
    edit(viewer)
    press_save(viewer)
    for data in layers_of_file(folder / "Pat_labels_edited.nii.gz", viewer.layers):
        layer = viewer.add_layer(Layer.create(*data))
    layer.paint((2, 2, 2), 1)
    press_save(viewer)
    newest = folder / "Pat_labels_edited_2.nii.gz"
    assert newest.is_file() and len(list(folder.glob("*_edited*"))) == 2
    viewer.layers.clear()
    told.clear()
    open_case(viewer, folder)
    assert any(f"Edited labels were saved in {newest.name} in {folder}" in text for text in told)


def test_edits_of_two_masks_are_saved_to_two_files(viewer, told, tmp_path, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda p, t, start, f, options: (start, f))
    edit(viewer)
    second = add_labels(viewer, "second")
    second.paint((1, 1, 1), 1)
    viewer.layers.selection.active = viewer.layers["Pat T1CE"]
    press_save(viewer)
    written = sorted(path.name for path in (tmp_path / "Pat").glob("*_edited*"))
    assert written == ["Pat_labels_edited.nii.gz", "Pat_labels_edited_2.nii.gz"]
    assert edited_labels(viewer, active_patient(viewer).current) == []


def test_the_key_saves_what_was_edited_and_not_other_labels_that_are_selected(
    viewer, told, tmp_path, monkeypatch
):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda p, t, start, f, options: (start, f))
    edit(viewer)
    viewer.layers.selection.active = add_labels(viewer, "second")
    press_save(viewer)
    written = nib.load(tmp_path / "Pat" / "Pat_labels_edited.nii.gz").get_fdata()
    assert np.any(written) and edited_labels(viewer, active_patient(viewer).current) == []


def add_labels(viewer, name: str):
    """Empty labels of the case, as of another reader."""
    case = case_of(viewer.layers["Pat labels"])
    empty = np.zeros(case.grid.shape, np.uint8)
    return viewer.add_layer(Layer.create(*labels_layer(case, empty, SCHEMES["brats2018"], name)))


def test_edits_of_labels_are_no_review(viewer, told):
    class Reviews:
        changed = Signal()

    patient, state = active_patient(viewer).current, save_state(viewer)
    state.follow_reviews(lambda patient: True, lambda: None, Reviews().changed)
    edit(viewer)
    assert can_be_saved(viewer, patient) and saving_action(viewer, patient) == "Save"
    assert "not saved: Pat labels." in " ".join(what_is_unsaved(viewer, patient))


def test_the_button_of_the_docks_saves_edited_labels(viewer, told, tmp_path, monkeypatch, qtbot):
    header = PatientHeader(viewer)
    qtbot.addWidget(header)
    assert header.save_button.isHidden()
    edit(viewer)
    qtbot.waitUntil(lambda: not header.save_button.isHidden())
    assert header.save_button.text() == "Save labels..." and header.save_button.isEnabled()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda p, t, start, f, options: (start, f))
    header.save_button.click()
    assert (tmp_path / "Pat" / "Pat_labels_edited.nii.gz").is_file()
    assert header.save_button.isHidden()


def test_saved_labels_are_not_offered_as_regions(viewer, told, monkeypatch):
    """They would be converted, and hide the edits of the labels that are restored."""
    edit(viewer)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda p, t, start, f, options: (start, f))
    press_save(viewer)
    patients = active_patient(viewer)
    folder = patients.current.folder
    viewer.layers.clear()
    told.clear()
    open_case(viewer, folder)
    assert unopened_exports(viewer).to_open(patients.current) is None
    assert any("drop that file" in text for text in told)


def test_the_key_says_that_there_is_nothing_to_save_if_an_image_is_selected(viewer, told):
    viewer.layers.selection.active = viewer.layers["Pat T1CE"]
    press_save(viewer)
    assert told[-1].startswith("Pat has no masks to save: segment the case, or select a mask.")


@pytest.mark.parametrize("agrees", [False, True])
def test_a_file_that_exists_is_replaced_only_after_a_question(
    viewer, told, tmp_path, monkeypatch, agrees
):
    path = tmp_path / "Pat" / "Pat_labels_edited.nii.gz"
    path.write_bytes(b"precious")
    edit(viewer)
    asked: list[str] = []
    monkeypatch.setattr(questions, "confirm", lambda p, t, text, a: asked.append(text) or agrees)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(path), ""))
    press_save(viewer)
    (text,) = asked
    assert text.startswith("Pat_labels_edited.nii.gz (written on ")
    assert text.endswith(") exists.\n\nReplace it with Pat labels?")
    assert (path.read_bytes() == b"precious") != agrees


def test_the_experts_own_file_is_refused(viewer, told, tmp_path, monkeypatch):
    source = tmp_path / "Pat" / "Pat_seg.nii.gz"
    before = source.read_bytes()
    edit(viewer)
    asked: list[str] = []
    monkeypatch.setattr(questions, "confirm", lambda p, t, text, a: asked.append(text) or True)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(source), ""))
    press_save(viewer)
    assert source.read_bytes() == before and asked == []
    assert any("Pat_seg.nii.gz" in text and "mask of" not in text for text in told)
