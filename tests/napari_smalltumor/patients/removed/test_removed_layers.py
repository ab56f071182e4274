"""A region or an image that was removed is noticed, and can be brought back."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari_cases import case_along
from qtpy.QtWidgets import QApplication
from shown_layers import show_segmentation
from smalltumor.data.case import Case
from smalltumor.data.segmentation import Segmentation

from napari_smalltumor import notify
from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.layers.patient import Patient
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.removed.removed_layers import removed_layers


@pytest.fixture(autouse=True)
def warnings(monkeypatch) -> list[str]:
    """Messages, given at once, also where an earlier test has created an application."""
    shown: list[str] = []
    monkeypatch.setattr(notify, "warn", shown.append)
    monkeypatch.setattr(QApplication, "instance", lambda: None)
    return shown


def open_segmented(viewer: ViewerModel, name: str) -> Case:
    case = case_along(name=name)
    viewer.add_image(image_layers(case)[0][0], **image_layers(case)[0][1])
    removed_layers(viewer)
    classes = np.random.default_rng(0).integers(0, 4, case.grid.shape).astype(np.uint8)
    show_segmentation(viewer, case, Segmentation(name, classes, case.grid))
    return case


def test_a_removed_region_is_named_and_returns_with_its_edits_in_its_place(viewer, warnings):
    open_segmented(viewer, "Pat")
    patient, removed = Patient("Pat"), removed_layers(viewer)
    names = [layer.name for layer in viewer.layers]
    layer = viewer.layers["Pat TC"]
    voxel = tuple(np.array([2]) for _ in range(3))
    layer.data_setitem(voxel, [1 - layer.data[2, 2, 2]])
    edited = layer.data.copy()
    viewer.layers.remove(layer)
    assert removed.of(patient) == ["TC"]
    assert "TC of Pat was removed" in warnings[0]
    removed.restore(patient)
    assert removed.of(patient) == []
    assert [layer.name for layer in viewer.layers] == names
    assert np.array_equal(viewer.layers["Pat TC"].data, edited)
    viewer.layers["Pat TC"].undo()
    assert not np.array_equal(viewer.layers["Pat TC"].data, edited)


def test_a_restored_region_lies_among_the_regions_of_its_patient(viewer):
    open_segmented(viewer, "First")
    viewer.add_labels(np.zeros((3, 3, 3), np.uint8), name="on top")
    viewer.layers.remove(viewer.layers["First ET"])
    removed_layers(viewer).restore(Patient("First"))
    names = [layer.name for layer in viewer.layers]
    assert names[-4:] == ["First WT", "First TC", "First ET", "on top"]


def test_regions_that_are_closed_with_their_patient_are_forgotten(viewer):
    open_segmented(viewer, "Pat")
    removed = removed_layers(viewer)
    viewer.layers.clear()
    assert removed.of(Patient("Pat")) == []


def test_a_new_result_replaces_the_removed_region(viewer):
    case = open_segmented(viewer, "Pat")
    removed = removed_layers(viewer)
    viewer.layers.remove(viewer.layers["Pat ET"])
    classes = np.zeros(case.grid.shape, np.uint8)
    show_segmentation(viewer, case, Segmentation("Pat", classes, case.grid))
    assert removed.of(Patient("Pat")) == []
    assert not np.any(viewer.layers["Pat ET"].data)


def test_a_copy_that_is_removed_is_not_missed(viewer, warnings):
    open_segmented(viewer, "Pat")
    data, attributes, _ = viewer.layers["Pat ET"].as_layer_data_tuple()
    copy = viewer.add_labels(data.copy(), **attributes)
    viewer.layers.remove(copy)
    assert removed_layers(viewer).of(Patient("Pat")) == []
    assert warnings == []


def test_the_regions_of_each_patient_are_kept_apart(viewer):
    open_segmented(viewer, "First")
    viewer.layers.remove(viewer.layers["First ET"])
    open_segmented(viewer, "Second")
    removed = removed_layers(viewer)
    assert removed.of(active_patient(viewer).current) == []
    removed.restore(Patient("First"))
    assert active_patient(viewer).current == Patient("Second")
    assert not viewer.layers["First ET"].visible
    active_patient(viewer).activate(Patient("First"))
    assert viewer.layers["First ET"].visible


def test_a_layer_of_a_hidden_patient_says_whom_to_choose_for_the_button(viewer, warnings):
    open_segmented(viewer, "First")
    open_segmented(viewer, "Second")
    removed_layers(viewer)
    viewer.layers.remove(viewer.layers["First ET"])
    assert warnings == [
        "ET of First was removed. Choose First and click Restore at the top of a Small Tumour "
        "dock to bring it back."
    ]


def test_removed_images_are_named_and_return_to_their_places_as_they_were_shown(viewer, warnings):
    case = case_along(name="Pat")
    for data, attributes, _ in image_layers(case):
        viewer.add_image(data, **attributes)
    removed = removed_layers(viewer)
    layers = list(viewer.layers)
    viewer.layers["Pat T1CE"].contrast_limits = (3, 400)
    for name in ("Pat T1CE", "Pat FLAIR"):
        viewer.layers.remove(name)
    assert removed.of(Patient("Pat")) == ["T1CE", "FLAIR"]
    assert warnings == [
        f"{name} of Pat was removed. Click Restore at the top of a Small Tumour dock to bring it "
        "back."
        for name in ("T1CE", "FLAIR")
    ]
    removed.restore(Patient("Pat"))
    assert list(viewer.layers) == layers
    assert [layer.visible for layer in layers] == [False, False, False, True]
    assert viewer.layers["Pat T1CE"].contrast_limits == [3, 400]
    assert removed.of(Patient("Pat")) == []


def test_an_image_that_is_opened_again_is_not_missed(viewer):
    case = case_along(name="Pat")
    for data, attributes, _ in image_layers(case):
        viewer.add_image(data, **attributes)
    removed = removed_layers(viewer)
    viewer.layers.remove("Pat T1")
    t1 = next(data for data in image_layers(case) if data[1]["name"] == "Pat T1")
    viewer.add_image(t1[0], **t1[1])
    assert removed.of(Patient("Pat")) == []
