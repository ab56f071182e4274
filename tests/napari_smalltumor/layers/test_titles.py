"""Layers of two patients of one name are told apart by their names."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari_cases import write_case_along

from napari_smalltumor.autosave.mask_files import read_masks
from napari_smalltumor.autosave.restore import restore
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.layers.patient import assign, layers_of_patient, patient_of
from napari_smalltumor.layers.titles import name_in_case
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient

VISITS = ("first", "second")


@pytest.fixture
def viewer(tmp_path) -> ViewerModel:
    viewer = ViewerModel()
    for visit in VISITS:
        open_case(viewer, write_case_along(tmp_path / visit / "Pat"))
    return viewer


def names(viewer, visit: str) -> set[str]:
    return {x.name for x in viewer.layers if patient_of(x).folder.parent.name == visit}


def test_each_layer_says_of_which_visit_it_is(viewer):
    for visit in VISITS:
        shown = {f"Pat ({visit}) {name}" for name in ("T1CE", "T1", "T2", "FLAIR", "labels")}
        assert names(viewer, visit) == shown
    assert {name_in_case(layer) for layer in viewer.layers} == {
        f"Pat {name}" for name in ("T1CE", "T1", "T2", "FLAIR", "labels")
    }


def test_a_patient_of_another_name_keeps_short_names(viewer, tmp_path):
    open_case(viewer, write_case_along(tmp_path / "first" / "Pat 2", labels=False))
    assert names(viewer, "first") >= {"Pat 2 T1CE", "Pat (first) T1CE"}


def test_the_visit_that_is_left_has_its_short_names_again(viewer):
    patients = active_patient(viewer)
    for layer in layers_of_patient(viewer.layers, patients.patients[0]):
        viewer.layers.remove(layer)
    assert {layer.name for layer in viewer.layers} == {
        f"Pat {name}" for name in ("T1CE", "T1", "T2", "FLAIR", "labels")
    }


def test_a_name_that_the_user_gave_is_kept(tmp_path):
    viewer = ViewerModel()
    open_case(viewer, write_case_along(tmp_path / "first" / "Pat"))
    viewer.layers["Pat T2"].name = "fluid"
    open_case(viewer, write_case_along(tmp_path / "second" / "Pat"))
    assert "fluid" in names(viewer, "first") and "Pat (second) T2" in names(viewer, "second")


def test_names_that_begin_with_that_of_the_patient_are_kept_if_the_user_gave_them(tmp_path):
    """Copies, and layers that nobody has named, follow the title."""
    viewer = ViewerModel()
    open_case(viewer, write_case_along(tmp_path / "first" / "Pat"))
    zeros = np.zeros_like(viewer.layers["Pat labels"].data)
    viewer.layers["Pat T2"].name = "Pat fluid"
    viewer.add_labels(zeros, name="Pat sure lesion")
    drawn = viewer.add_labels(zeros)
    drawn.name = "Pat Labels"  # as in the window
    viewer.add_labels(zeros, name="Pat labels copy")
    for layer in viewer.layers:
        assign(layer, active_patient(viewer).current)
    open_case(viewer, write_case_along(tmp_path / "second" / "Pat"))
    assert names(viewer, "first") >= {"Pat fluid", "Pat sure lesion"}
    assert names(viewer, "first") >= {"Pat (first) Labels", "Pat (first) labels copy"}
    drawn.name = "Pat (first) doubtful"
    close_second = active_patient(viewer).current
    for layer in layers_of_patient(viewer.layers, close_second):
        viewer.layers.remove(layer)
    assert {"Pat (first) doubtful", "Pat labels copy", "Pat T1"} <= {x.name for x in viewer.layers}


def test_two_layers_of_one_patient_stay_apart(tmp_path):
    viewer = ViewerModel()
    open_case(viewer, write_case_along(tmp_path / "first" / "Pat"))
    for _ in range(2):
        labels = viewer.add_labels(np.array(viewer.layers["Pat labels"].data), name="Pat labels")
        active_patient(viewer).adopt([labels], active_patient(viewer).current)
    before = {name_in_case(x) for x in viewer.layers}
    assert before >= {"Pat labels", "Pat labels [1]", "Pat labels [2]"}
    open_case(viewer, write_case_along(tmp_path / "second" / "Pat", labels=False))
    first = [x for x in active_patient(viewer).patients if x.folder.parent.name == "first"]
    own = [x for x in viewer.layers if x.name.startswith("Pat (first)")]
    assert len(first) == 1 and {name_in_case(x) for x in own} == before


def test_edits_of_one_visit_are_restored_when_both_are_open(tmp_path):
    folders = [write_case_along(tmp_path / visit / "Pat") for visit in VISITS]
    alone = ViewerModel()
    autosave = ensure_autosave(alone).autosave
    open_case(alone, folders[1])
    case, labels = case_of(alone.layers[0]), alone.layers["Pat labels"]
    labels.data_setitem(tuple(np.array([2]) for _ in range(3)), 4 - labels.data[2, 2, 2])
    edited = np.array(labels.data)
    autosave.save()
    alone.layers.clear()
    autosave.wait()
    (file,) = autosave.restorable_files(case)

    both = ViewerModel()
    for folder in folders:
        open_case(both, folder)
    shown = both.layers["Pat (second) labels"]
    assert restore(both, case_of(shown), read_masks(file)) == [shown]
    assert np.array_equal(shown.data, edited)
