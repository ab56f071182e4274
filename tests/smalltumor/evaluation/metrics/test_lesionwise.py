"""Lesion-wise scores of synthetic masks, compared with calculations by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from smalltumor.evaluation.metrics.lesionwise import (
    LesionRule,
    match_lesions,
    score_lesions,
)

SHAPE = (40, 30, 20)


def cubes(*starts_and_edges):
    mask = np.zeros(SHAPE, bool)
    for i, j, k, edge in starts_and_edges:
        mask[i : i + edge, j : j + edge, k : k + edge] = True
    return mask


def test_found_missed_and_false_lesions():
    truth = cubes((2, 2, 2, 4), (30, 20, 10, 4))  # 64 voxels each
    prediction = cubes((2, 2, 3, 4), (2, 22, 12, 3))  # the first moved by one, and a made-up one
    scores = score_lesions(prediction, truth)
    assert (scores.found, scores.missed, scores.false_lesions, scores.ignored) == (1, 1, 1, 0)
    assert [lesion.dice for lesion in scores.lesions] == [2 * 48 / 128, 0]
    assert [lesion.hd95 for lesion in scores.lesions] == [1, 374]
    assert scores.dice == 0.75 / 3
    assert scores.hd95 == pytest.approx((1 + 374 + 374) / 3)


def test_neighbours_within_the_dilation_are_one_lesion():
    truth = cubes((2, 2, 2, 4), (10, 2, 2, 4))  # four voxels apart
    whole = score_lesions(truth, truth)
    assert [lesion.voxels for lesion in whole.lesions] == [128]
    of_metastases = LesionRule(dilation_mm=1, ignore_mm3=2)
    assert len(score_lesions(truth, truth, rule=of_metastases).lesions) == 2
    assert whole.dice == 1 and whole.hd95 == 0


def test_matches_tell_which_voxels_were_missed_found_and_false():
    truth = cubes((2, 2, 2, 4), (30, 20, 10, 2))  # the second is too small to be scored
    prediction = cubes((2, 2, 3, 4), (2, 22, 12, 3))
    matches = match_lesions(prediction, truth)
    missed, found = (n for _, n in sorted((len(x), n) for n, x in enumerate(matches.assigned)))
    assert np.array_equal(matches.lesion_voxels[missed], np.argwhere(cubes((30, 20, 10, 2))))
    assert np.array_equal(matches.lesion_voxels[found], np.argwhere(cubes((2, 2, 2, 4))))
    assert matches.lesion_dice(missed + 1) == 0
    assert matches.lesion_dice(found + 1) == 2 * 48 / 128
    (number,) = matches.false_components
    false = matches.predicted_voxels[number - 1]
    assert np.array_equal(false, np.argwhere(cubes((2, 22, 12, 3))))


def test_empty_masks_have_no_matches():
    matches = match_lesions(cubes(), cubes())
    assert (matches.lesion_voxels, matches.predicted_voxels) == ([], [])
    assert (matches.assigned, matches.false_components) == ((), [])


def test_dilation_is_in_millimetres():
    truth = cubes((2, 2, 2, 4), (10, 2, 2, 4))
    assert len(score_lesions(truth, truth, (3.0, 3.0, 3.0)).lesions) == 2


THICK_SLICES = (0.5, 0.5, 5.0)


def test_thick_slices_merge_lesions_that_are_close_within_a_slice():
    truth = cubes((2, 2, 2, 4), (16, 2, 2, 4))  # 10 voxels apart: 5 mm
    assert len(score_lesions(truth, truth, THICK_SLICES).lesions) == 1
    truth = cubes((2, 2, 2, 4), (20, 2, 2, 4))  # 7 mm
    assert len(score_lesions(truth, truth, THICK_SLICES).lesions) == 2


def test_thick_slices_split_lesions_that_are_far_apart_across_slices():
    truth = cubes((2, 2, 2, 4), (2, 2, 8, 4))  # two slices between them: 10 mm
    assert len(score_lesions(truth, truth, THICK_SLICES).lesions) == 2
    truth = cubes((2, 2, 2, 4), (2, 2, 7, 4))  # one slice: 5 mm
    assert len(score_lesions(truth, truth, THICK_SLICES).lesions) == 1


@pytest.mark.parametrize("axis", range(3))
def test_lesions_are_the_same_on_a_grid_with_slices_of_three_millimetres(axis):
    rng = np.random.default_rng(0)
    thick = rng.random(tuple(12 if a == axis else 36 for a in range(3))) < 0.002
    fine = np.repeat(thick, 3, axis)
    spacing = tuple(3.0 if a == axis else 1.0 for a in range(3))
    numbers = match_lesions(fine, fine).lesions
    on_thick = match_lesions(thick, thick, spacing).lesions
    assert numbers.max() == on_thick.max() > 3


def test_a_prediction_next_to_the_lesion_finds_it_with_dice_0():
    scores = score_lesions(cubes((8, 2, 2, 4)), cubes((2, 2, 2, 4)))
    assert (scores.found, scores.false_lesions, scores.dice) == (1, 0, 0)
    assert score_lesions(cubes((13, 2, 2, 4)), cubes((2, 2, 2, 4))).found == 0


@pytest.mark.parametrize("size", [1.0, 1.0000001, float(np.float32(1.0000001))])
def test_the_limit_is_included_whatever_an_affine_in_single_precision_makes_of_it(size):
    truth = np.zeros(SHAPE, bool)
    truth[5:10, 5:10, 5:7] = True  # 50 voxels
    assert score_lesions(truth, truth, (size,) * 3).ignored == 1
    truth[10, 5, 5] = True
    assert score_lesions(truth, truth, (size,) * 3).ignored == 0


def test_in_a_sheared_grid_a_voxel_has_its_own_volume():
    truth = cubes((2, 2, 2, 4))  # 64 voxels
    sheared = ((1, 0.6, 0), (0, 0.8, 0), (0, 0, 0.9375))  # 0.75 mm3
    assert score_lesions(truth, truth, sheared).ignored == 1
    assert score_lesions(truth, truth).ignored == 0


def test_lesions_below_the_volume_limit_are_ignored_and_not_false_when_found():
    truth = cubes((2, 2, 2, 4), (30, 20, 10, 3))  # the second has 27 voxels
    scores = score_lesions(truth, truth)
    assert (scores.found, scores.ignored, scores.false_lesions, scores.dice) == (1, 1, 0, 1)
    assert score_lesions(truth, truth, rule=LesionRule(3, 26)).ignored == 0


def test_one_prediction_may_cover_two_lesions():
    truth = cubes((2, 2, 2, 4), (20, 2, 2, 4))
    bridge = truth.copy()
    bridge[2:24, 3, 3] = True
    scores = score_lesions(bridge, truth)
    assert (scores.found, scores.false_lesions) == (2, 0)
    assert all(0 < lesion.dice < 0.7 for lesion in scores.lesions)


def test_empty_truth_and_empty_prediction_score_one():
    empty = cubes()
    assert (score_lesions(empty, empty).dice, score_lesions(empty, empty).hd95) == (1, 0)
    assert score_lesions(cubes((2, 2, 2, 1)), empty).dice == 0
    assert score_lesions(empty, cubes((2, 2, 2, 4))).missed == 1


@settings(max_examples=40, deadline=None)
@given(arrays(bool, (6, 5, 4)), arrays(bool, (6, 5, 4)))
def test_lesion_scores_do_not_depend_on_padding(prediction, truth):
    rule = LesionRule(1, 0)
    padded = [np.pad(mask, ((9, 2), (4, 7), (3, 3))) for mask in (prediction, truth)]
    wide = [np.pad(mask, 5) for mask in (prediction, truth)]
    assert score_lesions(*padded, rule=rule) == score_lesions(*wide, rule=rule)


@pytest.mark.parametrize("edge", [0.7, 1.0, 1.4, 1.5, 1.8, 2.0, 2.3, 4.0, 5.0, 6.0])
def test_mirrored_masks_have_the_same_matches(edge):
    rng = np.random.default_rng(7)
    for _ in range(6):
        truth, prediction = rng.random((2, 14, 12, 10)) > 0.985
        sides = (np.asarray, lambda mask: mask[:, :, ::-1], lambda mask: mask[::-1, ::-1])
        matches = [match_lesions(s(prediction), s(truth), (edge,) * 3) for s in sides]
        found = [sum(bool(len(each)) for each in m.assigned) for m in matches]
        lesions = [(len(m.assigned), len(m.false_components)) for m in matches]
        assert len({*zip(found, lesions, strict=True)}) == 1


@pytest.mark.parametrize("shear", [1, -1])
def test_in_a_sheared_grid_lesions_merge_that_are_close_in_the_patient(shear):
    """Voxels of 1 mm have the same centres if rows are counted along a diagonal."""
    edges = np.array([[1.0, shear, 0], [0, 1, 0], [0, 0, 1]])
    first = np.array([45, 18, 18])
    for place in (p for p in product((-9, -6, -3, 0, 3, 6, 9), repeat=3) if any(p)):
        is_near = max(map(abs, place)) <= 6 and sum(map(abs, place)) <= 12
        if not is_near and max(map(abs, place)) < 9:
            continue  # such a distance is rounded to that of neighbours
        mask = np.zeros((90, 36, 36), bool)
        second = first + np.linalg.solve(edges, place).round().astype(int)
        mask[tuple(first)] = mask[tuple(second)] = True
        assert len(match_lesions(mask, mask, edges).assigned) == 2 - is_near, place
