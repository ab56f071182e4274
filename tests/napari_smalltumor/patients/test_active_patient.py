"""One patient is active; the layers of the others are hidden and cannot be changed."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.experimental import link_layers
from napari.layers import Labels, Layer
from napari.layers._layer_actions import _duplicate_layer, _toggle_lock
from napari_cases import case_along, write_case_along
from shown_layers import show_segmentation
from smalltumor.data.loaded_images import read_image
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region

from napari_smalltumor import notify
from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.layers.patient import Patient, assign, layers_of_patient, patient_of
from napari_smalltumor.layers.views.ring_boxes import ring_boxes_of
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.loading.files.single_file import layer_of_volume
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.widgets import readable_messages

pytestmark = pytest.mark.usefixtures("at_once")


@pytest.fixture
def patients(viewer, tmp_path):
    """Two patients of which the second is active."""
    for name in ("First", "Second"):
        open_case(viewer, write_case_along(tmp_path / name, labels=False))
    return active_patient(viewer)


def visible(viewer) -> list[str]:
    return [layer.name for layer in viewer.layers if layer.visible]


def layer_of(viewer, name):
    return next(layer for layer in viewer.layers if layer.name == name)


def switch(patients, name: str) -> None:
    patients.activate(next(p for p in patients.patients if p.name == name))


def regions(viewer, name: str):
    case = case_of(layer_of(viewer, f"{name} T1CE"))
    classes = np.random.default_rng(0).integers(0, 4, case.grid.shape).astype(np.uint8)
    return show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))


def test_opening_another_patient_hides_the_first_and_names_the_second(viewer, patients):
    assert visible(viewer) == ["Second T1CE"]
    assert patients.title == "Second"
    assert viewer.title == "Second – napari"


def test_going_back_restores_visibility_slice_camera_and_selection(viewer, patients):
    switch(patients, "First")
    layer_of(viewer, "First FLAIR").visible = True
    layer_of(viewer, "First T1CE").visible = False
    viewer.dims.order = (1, 0, 2)
    viewer.dims.point = viewer.dims.range[0][0], -48.25, viewer.dims.range[2][0]
    viewer.scene.camera.zoom, viewer.scene.camera.center = 7.5, (0.0, 3.0, 4.0)
    viewer.layers.selection = {layer_of(viewer, "First T1"), layer_of(viewer, "First T2")}
    before = viewer.dims.point
    switch(patients, "Second")
    viewer.dims.order, viewer.dims.ndisplay = (2, 0, 1), 3
    viewer.scene.camera.zoom = 2
    viewer.layers.selection = {layer_of(viewer, "Second T1")}
    switch(patients, "First")
    assert visible(viewer) == ["First FLAIR"]
    assert viewer.dims.order == (1, 0, 2)
    assert viewer.dims.ndisplay == 2
    assert viewer.dims.point == before
    assert viewer.scene.camera.zoom == 7.5
    assert viewer.scene.camera.center == (0, 3, 4)
    assert {layer.name for layer in viewer.layers.selection} == {"First T1", "First T2"}
    switch(patients, "Second")
    assert viewer.dims.ndisplay == 3
    assert viewer.scene.camera.zoom == 2


def test_slices_and_camera_follow_the_patient_beside_an_image_with_more_axes(
    viewer, patients, tmp_path
):
    switch(patients, "First")
    viewer.dims.order = (1, 0, 2)
    viewer.dims.point = viewer.dims.range[0][0], -48.25, viewer.dims.range[2][0]
    before = viewer.dims.point
    switch(patients, "Second")
    viewer.add_image(np.zeros((2, 5, 6, 7)), name="fMRI")
    viewer.dims.set_point(0, 1)
    open_case(viewer, write_case_along(tmp_path / "Third", labels=False))
    lowest, highest = layer_of(viewer, "Third T1CE").extent.world
    assert viewer.dims.point[-3:] == pytest.approx((lowest + highest) / 2, abs=1)
    assert viewer.dims.point[0] == 1
    shown = [viewer.dims.point[axis] for axis in viewer.dims.displayed]
    assert viewer.scene.camera.center[-2:] == pytest.approx(shown)
    switch(patients, "First")
    assert viewer.dims.order == (0, 2, 1, 3)
    assert viewer.dims.point == (1, *before)
    switch(patients, "Second")
    viewer.layers.remove("fMRI")
    switch(patients, "First")
    assert viewer.dims.order == (1, 0, 2) and viewer.dims.point == before
    switch(patients, "Third")
    assert viewer.dims.point == pytest.approx((lowest + highest) / 2, abs=1)


def add_in_background(viewer, patients, folder) -> None:
    """Add the images of a case whose patient has never been active."""
    with patients.in_background():
        for data, attributes, _ in image_layers(read_case(write_case_along(folder, labels=False))):
            viewer.add_image(data, **attributes)


def test_a_patient_that_was_never_active_gets_its_own_layer_selected(viewer, patients, tmp_path):
    add_in_background(viewer, patients, tmp_path / "Third")
    assert patients.title == "Second"
    switch(patients, "Third")
    assert [layer.name for layer in viewer.layers.selection] == ["Third T1CE"]
    regions(viewer, "Third")
    viewer.layers.selection = {layer_of(viewer, "Third TC")}
    switch(patients, "First")
    assert all(layer.name.startswith("First") for layer in viewer.layers.selection)
    switch(patients, "Third")
    assert [layer.name for layer in viewer.layers.selection] == ["Third TC"]


def test_a_patient_with_regions_that_was_never_active_gets_et_selected(viewer, patients, tmp_path):
    add_in_background(viewer, patients, tmp_path / "Third")
    with patients.in_background():
        regions(viewer, "Third")
    switch(patients, "Third")
    assert [layer.name for layer in viewer.layers.selection] == ["Third ET"]


def test_a_patient_that_was_left_without_a_selection_gets_its_own_layer(viewer, patients):
    viewer.layers.selection.clear()
    switch(patients, "First")
    switch(patients, "Second")
    assert [layer.name for layer in viewer.layers.selection] == ["Second T1CE"]


def test_a_patient_that_is_opened_lies_in_the_view(viewer, patients, tmp_path):
    viewer.scene.camera.center = (0.0, 900.0, 900.0)
    open_case(viewer, write_case_along(tmp_path / "Third", labels=False))
    low, high = layer_of(viewer, "Third T1CE").extent.world
    assert np.all(np.less(low[1:], viewer.scene.camera.center[1:]))
    assert np.all(np.less(viewer.scene.camera.center[1:], high[1:]))


def test_showing_a_hidden_layer_switches_to_its_patient(viewer, patients):
    layer_of(viewer, "First T2").visible = True
    assert patients.title == "First"
    assert visible(viewer) == ["First T2", "First T1CE"]


def test_a_hidden_layer_that_is_unlocked_stays_locked_and_is_not_removed(
    viewer, patients, monkeypatch
):
    warned: list[str] = []
    monkeypatch.setattr(notify, "warn", warned.append)
    layer = layer_of(viewer, "First T2")
    viewer.layers.selection = {layer}
    _toggle_lock(viewer.layers)
    assert layer.locked and len(warned) == 1
    assert warned[0].startswith("First T2 stays locked: it belongs to First, who is not")
    viewer.layers.remove_selected()
    assert layer in viewer.layers
    switch(patients, "First")
    viewer.layers.selection = {layer}
    assert not layer.locked
    _toggle_lock(viewer.layers)
    assert layer.locked and len(warned) == 1  # by the user, who may do so


def test_all_layers_shown_at_once_are_those_of_one_patient(viewer, patients):
    for layer in viewer.layers:
        layer.visible = True
    assert len({name.split()[0] for name in visible(viewer)}) == 1


def test_a_hidden_layer_that_is_selected_cannot_be_painted_undone_or_deleted(
    viewer, patients, monkeypatch
):
    warned: list[str] = []
    monkeypatch.setattr(notify, "warn", warned.append)
    switch(patients, "First")
    layer = regions(viewer, "First")[Region.ET]
    layer.mode = "paint"
    voxel = tuple(np.array([1]) for _ in range(3))
    layer.data_setitem(voxel, [1 - layer.data[1, 1, 1]])
    after = layer.data.copy()
    switch(patients, "Second")
    viewer.layers.selection.active = layer
    assert layer.mode == "pan_zoom"
    layer.mode = "paint"
    assert layer.mode == "pan_zoom"
    press(layer, "Ctrl+Z", "Ctrl+Shift+Z")
    assert len(warned) == 2 and "belongs to First" in warned[0]
    viewer.layers.remove_selected()
    assert layer in viewer.layers
    assert np.array_equal(layer.data, after)
    switch(patients, "First")
    assert layer.mode == "pan_zoom" and not layer.locked
    layer.undo()
    assert not np.array_equal(layer.data, after)


def press(layer, *keys):
    """Call what napari calls for keys while the layer is selected."""
    bound = {str(key): call for key, call in {**Labels.class_keymap, **layer.keymap}.items()}
    for key in keys:
        bound[key](layer)


@pytest.mark.parametrize("hide", [{"visible": False}, {"opacity": 0.0}])
def test_nothing_is_undone_in_a_hidden_layer_of_the_active_patient(
    viewer, patients, monkeypatch, hide
):
    warned: list[str] = []
    monkeypatch.setattr(notify, "warn", warned.append)
    switch(patients, "First")
    layer = regions(viewer, "First")[Region.ET]
    before = layer.data.copy()
    layer.data_setitem(tuple(np.array([1]) for _ in range(3)), [1 - layer.data[1, 1, 1]])
    after = layer.data.copy()
    shown = {name: getattr(layer, name) for name in hide}
    for name, value in hide.items():
        setattr(layer, name, value)
    press(layer, "Ctrl+Z", "Ctrl+Shift+Z")
    assert np.array_equal(layer.data, after)
    reason = "it is hidden." if "visible" in hide else "its opacity is 0. Raise it"
    assert len(warned) == 2 and warned[0].startswith(f"First ET was not changed: {reason}")
    for name, value in shown.items():
        setattr(layer, name, value)
    press(layer, "Ctrl+Z")
    assert np.array_equal(layer.data, before)


def test_a_duplicate_of_a_hidden_layer_stays_hidden(viewer, patients):
    viewer.layers.selection = {layer_of(viewer, "First T1CE")}
    _duplicate_layer(viewer.layers)
    assert patients.title == "Second"
    for layer in viewer.layers:
        if "copy" in layer.name:
            layer.visible = False
    assert visible(viewer) == ["Second T1CE"]
    switch(patients, "First")
    assert visible(viewer) == ["First T1CE"]


def test_a_result_in_the_background_is_shown_when_its_patient_is_active(viewer, patients):
    chosen = viewer.layers.selection.active
    with patients.in_background():
        regions(viewer, "First")
    assert patients.title == "Second"
    assert visible(viewer) == ["Second T1CE"]
    assert viewer.layers.selection.active is chosen
    assert [layer.name.split()[0] for layer in viewer.layers] == ["First"] * 7 + ["Second"] * 4
    switch(patients, "First")
    assert visible(viewer) == ["First T1CE", "First WT", "First TC", "First ET"]
    assert viewer.layers.selection.active.name == "First ET"


def test_labels_stay_active_and_on_top_when_their_images_arrive_in_the_background(viewer, tmp_path):
    folder = write_case_along(tmp_path / "Pat")
    masks = tmp_path / "masks"
    masks.mkdir()
    shutil.move(folder / "Pat_seg.nii.gz", masks)
    labels = viewer.add_layer(Layer.create(*layer_of_volume(read_image(masks / "Pat_seg.nii.gz"))))
    patients = active_patient(viewer)
    assert patients.current == Patient("Pat", masks)
    with patients.in_background():
        open_case(viewer, folder)
    assert patients.current == patient_of(labels) == Patient("Pat", folder)
    assert patients.patients == [patients.current]
    assert visible(viewer) == ["Pat T1CE", "Pat_seg"]
    assert not any(layer.locked for layer in viewer.layers)


def test_closing_the_active_patient_shows_the_one_before(viewer, patients, tmp_path):
    open_case(viewer, write_case_along(tmp_path / "Third", labels=False))
    switch(patients, "First")
    for layer in patients.layers:
        viewer.layers.remove(layer)
    assert patients.title == "Third"
    viewer.layers.clear()
    assert patients.current is None
    assert viewer.title == "napari"


def test_opening_a_file_of_an_open_patient_makes_it_active(viewer, patients, tmp_path):
    open_case(viewer, tmp_path / "First")
    assert patients.title == "First"
    assert len(patients.patients) == 2


def test_hidden_layers_are_listed_below_and_the_picker_keeps_its_order(viewer, patients):
    names = [layer.name for layer in patients.layers]
    for name in ("First", "Second"):
        switch(patients, name)
        assert [layer.name for layer in list(viewer.layers)[4:]] == [
            layer.name for layer in patients.layers
        ]
        assert [p.name for p in patients.patients] == ["First", "Second"]
    assert [layer.name for layer in patients.layers] == names


def test_linked_layers_of_two_patients_are_not_shown_together(viewer, patients):
    link_layers([layer_of(viewer, "First T1CE"), layer_of(viewer, "Second T1CE")])  # by a script
    for name in ("First", "Second", "First"):
        switch(patients, name)
        assert {layer.split()[0] for layer in visible(viewer)} <= {name}
        assert all(x.locked for x in viewer.layers if not x.name.startswith(name))


def test_layers_of_no_known_patient_stay_as_they_are(viewer, patients):
    plain = viewer.add_image(np.zeros((4, 4, 4), np.uint8))
    switch(patients, "First")
    assert plain.visible and not plain.locked
    assert patients.title == "First"


def test_adopted_layers_follow_their_patient_and_the_view_stays(viewer, patients):
    plain = viewer.add_image(np.zeros((4, 4, 4)), name="t1")
    point = viewer.dims.point = (1.0, 2.0, 3.0)
    other = Patient("Other")
    patients.adopt([plain], other)
    assert patients.title == "Other" and viewer.dims.point == point
    assert visible(viewer) == ["t1"]
    switch(patients, "First")
    assert visible(viewer) == ["First T1CE"]


def test_another_program_may_change_the_title(viewer, patients):
    viewer.title = "Ward 3"
    switch(patients, "First")
    assert viewer.title == "First – Ward 3"


def test_layers_that_exist_before_leave_one_patient_visible(viewer):
    for name in ("A", "B"):
        layer = viewer.add_image(np.zeros((4, 4, 4)), name=name)
        assign(layer, Patient(name))
    assert active_patient(viewer).title == "A"
    assert visible(viewer) == ["A"]
    assert [patient_of(layer).name for layer in viewer.layers] == ["B", "A"]


def test_a_patient_that_is_not_open_cannot_be_activated(patients):
    with pytest.raises(ValueError, match="no layer of Other is open"):
        patients.activate(Patient("Other"))


DRAWN = {
    "points": lambda viewer: viewer.add_points(ndim=3),
    "shapes": lambda viewer: viewer.add_shapes(ndim=3),
    "labels": lambda viewer: viewer.add_labels(np.zeros((4, 4, 4), np.uint8)),
}


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_what_is_drawn_in_the_window_is_hidden_with_its_patient(viewer, patients, draw):
    drawn = draw(viewer)
    assert patient_of(drawn) == patients.current
    switch(patients, "First")
    assert not drawn.visible
    switch(patients, "Second")
    assert drawn.visible


def test_what_is_drawn_while_another_patient_is_read_belongs_to_the_active_one(viewer, patients):
    before = patients.current
    patients.insert_arriving(Layer.create(*image_layers(case_along(name="Third"))[0]))
    drawn = viewer.add_points(ndim=3)
    assert patient_of(drawn) == before
    patients.finish_arrivals()
    assert patients.current.name == "Third"
    assert not drawn.visible


def test_rings_that_were_duplicated_stay_with_their_patient(viewer, patients):
    regions(viewer, "Second")
    review = LesionReview(viewer)
    review.segmentation.choose(review.segmentation.sources[0], Region.ET)
    review.set_lesions(review.source.snapshot(Region.ET).lesions(50))
    (rings,) = [layer for layer in viewer.layers if ring_boxes_of(layer) is not None]
    viewer.layers.selection = {rings}
    _duplicate_layer(viewer.layers)
    (copy,) = [layer for layer in viewer.layers if layer.name == f"{rings.name} copy"]
    assert patient_of(copy).name == "Second"
    assert ring_boxes_of(copy) is None
    switch(patients, "First")
    assert not copy.visible
    review.close()


def test_messages_about_a_patient_are_removed_when_its_last_layer_is(viewer, patients, monkeypatch):
    closed: list[str] = []
    monkeypatch.setattr(readable_messages, "close_messages", closed.extend)
    first = next(p for p in patients.patients if p.name == "First")
    text = "Choose First under Patient."
    assert patients.messages.about(first, text) == patients.messages.about(first, text) == text
    other = active_patient(ViewerModel())
    other.messages.about(first, "Of another viewer.")
    for layer in layers_of_patient(viewer.layers, first)[1:]:
        viewer.layers.remove(layer)
    assert closed == []
    viewer.layers.remove(layers_of_patient(viewer.layers, first)[0])
    assert closed.count(text) == 1 and "Of another viewer." not in closed


def test_messages_about_the_active_patient_are_removed_when_another_one_is(patients, monkeypatch):
    closed: list[str] = []
    monkeypatch.setattr(readable_messages, "close_messages", closed.extend)
    switch(patients, "First")
    text = "The patient has no T1."
    assert patients.messages.about_active(text) == text and closed == []
    assert patients.messages.about_active(text) == text and closed == [text]
    switch(patients, "Second")
    assert closed == [text, text]
    switch(patients, "First")
    assert closed == [text, text]


@pytest.mark.parametrize("mode", ["paint", "erase", "fill", "pick"])
def test_a_brush_is_put_down_when_another_patient_becomes_active(viewer, tmp_path, mode):
    """napari would take it again with its layer: a click would paint."""
    for name in ("Anna", "Bert"):
        open_case(viewer, write_case_along(tmp_path / name))
    patients = active_patient(viewer)
    anna, bert = patients.patients
    layer = viewer.layers["Bert labels"]
    layer.mode = mode
    patients.activate(anna)
    patients.activate(bert)
    assert layer.visible and layer.mode == "pan_zoom"
