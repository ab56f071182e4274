"""What another plugin has made belongs to no patient, unless it can only be of the active one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from magicgui import magicgui
from magicgui.widgets import FunctionGui
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from napari.layers._layer_actions import _duplicate_layer, _merge_stack, _split_stack
from napari.layers._source import layer_source
from napari_cases import case_along
from qtpy.QtWidgets import QApplication
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation

from napari_smalltumor import notify
from napari_smalltumor.autosave.masks import masks_among
from napari_smalltumor.compare.choices import reference_choices
from napari_smalltumor.export.case_export import case_to_export
from napari_smalltumor.export.writer import write_labels
from napari_smalltumor.finetune.cases.training_masks import case_to_add
from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.layers.drawings import masks_beside_regions
from napari_smalltumor.layers.editing.earlier_scan import mark_as_earlier_scan
from napari_smalltumor.layers.metadata import source_role_of
from napari_smalltumor.layers.patient import Patient, layers_of_patient, patient_of
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.layer_rules.assign_selected import assign_selected
from napari_smalltumor.viewer_setup import set_up
from napari_smalltumor.widgets import readable_messages

A, B = Patient("A"), Patient("B")
RESULT = np.ones(case_along().grid.shape, np.uint8)


@cache
def widget() -> FunctionGui:
    return magicgui(lambda: None)


@pytest.fixture(autouse=True)
def said(monkeypatch) -> list[str]:
    """Messages, given at once, also where an earlier test has created an application."""
    widget()  # which needs an application
    shown: list[str] = []
    for kind in ("info", "warn", "error"):
        monkeypatch.setattr(notify, kind, shown.append)
    monkeypatch.setattr(QApplication, "instance", lambda: None)
    return shown


def show_images(viewer: ViewerModel, name: str) -> None:
    set_up(viewer)
    for data, attributes, _ in image_layers(case_along(name=name)):
        viewer.add_image(data, **attributes)


@pytest.fixture
def two(viewer: ViewerModel) -> ViewerModel:
    """A, then B, who is active; on one grid, as all BraTS cases are."""
    show_images(viewer, "A")
    show_images(viewer, "B")
    return viewer


def place(viewer: ViewerModel, name: str = "B T1CE") -> dict[str, object]:
    names = ("scale", "translate", "axis_labels", "units")
    return {each: getattr(viewer.layers[name], each) for each in names}


def add_result(viewer: ViewerModel, name: str = "result") -> Labels:
    """What a worker adds that was begun while A was active."""
    image = viewer.layers["A T1CE"] if "A T1CE" in viewer.layers else viewer.layers[-1]
    data = np.ones(image.data.shape, np.uint8)
    return viewer.add_labels(data, name=name, **place(viewer, image.name))


def by_a_widget(add: Callable[[], Layer]) -> Layer:
    with layer_source(widget=widget()):
        return add()


RESULTS: dict[str, Callable[[ViewerModel], Layer]] = {
    "labels": add_result,
    "empty labels of a widget": lambda viewer: by_a_widget(
        lambda: viewer.add_labels(np.zeros((4, 5, 6), np.uint8))
    ),
    "points": lambda viewer: viewer.add_points(np.ones((2, 3))),
    "shapes": lambda viewer: viewer.add_shapes(np.ones((1, 4, 3)), shape_type="path"),
    "vectors": lambda viewer: viewer.add_vectors(np.ones((2, 2, 3))),
}


@pytest.mark.parametrize("add", RESULTS.values(), ids=RESULTS)
def test_a_result_that_comes_with_another_patient_belongs_to_none_and_is_named(two, said, add):
    result = add(two)
    assert patient_of(result) is None and source_role_of(result.metadata) is None
    assert len(said) == 1 and said[0].startswith(f"{result.name} belongs to no patient")
    active_patient(two).activate(A)
    assert result.visible and not result.locked


@pytest.mark.parametrize(
    "add",
    [
        lambda viewer: viewer._new_labels(),
        lambda viewer: viewer.add_points(ndim=3),
        lambda viewer: viewer.add_shapes(ndim=3),
    ],
)
def test_what_the_user_creates_belongs_to_the_active_patient(two, said, add):
    two.layers.selection.active = two.layers["B T1CE"]
    add(two)
    assert patient_of(two.layers[-1]) == B and not said


def test_a_copy_of_a_result_of_no_patient_has_none_either(two, said):
    two.layers.selection = {add_result(two)}
    said.clear()
    _duplicate_layer(two.layers)
    assert [patient_of(x) for x in two.layers if x.name.startswith("result")] == [None, None]
    assert not said


def test_a_result_while_no_other_patient_was_ever_open_is_of_the_only_one(viewer, said):
    show_images(viewer, "A")
    assert patient_of(add_result(viewer)) == A and not said


@pytest.mark.parametrize("remove_by_hand", [True, False])
def test_a_patient_who_was_closed_may_be_that_of_a_result(viewer, said, remove_by_hand):
    show_images(viewer, "A")
    for layer in list(viewer.layers) if remove_by_hand else viewer.layers[:1]:
        viewer.layers.remove(layer)
    show_images(viewer, "B")
    assert patient_of(add_result(viewer)) is None


def test_a_result_may_be_of_an_image_whose_patient_is_not_known(viewer):
    viewer.add_image(np.zeros((4, 4, 4)), name="of another reader")
    show_images(viewer, "A")
    assert patient_of(add_result(viewer)) is None


@pytest.mark.parametrize("assigned", [True, False])
def test_a_result_may_be_of_an_image_of_no_patient_that_was_removed(viewer, assigned):
    show_images(viewer, "A")
    atlas = viewer.add_image(np.zeros((4, 4, 4)), name="of another reader")
    if assigned:
        viewer.layers.selection = {atlas}
        assign_selected(viewer)
    viewer.layers.remove(atlas)
    assert patient_of(add_result(viewer)) == (A if assigned else None)


def test_a_result_is_of_the_only_patient_once_the_image_of_no_patient_was_assigned(viewer):
    atlas = viewer.add_image(np.zeros((4, 4, 4)), name="of another reader")
    show_images(viewer, "A")
    viewer.layers.selection = {atlas}
    assign_selected(viewer)
    assert patient_of(add_result(viewer)) == A


def test_nothing_is_done_with_a_result_of_no_patient_as_if_it_were_of_the_active_one(two):
    result = add_result(two)
    assert result not in layers_of_patient(two.layers, B)
    assert result not in masks_among(two.layers)
    assert case_to_export(two) is None and case_to_add(two) is None
    assert all(choice.layer is not result for choice in reference_choices(two))
    assert masks_beside_regions(two.layers, B) == []
    review = LesionReview(two)
    assert review.source.holds(result) and review.segmentation.title == "result"


def test_the_user_assigns_a_result_which_is_saved_on_the_grid_of_the_case_then(two, said, tmp_path):
    result = add_result(two)
    review = LesionReview(two)
    active_patient(two).activate(A)
    two.layers.selection = {result}
    assign_selected(two)
    assert patient_of(result) == A and source_role_of(result.metadata).case.name == "A"
    assert said[-1] == "result belongs to A from now on."
    assert review.source.case is not None and review.segmentation.title == "A"
    before = result.translate
    result.translate = (9, 9, 9)
    np.testing.assert_array_equal(result.translate, before)
    data, attributes, _ = result.as_layer_data_tuple()
    assert write_labels(str(tmp_path / "a.nii.gz"), data, attributes)
    active_patient(two).activate(B)
    assert not result.visible


def test_the_patients_own_mask_is_reviewed_before_a_result_of_no_patient(two):
    case = case_along(name="B")
    classes = np.random.default_rng(0).integers(0, 4, case.grid.shape).astype(np.uint8)
    show_segmentation(two, case, Segmentation("B", classes, case.grid))
    add_result(two)
    review = LesionReview(two)
    assert review.source.name == "B" and [s.name for s in review.segmentation.sources] == [
        "result",
        "B",
    ]
    active_patient(two).activate(A)
    assert review.source.name == "result" and review.segmentation.title == "result"


def test_the_message_ends_when_the_layer_was_assigned_or_removed(two, said, monkeypatch):
    closed: list[set[str]] = []
    monkeypatch.setattr(readable_messages, "close_messages", closed.append)
    first, second = add_result(two), add_result(two, "another")
    two.layers.selection = {first}
    assign_selected(two)
    assert closed == [{said[0]}]
    two.layers.remove(second)
    assert closed == [{said[0]}, {said[1]}]


def test_labels_that_lie_elsewhere_are_assigned_and_saved_in_their_own_place(two):
    result = two.add_labels(np.ones((3, 3, 3), np.uint8), name="small")
    assign_selected(two)
    assert patient_of(result) == B and source_role_of(result.metadata) is None


def test_a_layer_of_a_patient_is_not_assigned_to_another_one(two, said):
    two.layers.selection = {two.layers["A T1CE"], add_result(two)}
    assign_selected(two)
    assert said[-1] == "A T1CE was not assigned: it belongs to A."
    assert patient_of(two.layers["result"]) is None


def test_nothing_is_assigned_without_a_patient_or_a_selected_layer(viewer, said):
    assign_selected(viewer)
    assert said == ["No patient is open."]
    show_images(viewer, "A")
    viewer.layers.selection.clear()
    assign_selected(viewer)
    assert said[-1] == "Select the layers in the layer list that belong to no patient."


def test_a_widget_that_fills_its_layer_of_before_takes_it_from_its_patient(viewer, said):
    """napari has a widget fill the layer of the same name again, whoever is active."""
    show_images(viewer, "A")
    result = by_a_widget(lambda: add_result(viewer))
    result.data = result.data * 2
    assert patient_of(result) == A and not said
    show_images(viewer, "B")
    assert not result.visible and result.locked
    result.data = result.data * 0
    assert patient_of(result) is None and result.visible and not result.locked
    assert len(said) == 1 and said[0].startswith("result belongs to no patient")


def test_a_widget_that_fills_a_layer_of_the_active_patient_again_may_have_begun_before(two, said):
    result = by_a_widget(lambda: add_result(two))
    two.layers.selection = {result}
    assign_selected(two)
    result.paint((1, 1, 1), 3)
    assert patient_of(result) == B
    result.data = result.data * 2
    assert patient_of(result) is None and source_role_of(result.metadata) is None


EMPTY_THEN_FILLED: dict[str, tuple[Callable[[ViewerModel], Layer], np.ndarray]] = {
    "labels": (lambda viewer: add_empty_labels(viewer), RESULT),
    "points": (lambda viewer: viewer.add_points(ndim=3), np.ones((2, 3))),
    "shapes": (lambda viewer: viewer.add_shapes(ndim=3), np.ones((1, 4, 3))),
}


def add_empty_labels(viewer: ViewerModel) -> Labels:
    return viewer.add_labels(np.zeros_like(RESULT), name="result", **place(viewer))


@pytest.mark.parametrize(("add", "result"), EMPTY_THEN_FILLED.values(), ids=EMPTY_THEN_FILLED)
def test_an_empty_layer_that_a_plugin_adds_and_then_fills_belongs_to_no_patient(
    two, said, add, result
):
    layer = add(two)
    assert patient_of(layer) == B and not said
    layer.data = result
    assert patient_of(layer) is None and source_role_of(layer.metadata) is None
    assert len(said) == 1 and said[0].startswith(f"{layer.name} belongs to no patient")


def test_what_the_user_draws_stays_with_the_active_patient(two, said):
    labels = add_empty_labels(two)
    labels.paint((1, 1, 1), 3)
    labels.fill((0, 0, 0), 2)
    labels.undo()
    labels.redo()
    labels.data_setitem((np.array([1]), np.array([1]), np.array([1])), 5)
    points, shapes = two.add_points(ndim=3), two.add_shapes(ndim=3)
    points.add(np.ones((1, 3)))
    points.add(np.ones((2, 3)))
    points.selected_data = {0, 1, 2}
    points.remove_selected()
    points.add(np.ones((1, 3)))
    shapes.add(np.ones((4, 3)))
    shapes.selected_data = {0}
    shapes.remove_selected()
    assert {patient_of(layer) for layer in (labels, points, shapes)} == {B} and not said


def test_vectors_are_filled_by_plugins_only(two):
    vectors = two.add_vectors(np.ones((2, 2, 3)))
    two.layers.selection = {vectors}
    assign_selected(two)
    vectors.data = np.zeros((2, 2, 3))
    assert patient_of(vectors) is None


def test_the_last_layer_of_a_patient_that_is_filled_anew_closes_the_patient(viewer, said):
    show_images(viewer, "A")
    result = by_a_widget(lambda: add_result(viewer))
    show_images(viewer, "B")
    for layer in [x for x in layers_of_patient(viewer.layers, A) if x is not result]:
        viewer.layers.remove(layer)
    result.data = result.data * 0
    assert active_patient(viewer).patients == [B] and active_patient(viewer).current == B


def test_regions_that_a_run_fills_stay_with_their_patient(two, said):
    case = case_along(name="A")
    classes = np.random.default_rng(0).integers(0, 4, case.grid.shape).astype(np.uint8)
    for _ in range(2):
        with active_patient(two).in_background():
            show_segmentation(two, case, Segmentation("A", classes, case.grid))
    assert patient_of(two.layers["A ET"]) == A
    assert not any("no patient" in text for text in said)


def test_new_labels_on_a_case_stay_in_their_place(two):
    two.layers.selection.active = two.layers["B T1CE"]
    two._new_labels()
    drawn, before = two.layers[-1], two.layers[-1].translate
    drawn.translate = (9, 9, 9)
    np.testing.assert_array_equal(drawn.translate, before)


def merged(viewer: ViewerModel, *names: str) -> Image:
    viewer.layers.selection = {viewer.layers[name] for name in names}
    _merge_stack(viewer.layers)
    return viewer.layers[-1]


def test_a_stack_of_two_patients_and_what_it_is_split_into_belong_to_nobody(two, said):
    stack = merged(two, "A T1CE", "B T1CE")
    assert patient_of(stack) is None and source_role_of(stack.metadata) is None
    assert stack.name == "stack of images"
    assert "stack of images belongs to no patient" in said[-1]
    two.layers.selection.active = stack
    _split_stack(two.layers)
    parts = two.layers[-2:]
    assert [patient_of(part) for part in parts] == [None, None]


def test_a_stack_of_the_only_patient_who_was_ever_open_is_of_that_patient(viewer, said):
    show_images(viewer, "A")
    stack = merged(viewer, "A T1", "A T1CE")
    assert patient_of(stack) == A
    two_channels = viewer.add_image(np.zeros((3, *RESULT.shape)), name="atlas")
    assert patient_of(two_channels) is None


def test_a_stack_that_was_assigned_stays_so_when_it_is_brought_back(two, said):
    stack = merged(two, "A T1CE", "B T1CE")
    two.layers.selection = {stack}
    assign_selected(two)
    assert patient_of(stack) == active_patient(two).current
    two.layers.remove(stack)
    two.layers.append(stack)
    assert patient_of(stack) == active_patient(two).current


def test_a_copy_of_a_patients_stack_is_of_that_patient_too(viewer, said):
    show_images(viewer, "A")
    stack = merged(viewer, "A T1", "A T1CE")
    show_images(viewer, "B")
    viewer.layers.selection = {stack}
    _duplicate_layer(viewer.layers)
    copy = viewer.layers[f"{stack.name} copy"]
    assert patient_of(copy) == A and not any("belong" in text for text in said)


def test_a_stack_with_an_earlier_scan_and_what_it_is_split_into_belong_to_nobody(viewer, said):
    show_images(viewer, "A")
    data, attributes, _ = viewer.layers["A T1CE"].as_layer_data_tuple()
    earlier = viewer.add_image(data, **{**attributes, "name": "earlier T1CE"})
    mark_as_earlier_scan(earlier, "visit 1")
    stack = merged(viewer, "A T1CE", "earlier T1CE")
    assert patient_of(stack) is None and stack.name == "stack of images"
    viewer.layers.selection.active = stack
    _split_stack(viewer.layers)
    assert [patient_of(part) for part in viewer.layers[-2:]] == [None, None]
