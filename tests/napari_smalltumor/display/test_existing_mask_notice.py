"""That a mask was not made here is said while it is shown, and no longer."""

from __future__ import annotations

import shutil

import pytest
from napari.layers import Layer
from napari_cases import write_case_along
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation

from napari_smalltumor import notify, questions
from napari_smalltumor.autosave.restore_question import RESTORE
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.loading.reader import layers_of_file
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.widgets import readable_messages


@pytest.fixture
def shown(monkeypatch) -> list[str]:
    """The messages that are on the screen."""
    texts: list[str] = []
    monkeypatch.setattr(notify, "info", texts.append)

    def close(closed: set[str]) -> None:
        texts[:] = [text for text in texts if text not in closed]

    monkeypatch.setattr(readable_messages, "close_messages", close)
    return texts


def test_it_ends_with_another_patient_and_is_not_said_again(viewer, tmp_path, shown):
    for name in ("First", "Second"):
        open_case(viewer, write_case_along(tmp_path / name))
        assert [text.split()[0] for text in shown] == [name]
    patients = active_patient(viewer)
    patients.activate(patients.patients[0])
    assert shown == []


def test_it_ends_when_the_case_is_segmented(viewer, tmp_path, shown):
    (layer, *_) = open_case(viewer, write_case_along(tmp_path / "Pat"))
    assert shown == ["Pat is shown with the mask in Pat_seg.nii.gz, not with a new segmentation."]
    case = case_of(layer)
    show_segmentation(viewer, case, Segmentation("Pat", layer.data * 0, case.grid))
    assert shown == []


def test_edits_that_were_saved_to_another_file_are_named_until_it_is_open(viewer, tmp_path, shown):
    folder = write_case_along(tmp_path / "Pat")
    edited = shutil.copy(folder / "Pat_seg.nii.gz", folder / "Pat_labels_edited.nii.gz")
    said = "Pat is shown with the mask in Pat_seg.nii.gz, not with a new segmentation."
    open_case(viewer, folder)
    assert shown == [
        f"{said} Edited labels were saved in Pat_labels_edited.nii.gz in {folder}; drop that file "
        "into the window to open it."
    ]
    for data in layers_of_file(edited, viewer.layers):
        viewer.add_layer(Layer.create(*data))
    assert [patient.name for patient in active_patient(viewer).patients] == ["Pat"]
    assert all("drop that" not in text for text in shown)


def test_it_ends_when_edits_of_the_mask_are_restored(viewer, tmp_path, shown, monkeypatch):
    folder = write_case_along(tmp_path / "Pat")
    monkeypatch.setattr(questions, "ask", lambda *arguments, **options: RESTORE)
    watcher = ensure_autosave(viewer)
    (layer,) = [x for x in open_case(viewer, folder) if x.name == "Pat labels"]
    layer.paint((1, 1, 1), 1)
    viewer.layers.clear()
    watcher.autosave.wait()
    layers = open_case(viewer, folder)
    assert "is shown with the mask in Pat_seg.nii.gz" in shown[-1]
    watcher.restore_question.ask(case_of(layers[0]))
    assert shown == ["Restored Pat labels of Pat."]


def test_nothing_is_said_of_a_case_without_a_mask(viewer, tmp_path, shown):
    open_case(viewer, write_case_along(tmp_path / "Pat", labels=False))
    assert shown == []


def test_its_words_follow_the_title_of_the_patient(viewer, tmp_path, shown):
    """A namesake that is opened or closed adds a folder to the title, or takes it away."""
    said = "{} is shown with the mask in Pat_seg.nii.gz, not with a new segmentation."
    first = open_case(viewer, write_case_along(tmp_path / "one" / "Pat"))
    open_case(viewer, write_case_along(tmp_path / "two" / "Pat"))
    assert shown == [said.format("Pat (two)")]
    for layer in first:
        viewer.layers.remove(layer)
    assert shown == [said.format("Pat")]
    with active_patient(viewer).in_background():
        open_case(viewer, tmp_path / "one" / "Pat")
    assert shown == [said.format("Pat (two)")]
