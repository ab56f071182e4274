"""Which segmentation and region are reviewed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lesion_layers import search, show_classes, show_regions, synthetic_case
from smalltumor.labels.regions import Region

from napari_smalltumor.layers.masks.regions import hide_stored_labels
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.patients.active_patient import active_patient

pytestmark = pytest.mark.usefixtures("at_once")


def test_a_new_result_becomes_the_source_and_a_removed_one_is_replaced(viewer):
    show_classes(viewer, synthetic_case())
    review = LesionReview(viewer)
    assert review.source.scheme == "brats2018"
    show_regions(viewer, synthetic_case())
    assert review.source.scheme is None
    search(review)
    viewer.add_labels(np.zeros((4, 4, 4), np.uint8), name="other")
    assert review.source.scheme is None and len(review.segmentation.sources) == 3
    viewer.layers.remove("Pat ET")
    assert review.region is Region.TC
    for name in ("Pat TC", "Pat WT"):
        viewer.layers.remove(name)
    assert review.source is not None and review.source.name in ("other", "Pat labels")
    viewer.layers.clear()
    assert (review.source, review.segmentation.sources, review.lesions) == (None, [], [])


def test_a_review_opened_before_the_result_shows_enhancing_tumour(viewer):
    review = LesionReview(viewer)
    show_regions(viewer, synthetic_case())  # the outermost region is added first
    assert review.region is Region.ET
    assert review.source.layers[Region.ET] is viewer.layers["Pat ET"]


def test_a_region_that_was_removed_is_reviewed_again_when_it_is_back(viewer):
    """Also if another patient was active meanwhile."""
    case = synthetic_case()
    show_regions(viewer, case)
    review = LesionReview(viewer)
    et = viewer.layers["Pat ET"]
    viewer.layers.remove(et)
    patients = active_patient(viewer)
    first = patients.current
    show_regions(viewer, replace(case, name="Next"))
    assert patients.current is not first and review.region is Region.ET
    patients.activate(first)
    assert review.region is Region.TC
    viewer.layers.append(et)
    assert review.region is Region.ET and review.source.layers[Region.ET] is et


def test_a_renamed_layer_remains_the_source(viewer):
    layer = viewer.add_labels(np.zeros((4, 4, 4), np.uint8), name="before")
    review = LesionReview(viewer)
    assert review.source.name == "before"
    layer.name = "after"
    assert review.source.name == "after"


def test_a_result_that_was_added_to_a_hidden_patient_is_reviewed_when_it_becomes_active(viewer):
    case = synthetic_case()
    show_classes(viewer, case)
    review = LesionReview(viewer)
    assert review.source.scheme == "brats2018"
    patients = active_patient(viewer)
    first = patients.current
    show_regions(viewer, replace(case, name="Next"))
    with patients.in_background():
        show_regions(viewer, case)
    patients.activate(first)
    assert len(review.segmentation.sources) == 2 and review.source.scheme is None


def test_a_mask_that_was_hidden_in_the_background_gives_way_to_the_one_that_is_shown(viewer):
    case = synthetic_case()
    show_regions(viewer, case)
    show_classes(viewer, case)
    review = LesionReview(viewer)
    review.segmentation.choose(
        next(source for source in review.segmentation.sources if source.scheme is not None)
    )
    patients = active_patient(viewer)
    first = patients.current
    show_regions(viewer, replace(case, name="Next"))
    with patients.in_background():
        hide_stored_labels(viewer.layers, first)
    patients.activate(first)
    assert review.source.scheme is None


def test_a_mask_that_is_hidden_by_a_new_result_gives_way_to_the_result(viewer):
    case = synthetic_case()
    show_regions(viewer, case)
    show_classes(viewer, case)
    review = LesionReview(viewer)
    review.segmentation.choose(
        next(source for source in review.segmentation.sources if source.scheme is not None)
    )
    show_regions(viewer, case)  # the layers exist already: none is inserted
    hide_stored_labels(viewer.layers, active_patient(viewer).current)
    assert review.source.scheme is None and review.unseen.under_review is None


def test_another_mask_that_is_shown_is_reviewed_when_the_one_under_review_is_hidden(viewer):
    case = synthetic_case()
    show_regions(viewer, case)
    show_classes(viewer, case)
    review = LesionReview(viewer)
    assert review.source.scheme is None
    for layer in review.source.layers.values():
        layer.visible = False
    assert review.source.scheme == "brats2018"
    viewer.layers["Pat labels"].visible = False
    assert review.source.scheme == "brats2018"  # no other one is shown
    viewer.layers["Pat ET"].visible = True
    assert review.source.scheme is None and review.region is Region.ET


def test_a_mask_whose_lesions_were_visited_gives_way_when_it_is_hidden_itself(viewer):
    case = synthetic_case()
    show_regions(viewer, case)
    show_classes(viewer, case)
    review = LesionReview(viewer)
    for layer in review.source.layers.values():
        layer.visible = False
    search(review)
    review.go_to(review.lesions[0])
    viewer.layers["Pat ET"].visible = True
    assert review.source.scheme == "brats2018" and review.current is not None
    viewer.layers["Pat labels"].visible = False
    assert review.source.scheme is None and review.region is Region.ET


def test_the_review_of_a_hidden_mask_continues_when_the_one_in_its_place_is_removed(viewer):
    case = synthetic_case()
    show_regions(viewer, case)
    show_classes(viewer, case)
    review = LesionReview(viewer)
    search(review)
    lesion = review.lesions[0]
    review.go_to(lesion)
    for layer in review.source.layers.values():
        layer.visible = False
    assert review.source.scheme == "brats2018"
    viewer.layers.remove("Pat labels")
    assert review.source.scheme is None
    assert review.segmentation.progress.sought == lesion


def test_the_review_starts_with_a_mask_that_is_shown(viewer):
    case = synthetic_case()
    show_classes(viewer, case)
    show_regions(viewer, case)
    for region in Region:
        viewer.layers[f"Pat {region.name}"].visible = False
    assert LesionReview(viewer).source.scheme == "brats2018"


def test_a_hidden_mask_that_is_chosen_is_shown(viewer):
    case = synthetic_case()
    show_classes(viewer, case)
    show_regions(viewer, case)
    hide_stored_labels(viewer.layers, active_patient(viewer).current)
    review = LesionReview(viewer)
    review.segmentation.choose(review.segmentation.sources[0])
    review.segmentation.show_layers()
    assert viewer.layers["Pat labels"].visible and review.source.scheme == "brats2018"
    review.segmentation.choose(review.segmentation.sources[1])
    viewer.layers["Pat TC"].visible = False
    review.segmentation.choose(review.source, Region.TC)
    review.segmentation.show_layers()
    assert viewer.layers["Pat TC"].visible


def test_another_patient_does_not_change_which_mask_is_reviewed(viewer):
    case = synthetic_case()
    show_regions(viewer, case)
    show_classes(viewer, case)
    review = LesionReview(viewer)
    for source in reversed(review.segmentation.sources):
        review.segmentation.choose(source)
        patients = active_patient(viewer)
        first = patients.current
        show_regions(viewer, replace(case, name="Next"))
        patients.activate(first)
        assert review.source.is_same(source)
