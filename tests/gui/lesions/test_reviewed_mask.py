"""The mask that the Lesions dock lists is the one that the user chose, while it can be seen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from event_loop import let_turns_pass
from layer_list_clicks import alt_click
from lesion_layers import search, show_regions, synthetic_case
from napari.layers._layer_actions import _duplicate_layer
from smalltumor.labels.regions import Region

from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.patients.active_patient import active_patient


@pytest.fixture
def viewer(make_napari_viewer):
    """A case with its image, ET, TC and WT, and a copy of WT."""
    viewer = make_napari_viewer(show=True)
    case = synthetic_case()
    for data, attributes, _ in image_layers(case):
        viewer.add_image(data, **attributes)
    show_regions(viewer, case)
    viewer.layers.selection = {viewer.layers["Pat WT"]}
    _duplicate_layer(viewer.layers)
    return viewer


@pytest.fixture
def review(viewer, qtbot):
    review = LesionReview(viewer)
    review.segmentation.choose(_regions(review), Region.ET)
    search(review)
    let_turns_pass(qtbot)
    yield review
    review.close()


def _regions(review):
    return next(s for s in review.segmentation.sources if len(set(s.layers.values())) == 3)


def test_an_image_that_is_shown_alone_leaves_the_chosen_mask(viewer, review, qtbot):
    lesions = list(review.lesions)
    for _ in range(2):
        alt_click(viewer, "Pat T1CE", qtbot)
        assert review.source.layers[Region.ET] is viewer.layers["Pat ET"]
        assert review.lesions == lesions


def test_a_copy_that_is_shown_alone_is_listed_until_the_chosen_mask_is_shown(viewer, review, qtbot):
    alt_click(viewer, "Pat WT copy", qtbot)
    assert review.source.any_layer is viewer.layers["Pat WT copy"]
    alt_click(viewer, "Pat WT copy", qtbot)
    assert review.source.layers[Region.ET] is viewer.layers["Pat ET"]
    assert review.region is Region.ET


def test_a_copy_that_is_chosen_stays_chosen_when_another_mask_is_shown(viewer, review, qtbot):
    alt_click(viewer, "Pat WT copy", qtbot)
    copy = next(s for s in review.segmentation.sources if s.holds(viewer.layers["Pat WT copy"]))
    review.segmentation.choose(copy)
    alt_click(viewer, "Pat WT copy", qtbot)
    assert review.source.any_layer is viewer.layers["Pat WT copy"]


def test_a_copy_whose_lesions_were_visited_stays_under_review(viewer, review, qtbot):
    alt_click(viewer, "Pat WT copy", qtbot)
    search(review)
    review.go_to(review.lesions[0])
    alt_click(viewer, "Pat WT copy", qtbot)
    assert review.source.any_layer is viewer.layers["Pat WT copy"]
    assert review.current == review.lesions[0]


def test_another_patient_that_is_shown_alone_leaves_the_chosen_mask(viewer, review, qtbot):
    patients = active_patient(viewer)
    first = patients.current
    next_case = replace(synthetic_case(), name="Next")
    for data, attributes, _ in image_layers(next_case):
        viewer.add_image(data, **attributes)
    patients.activate(first)
    alt_click(viewer, "Next T1CE", qtbot)
    assert patients.title == "Next" and review.source is None
    patients.activate(first)
    assert review.source.layers[Region.ET] is viewer.layers["Pat ET"]


@pytest.mark.parametrize("between", ["patient", "dock"])
def test_a_review_whose_mask_is_hidden_is_not_lost_meanwhile(viewer, review, qtbot, between):
    """Neither while another patient is active nor while no dock is open."""
    patients = active_patient(viewer)
    first, lesion = patients.current, review.lesions[0]
    review.go_to(lesion)
    alt_click(viewer, "Pat WT copy", qtbot)
    assert review.source.any_layer is viewer.layers["Pat WT copy"]
    if between == "patient":
        for data, attributes, _ in image_layers(replace(synthetic_case(), name="Next")):
            viewer.add_image(data, **attributes)
        patients.activate(first)
    else:
        review.close()
        review.open()
    assert review.source.any_layer is viewer.layers["Pat WT copy"]
    alt_click(viewer, "Pat WT copy", qtbot)
    assert review.source.layers[Region.ET] is viewer.layers["Pat ET"]
    assert review.segmentation.progress.sought == lesion
