"""The planes show the active patient, and nothing of another one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion_layers import show_regions, synthetic_case
from napari.components import ViewerModel
from napari_cases import write_case_along

from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.planes.linked_planes import linked_planes
from napari_smalltumor.planes.plane import PLANES
from napari_smalltumor.planes.shown_layers import foreground_box
from napari_smalltumor.planes.view import View


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("patients")
    return [
        write_case_along(folder / name, axcodes) for name, axcodes in (("A", "LPS"), ("B", "RAS"))
    ]


@pytest.fixture
def two_patients(viewer, folders):
    for folder in folders:
        open_case(viewer, folder)
    return viewer


def test_only_visible_layers_of_the_active_patient_are_drawn(two_patients):
    patients, planes = active_patient(two_patients), linked_planes(two_patients)
    for patient in patients.patients:
        patients.activate(patient)
        drawn = planes.layers.drawn
        assert drawn
        assert {patient_of(layer) for layer in drawn} == {patient}
        assert all(layer.visible for layer in drawn)


def test_a_layer_of_another_patient_is_not_drawn_even_if_it_is_visible(two_patients):
    patients, planes = active_patient(two_patients), linked_planes(two_patients)
    other = next(x for x in two_patients.layers if patient_of(x) != patients.current)
    with other.events.visible.blocker():  # the switch of patients does not see it
        other.visible = True
    assert other not in planes.layers.drawn


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from(["switch", "hide", "duplicate", "remove", "reorder"]), max_size=8))
def test_no_sequence_of_changes_shows_another_patient(folders, steps):
    viewer = ViewerModel()
    for folder in folders:
        open_case(viewer, folder)
    patients, planes = active_patient(viewer), linked_planes(viewer)
    for step in steps:
        layer = viewer.layers[len(viewer.layers) // 2] if viewer.layers else None
        if step == "switch" and patients.patients:
            patients.activate(patients.patients[0])
        elif layer is not None and step == "hide":
            layer.visible = not layer.visible
        elif layer is not None and step == "duplicate" and layer.visible:
            viewer.add_layer(type(layer).create(*layer.as_layer_data_tuple()))
        elif layer is not None and step == "remove":
            viewer.layers.remove(layer)
        elif len(viewer.layers) > 1:
            viewer.layers.move(0, len(viewer.layers))
        shown = {patient_of(x) for x in planes.layers.drawn} - {None}
        assert shown <= {patients.current}


def test_each_patient_keeps_its_crosshair_and_view(two_patients):
    patients, planes = active_patient(two_patients), linked_planes(two_patients)
    first, second = patients.patients
    patients.activate(first)
    position = tuple(planes.layers.bounds.mean(axis=0) + 1)
    planes.look_at(position, 5.0)
    view = planes.view
    patients.activate(second)
    assert planes.view == View()
    patients.activate(first)
    assert planes.view == view
    assert planes.position == pytest.approx(position)


def test_the_crosshair_stays_inside_the_images(two_patients):
    planes = linked_planes(two_patients)
    lowest, highest = planes.layers.bounds
    planes.move_to(tuple(highest + 100))
    assert planes.position == pytest.approx(tuple(highest))
    planes.move_to(tuple(lowest - 100))
    assert planes.position == pytest.approx(tuple(lowest))


def test_a_step_moves_by_one_slice(two_patients):
    planes = linked_planes(two_patients)
    layer = planes.layers.drawn[0]
    placement = planes.layers.placement(layer)
    planes.move_to(tuple(placement.first + 3 * placement.step))
    for plane in PLANES:
        before = placement.slice_index(plane, planes.position)
        planes.step(plane, 2)
        assert placement.slice_index(plane, planes.position) == before + 2


def test_an_edit_is_announced_and_a_rotated_layer_is_not_drawn(viewer):
    show_regions(viewer, synthetic_case())
    planes = linked_planes(viewer)
    changed = []
    planes.changed.connect(lambda: changed.append(True))
    layer = planes.layers.drawn[-1]
    version = planes.layers.version(layer)
    layer.data_setitem((np.array([0]), np.array([0]), np.array([0])), 1)
    assert changed
    assert planes.layers.version(layer) > version
    layer.rotate = 10
    assert layer not in planes.layers.drawn


def test_images_of_other_plugins_are_drawn_beside_the_patient(viewer):
    viewer.add_image(np.ones((4, 5, 6)))
    assert len(linked_planes(viewer).layers.drawn) == 1


def test_the_head_is_found_without_its_background():
    volume = np.full((30, 30, 30), -3.0)
    volume[6:16, 9:22, 3:28] = 1.0
    first, last = foreground_box(volume)
    assert np.all(np.abs(first - (6, 9, 3)) < 3)
    assert np.all(np.abs(last - (15, 21, 27)) < 3)
    assert foreground_box(np.zeros((9, 9, 9))) is None


def test_the_view_of_a_closed_patient_is_forgotten(two_patients):
    patients, planes = active_patient(two_patients), linked_planes(two_patients)
    planes.look_at(planes.position, 5.0)
    folder = patients.current.folder
    for layer in list(patients.layers):
        two_patients.layers.remove(layer)
    open_case(two_patients, folder)
    assert planes.view == View()


def test_planes_are_drawn_again_when_the_brush_is_chosen_resized_or_put_down(viewer):
    show_regions(viewer, synthetic_case())
    layers = linked_planes(viewer).layers
    changes, edits = [], []
    layers.changed.connect(lambda: changes.append("drawn"))
    layers.voxels_changed.connect(lambda: edits.append("edited"))
    mask = layers.of_type("labels")[-1]
    for change in ({"mode": "paint"}, {"brush_size": 17}, {"mode": "pan_zoom"}):
        changes.clear()
        for name, value in change.items():
            setattr(mask, name, value)
        assert changes and not edits
