"""A position that another dock shows becomes what the keys of the review judge."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lesion_layers import show_regions, synthetic_case
from smalltumor.labels.regions import Region
from smalltumor.lesions import LesionList

from napari_smalltumor.lesions.review.lesion_positions import LesionPosition, lesion_at
from napari_smalltumor.lesions.review.review import LesionReview, review_lesion_at


@pytest.fixture
def review(viewer):
    show_regions(viewer, synthetic_case())
    review = LesionReview(viewer)
    review.set_lesions(review.source.snapshot(Region.ET).lesions(100))
    return review


def position_of(review, lesion) -> LesionPosition:
    return LesionPosition(
        review.source.world_of(lesion.centroid_voxel), lesion.mm3, lesion.list_name
    )


def test_the_lesion_at_the_place_becomes_current(viewer, review):
    first, second = review.lesions[:2]
    review.go_to(first)
    assert review_lesion_at(viewer, position_of(review, second))
    assert review.current is second


def test_what_is_elsewhere_or_on_the_other_list_is_not_current_any_more(viewer, review):
    lesion = review.lesions[0]
    x, y, z = review.source.world_of(lesion.centroid_voxel)
    elsewhere = LesionPosition((x + 1, y, z), lesion.mm3, LesionList.FOUND)
    candidate = replace(position_of(review, lesion), kind=LesionList.SECOND_LOOK)
    for position in (elsewhere, candidate):
        review.go_to(lesion)
        assert not review_lesion_at(viewer, position)
        assert review.current is None


def test_a_candidate_at_the_place_becomes_current(viewer, review):
    candidate = replace(review.lesions[0], list_name=LesionList.SECOND_LOOK, score=0.4)
    review.set_candidates([candidate])
    assert review_lesion_at(viewer, position_of(review, candidate))
    assert review.current is candidate


def test_a_lesion_of_another_region_is_not_meant(viewer, review):
    lesion = review.lesions[0]
    position = position_of(review, lesion)
    review.segmentation.choose(review.source, Region.WT)
    review.set_lesions(review.source.snapshot(Region.WT).lesions(100))
    review.go_to(review.lesions[0])
    assert not review_lesion_at(viewer, position) and review.current is None


def test_of_two_lesions_with_one_centre_the_more_similar_one_is_meant(review):
    core = review.lesions[0]
    shell = replace(core, mm3=10 * core.mm3)
    for lesion in (core, shell):
        assert lesion_at(review.source, [core, shell], position_of(review, lesion)) is lesion


def test_a_closed_review_is_left_alone(viewer, review):
    position = position_of(review, review.lesions[0])
    review.close()
    assert not review_lesion_at(viewer, position)
