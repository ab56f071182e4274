"""What a review lists: the current lesion, the position of the viewer, and specks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lesion_layers import search, show_regions, synthetic_case
from smalltumor.labels.regions import Region
from smalltumor.lesions import LesionList

from napari_smalltumor.lesions.search.specks import SpeckRule
from napari_smalltumor.patients.active_patient import active_patient


def test_going_to_a_lesion_centres_a_slice_through_it_on_the_canvas(viewer, review):
    source = review.source
    for order in ((0, 1, 2), (1, 0, 2), (2, 1, 0)):
        viewer.dims.order = order
        for lesion in review.lesions:
            viewer.scene.camera.zoom = 0.1
            review.go_to(lesion)
            here = np.rint(source.any_layer.world_to_data(viewer.dims.point)).astype(int)
            mask = source.mask(Region.ET).take(here[order[0]], axis=order[0])
            assert mask.any()
            place = source.any_layer.data_to_world(np.rint(source.to_data(lesion.centroid_voxel)))
            assert viewer.scene.camera.center[-2:] == pytest.approx([place[a] for a in order[1:]])
            assert viewer.scene.camera.zoom > 1


def test_going_to_a_lesion_in_3d_centres_the_camera_and_keeps_a_larger_zoom(viewer, review):
    viewer.dims.ndisplay = 3
    viewer.scene.camera.zoom = 500
    review.go_to(review.lesions[1])
    centre = review.source.to_data(review.lesions[1].centroid_voxel)
    assert viewer.scene.camera.center == pytest.approx(
        review.source.any_layer.data_to_world(np.rint(centre))
    )
    assert viewer.scene.camera.zoom == 500


def test_steps_wrap_around_in_both_directions(review):
    small = review.small
    assert [x.voxels for x in small] == [2, 12]
    assert [review.step(small).voxels for _ in range(3)] == [2, 12, 2]
    assert review.step(small, -1).voxels == 12
    assert review.step([]) is None


def test_the_current_candidate_is_found_again_when_its_patient_is_active_again(viewer, review):
    (first,) = active_patient(viewer).patients
    one, other = (
        replace(x, list_name=LesionList.SECOND_LOOK, id=100 + x.id) for x in review.lesions[:2]
    )
    review.set_candidates([one, other])
    review.go_to(other)
    show_regions(viewer, replace(synthetic_case(), name="Second"))
    active_patient(viewer).activate(first)
    search(review)
    review.set_candidates([])  # until they are searched again
    review.set_candidates([one, replace(other, id=105)])
    assert review.current is review.candidates[1]


def test_the_review_of_a_patient_continues_where_it_was_left(viewer, review):
    patients = active_patient(viewer)
    first = patients.current
    review.segmentation.choose(review.source, Region.WT)
    search(review)
    review.go_to(review.lesions[1])
    left = review.current
    show_regions(viewer, replace(synthetic_case(), name="Next"))
    search(review)
    assert review.current is None
    patients.activate(first)
    search(review)
    assert review.region is Region.WT
    assert review.current in review.lesions
    assert review.current.centroid_ras_mm == left.centroid_ras_mm


def test_the_view_goes_to_the_slices_that_the_table_names(viewer, review):
    for lesion in review.lesions:
        review.go_to(lesion)
        layer = review.source.any_layer
        assert tuple(np.rint(layer.world_to_data(viewer.dims.point)).astype(int)) == lesion.slices


def test_an_accepted_lesion_is_no_speck(review):
    review.accept(review.lesions[:1])
    review.rule = SpeckRule(15, 1.0)
    assert review.specks == []
    review.undo()
    assert [x.voxels for x in review.specks] == [2]


def test_the_current_lesion_is_left_when_it_is_folded(review):
    review.go_to(review.lesions[0])
    review.rule = SpeckRule(15, 1.0)
    assert review.current is None
