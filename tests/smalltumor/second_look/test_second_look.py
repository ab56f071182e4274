"""Candidates and scores of a case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from second_look_cases import Spot, ball, case_with, output_for
from smalltumor.data.probabilities.cropped import CroppedProbabilities
from smalltumor.data.probabilities.network_output import Probabilities
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import SecondLookError
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.lesions import LesionList, find_lesions
from smalltumor.second_look import (
    SecondLook,
    label_image,
    load_parameters,
    on_other_grid,
    with_scores,
)
from smalltumor.second_look.second_look import second_look
from synthetic import LPS

MISSED, FOUND = Spot((42, 30, 32), 4, 500), Spot((24, 42, 28), 5, 500, logit=8)
EAGER = replace(load_parameters(), least_log_odds=-99.0, least_score=0.0)


def look_at(case, *spots, parameters=EAGER):
    look = SecondLook.of(case, output_for(case, *spots), parameters)
    assert look is not None
    return look


def segmentation_of(case, *spots):
    return Segmentation.from_probabilities(case, output_for(case, *spots))


def shares_a_voxel(lesion, spot):
    return bool(ball(spot.centre, spot.radius)[tuple(lesion.indices.T)].any())


def test_a_bright_spot_outside_the_mask_leads_the_candidates():
    case = case_with(MISSED, FOUND)
    mask = segmentation_of(case, MISSED, FOUND).mask(Region.ET)
    assert mask[FOUND.centre] and not mask[MISSED.centre]
    candidates = look_at(case, MISSED, FOUND).candidates(mask, first_id=2)
    first = candidates[0]
    assert shares_a_voxel(first, MISSED)
    assert (first.id, first.list_name, first.region) == (2, LesionList.SECOND_LOOK, Region.ET)
    assert first.voxels == pytest.approx(ball(MISSED.centre, MISSED.radius).sum(), rel=0.2)
    assert not any(shares_a_voxel(lesion, FOUND) for lesion in candidates)


def test_candidates_come_by_score_and_share_no_voxel():
    spots = [MISSED, Spot((30, 50, 34), 3, 300), Spot((20, 26, 26), 3, 200)]
    case = case_with(*spots)
    candidates = look_at(case, *spots).candidates(np.zeros(case.grid.shape, bool))
    scores = [lesion.score for lesion in candidates]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score < 1 for score in scores)
    voxels = np.concatenate([lesion.indices for lesion in candidates])
    assert len(np.unique(voxels, axis=0)) == len(voxels)


def test_no_more_are_offered_than_the_parameters_allow():
    spots = [MISSED, Spot((30, 50, 34), 3, 300), Spot((20, 26, 26), 3, 200)]
    case, nothing = case_with(*spots), np.zeros((64, 72, 60), bool)
    assert len(look_at(case, parameters=replace(EAGER, most=1)).candidates(nothing)) == 1
    unseen = replace(EAGER, least_log_odds=-1.0, most_by_image=2)
    assert len(look_at(case, *spots, parameters=unseen).candidates(nothing)) == 2


def test_a_spot_with_a_low_score_is_not_offered():
    spots = [MISSED, Spot((30, 50, 34), 3, 300), Spot((20, 26, 26), 3, 200)]
    case, nothing = case_with(*spots), np.zeros((64, 72, 60), bool)
    scores = [x.score for x in look_at(case, *spots).candidates(nothing)]
    look = look_at(case, *spots, parameters=replace(EAGER, least_score=scores[1]))
    assert [x.score for x in look.candidates(nothing)] == scores[:2] != scores


def test_what_is_lost_between_the_maps_and_the_mask_is_offered():
    """One voxel of the maps is ET there, and no voxel of the mask at twice the resolution."""
    spot = Spot((42, 30, 32), 2.5, 500)
    case = case_with(spot, FOUND)
    cropped = output_for(case, FOUND)
    cropped.output.logits[3, 21, 15, 16] = 4.5
    mask = Segmentation.from_probabilities(case, cropped).mask(Region.ET)
    assert not mask[ball(spot.centre, 5)].any()
    look = SecondLook.of(case, cropped, load_parameters())
    first, *_ = look.candidates(mask)
    assert shares_a_voxel(first, spot)
    assert first.score > 0.1


def test_what_the_network_almost_found_is_offered_whatever_the_image_shows():
    almost = Spot((42, 30, 32), 3, 0, logit=3.5)
    case = case_with(almost)
    by_network = replace(EAGER, least_log_odds=-1.0, most_by_image=0)
    nothing = np.zeros(case.grid.shape, bool)
    lesion, *_ = look_at(case, almost, parameters=by_network).candidates(nothing)
    assert shares_a_voxel(lesion, almost)
    assert look_at(case, MISSED, parameters=by_network).candidates(nothing) == []


def test_a_spot_next_to_the_mask_is_part_of_what_was_found():
    case = case_with(MISSED)
    mask = ball((42, 30, 32), 3)
    assert not any(
        shares_a_voxel(lesion, MISSED) for lesion in look_at(case, MISSED).candidates(mask)
    )


@pytest.mark.parametrize("missing", ["t1", "t1ce"])
def test_there_is_no_second_look_without_t1_and_t1ce(missing):
    modalities = "flair t1ce t1 t2".replace(f"{missing} ", "")
    case = case_with(MISSED, modalities=modalities)
    assert SecondLook.of(case, output_for(case)) is None


def test_flair_may_be_missing():
    case = case_with(MISSED, modalities="t1ce t1")
    (first, *_) = look_at(case, MISSED).candidates(np.zeros(case.grid.shape, bool))
    assert shares_a_voxel(first, MISSED)


def test_a_segmentation_without_probabilities_has_no_second_look():
    case = case_with(MISSED)
    drawn = Segmentation("Pat", np.zeros(case.grid.shape, np.uint8), case.grid)
    with pytest.raises(SecondLookError, match="needs T1CE and T1"):
        second_look(case, drawn)


def test_components_of_the_mask_are_scored_and_come_first():
    case = case_with(MISSED, FOUND)
    found, candidates = second_look(case, segmentation_of(case, MISSED, FOUND))
    assert [lesion.list_name for lesion in found] == [LesionList.FOUND]
    assert all(0 < lesion.score < 1 for lesion in found)
    ids = [lesion.id for lesion in [*found, *candidates]]
    assert ids == list(range(1, len(ids) + 1))


def test_a_component_that_was_painted_has_no_score():
    segmentation = segmentation_of(case_with(FOUND), FOUND)
    classes = segmentation.classes.copy()
    classes[ball(MISSED.centre, 6)] = TissueClass.ET
    painted, found = sorted(
        with_scores(find_lesions(replace(segmentation, classes=classes)), load_parameters()),
        key=lambda lesion: -lesion.voxels,
    )
    assert painted.score is None
    assert 0 < found.score < 1


def test_a_larger_and_surer_component_has_a_higher_score():
    speck = Spot((42, 30, 32), 1.2, 0, logit=9)
    case = case_with(FOUND)
    found, _ = second_look(case, segmentation_of(case, FOUND, speck))
    assert len(found) == 2 and found[0].voxels < found[1].voxels
    assert found[0].score < found[-1].score


def test_output_at_full_resolution_gives_nearly_the_same_candidates():
    case = case_with(MISSED)
    coarse = output_for(case, MISSED)
    full = CroppedProbabilities(
        Probabilities(coarse.output.probabilities()), coarse.start, coarse.network_grid
    )
    nothing = np.zeros(case.grid.shape, bool)
    one, other = (
        SecondLook.of(case, output, EAGER).candidates(nothing)[0] for output in (coarse, full)
    )
    np.testing.assert_array_equal(one.indices, other.indices)
    assert one.score == pytest.approx(other.score, abs=0.1)


def test_intensities_of_a_scanner_do_not_matter():
    case = case_with(MISSED)
    scaled = replace(
        case, volumes={n: v.astype(np.float32) * 0.01 for n, v in case.volumes.items()}
    )
    nothing = np.zeros(case.grid.shape, bool)
    one, other = (look_at(each, MISSED).candidates(nothing) for each in (case, scaled))
    np.testing.assert_array_equal(one[0].indices, other[0].indices)
    assert one[0].score == pytest.approx(other[0].score, abs=1e-3)


def test_the_orientation_of_the_file_does_not_matter():
    case = case_with(MISSED)
    turned = np.diag([1.0, 1.0, 1.0, 1.0])
    turned[:2, 3] = -np.array(case.grid.shape[:2]) + 1
    flipped = replace(
        case,
        volumes={n: v[::-1, ::-1] for n, v in case.volumes.items()},
        grid=replace(case.grid, affine=turned),
    )
    nothing = np.zeros(case.grid.shape, bool)
    one = look_at(case, MISSED).candidates(nothing)[0]
    other = look_at(flipped, MISSED).candidates(nothing)[0]
    np.testing.assert_allclose(one.centroid_ras_mm, other.centroid_ras_mm, atol=1e-6)
    assert one.score == pytest.approx(other.score)


def test_the_value_of_a_voxel_in_the_label_image_is_the_id_of_its_candidate():
    case = case_with(MISSED)
    candidates = look_at(case, MISSED).candidates(np.zeros(case.grid.shape, bool), first_id=300)
    image = label_image(candidates, case.grid)
    for lesion in candidates:
        np.testing.assert_array_equal(np.argwhere(image == lesion.id), lesion.indices)


def test_candidates_keep_their_scores_on_another_grid():
    case = case_with(MISSED)
    candidates = look_at(case, MISSED).candidates(np.zeros(case.grid.shape, bool))
    grid = replace(case.grid, shape=(64, 72, 30), affine=LPS @ np.diag([1, 1, 2, 1.0]))
    moved = on_other_grid(candidates, case.grid, grid, lambda image: image[..., ::2], 7)
    assert [x.id for x in moved] == list(range(7, 7 + len(moved)))
    assert moved[0].score == candidates[0].score
    assert moved[0].mm3 == pytest.approx(candidates[0].mm3, rel=0.3)
    assert np.all(
        np.abs(np.subtract(moved[0].centroid_voxel[:2], candidates[0].centroid_voxel[:2])) < 1
    )
