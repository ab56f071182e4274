"""Voxelwise agreement: worked examples, properties, and MONAI's numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from scipy.spatial.distance import cdist
from smalltumor.evaluation.metrics.voxelwise import (
    NO_OVERLAP_HD95,
    dice,
    hausdorff95,
    overlap_of,
    score_masks,
    surface_dice,
)
from synthetic import grid_along

MASK = arrays(bool, (5, 6, 7))
SPACING = (0.9, 1.2, 2.5)
EDGES = arrays(float, (3, 3), elements=st.floats(-3, 3)).filter(
    lambda edges: abs(np.linalg.det(edges / np.linalg.norm(edges, axis=0).clip(1e-9))) > 0.05
)
"""Voxels of sheared grids, and grids along any axes."""


def boxes(*corners: tuple[int, int], shape=(10, 10, 10)):
    """A mask with a cube for each (start, edge)."""
    mask = np.zeros(shape, bool)
    for start, edge in corners:
        mask[(slice(start, start + edge),) * 3] = True
    return mask


def test_scores_of_two_cubes_equal_a_calculation_by_hand():
    truth, prediction = boxes((2, 4)), boxes((4, 4))  # 64 voxels each, 8 in common
    score = score_masks(prediction, truth, SPACING)
    assert score.dice == 2 * 8 / 128
    assert score.tpr == 8 / 64
    assert score.fpr == 56 / (1000 - 64)
    assert (score.truth_voxels, score.predicted_voxels, score.false_voxels) == (64, 64, 56)
    assert score.false_ml == pytest.approx(56 * 0.9 * 1.2 * 2.5 / 1000)
    assert score.hd95 == hausdorff95(prediction, truth, SPACING) != hausdorff95(prediction, truth)


def test_hd95_of_a_shifted_cube_is_the_shift():
    near, far = np.zeros((20, 20, 20), bool), np.zeros((20, 20, 20), bool)
    near[5:8, 5:8, 5:8] = True
    far[9:12, 5:8, 5:8] = True
    assert hausdorff95(near, far) == pytest.approx(4)
    assert hausdorff95(near, far, (2.0, 1.0, 1.0)) == pytest.approx(8)


def test_empty_masks_have_the_documented_scores():
    some, none = boxes((2, 3)), boxes()
    both = score_masks(none, none)
    assert (both.dice, both.tpr, both.fpr, both.hd95) == (1, None, 0, 0)
    false = score_masks(some, none)
    assert (false.dice, false.tpr, false.fpr, false.hd95) == (0, None, 0.027, NO_OVERLAP_HD95)
    missed = score_masks(none, some)
    assert (missed.dice, missed.tpr, missed.fpr, missed.hd95) == (0, 0, 0, NO_OVERLAP_HD95)
    full = np.ones_like(some)
    assert score_masks(some, full).fpr == 0


def test_hd95_ignores_the_farthest_five_percent_of_the_surface():
    line, end = np.zeros((21, 1, 1), bool), np.zeros((21, 1, 1), bool)
    line[:], end[0] = True, True  # distances 0 to 20 one way, 0 the other
    assert hausdorff95(line, end) == hausdorff95(end, line) == 19


@given(MASK, MASK)
def test_dice_is_symmetric_bounded_and_one_only_for_equal_masks(a, b):
    assert dice(a, b) == dice(b, a)
    assert 0 <= dice(a, b) <= 1
    assert (dice(a, b) == 1) == np.array_equal(a, b)


@given(MASK, MASK)
def test_scores_do_not_change_with_padding_and_axis_order(a, b):
    score = score_masks(a, b, SPACING)
    moved = [np.pad(m, ((3, 1), (0, 2), (5, 0))).transpose(2, 0, 1)[::-1] for m in (a, b)]
    again = score_masks(*moved, np.array(SPACING)[[2, 0, 1]])
    assert (again.dice, again.tpr) == (score.dice, score.tpr)
    assert again.hd95 == pytest.approx(score.hd95)


@given(MASK, MASK)
def test_true_and_false_positives_add_up_to_the_prediction(prediction, truth):
    overlap = overlap_of(prediction, truth)
    found = (overlap.tpr or 0) * truth.sum()
    false = overlap.fpr * (~truth).sum()
    assert found + false == pytest.approx(prediction.sum())


@given(MASK.filter(np.any), MASK.filter(np.any))
def test_hd95_is_measured_between_the_voxels_that_erosion_removes(a, b):
    ours, theirs = (
        np.argwhere(mask & ~ndimage.binary_erosion(mask)) * SPACING for mask in (a | b, a)
    )
    apart = cdist(ours, theirs)
    expected = max(np.percentile(apart.min(axis=axis), 95) for axis in (0, 1))
    assert hausdorff95(a | b, a, SPACING) == pytest.approx(expected)


@settings(max_examples=25, deadline=None)
@given(MASK.filter(np.any), MASK.filter(np.any), st.sampled_from([(1.0, 1.0, 1.0), SPACING]))
def test_hd95_equals_that_of_monai(a, b, spacing):
    torch = pytest.importorskip("torch")
    from monai.metrics import compute_hausdorff_distance

    batch = [torch.from_numpy(m[None, None].astype(np.float32)) for m in (a, b)]
    theirs = compute_hausdorff_distance(
        *batch, include_background=True, percentile=95, spacing=spacing
    )
    assert hausdorff95(a, b, spacing) == pytest.approx(float(theirs), abs=1e-4)


@settings(max_examples=25, deadline=None)
@given(
    MASK.filter(np.any),
    MASK.filter(np.any),
    st.sampled_from([(1.0, 1.0, 1.0), SPACING]),
    st.sampled_from([0.5, 1.0, 3.0]),
)
def test_surface_dice_equals_that_of_monai(a, b, spacing, tolerance):
    torch = pytest.importorskip("torch")
    from monai.metrics import compute_surface_dice

    batch = [torch.from_numpy(m[None, None].astype(np.float32)) for m in (a, b)]
    theirs = compute_surface_dice(
        *batch, class_thresholds=[tolerance + 1e-6], include_background=True, spacing=spacing
    )
    assert surface_dice(a, b, spacing, tolerance) == pytest.approx(float(theirs), abs=1e-6)


@given(MASK, MASK)
def test_scores_of_a_region_hold_its_surface_dice(a, b):
    assert score_masks(a, b, SPACING).nsd == surface_dice(a, b, SPACING)
    assert surface_dice(a, a, SPACING) == 1


def surface_places(mask, edges):
    """Places in mm of the voxels that have a face neighbour outside the mask, one by one."""
    steps = [sign * np.eye(3, dtype=int)[axis] for axis in range(3) for sign in (-1, 1)]
    inside = {tuple(voxel) for voxel in np.argwhere(mask)}
    border = [v for v in inside if any(tuple(np.add(v, step)) not in inside for step in steps)]
    return [sum(n * edge for n, edge in zip(v, np.transpose(edges), strict=True)) for v in border]


@settings(max_examples=60, deadline=None)
@given(MASK.filter(np.any), MASK.filter(np.any), EDGES)
def test_distances_in_any_grid_are_those_between_the_voxels_in_the_patient(a, b, edges):
    ours, theirs = surface_places(a, edges), surface_places(b, edges)
    apart = np.array([[np.sqrt(np.sum((x - y) ** 2)) for y in theirs] for x in ours])
    nearest = apart.min(axis=1), apart.min(axis=0)
    score = score_masks(a, b, edges)
    assert score.hd95 == pytest.approx(max(np.percentile(d, 95) for d in nearest), abs=1e-6)
    assume(np.abs(np.concatenate(nearest) - 1 - 1e-6).min() > 1e-9)  # else rounding decides
    assert score.nsd == pytest.approx(np.mean(np.concatenate(nearest) <= 1 + 1e-6))


@pytest.mark.parametrize("axcodes", ["LPS", "RAS", "SAL"])
@given(MASK.filter(np.any), MASK.filter(np.any), st.sampled_from([0.0, 11.0, 33.0]))
def test_distances_in_a_grid_at_right_angles_are_the_same_to_the_bit_as_by_its_spacing(
    axcodes, a, b, degrees
):
    grid = grid_along(axcodes, a.shape, SPACING, degrees)
    single = grid.affine.astype(np.float32)[:3, :3]  # as headers hold it
    for edges in (grid.voxel.edges, single):
        spacing = np.linalg.norm(np.float64(edges), axis=0)
        assert score_masks(a, b, edges).hd95 == score_masks(a, b, spacing).hd95
        assert score_masks(a, b, edges).nsd == score_masks(a, b, spacing).nsd
