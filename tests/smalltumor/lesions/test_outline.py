"""The outline of a mask in a slice, and lines within it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.lesions.outline import (
    are_within,
    go_far,
    outline_corners,
    outline_sides,
    widest_across,
)

seeds = st.integers(0, 2**32 - 1)
DIAGONAL = float(np.sqrt(2))


def blobs(seed: int, share: float = 0.7) -> np.ndarray:
    mask = np.pad(np.random.default_rng(seed).random((9, 12)) < share, 1)
    mask[4, 5] = True
    return mask


def lines_in(mask: np.ndarray, seed: int) -> np.ndarray:
    """Lines (n, 2, 2) between corners of its outline."""
    corners = outline_corners(mask)
    ends = corners[np.random.default_rng(seed).integers(0, len(corners), (30, 2))]
    return ends[np.any(ends[:, 0] != ends[:, 1], axis=1)]


def widest_gap(line: np.ndarray, mask: np.ndarray) -> float:
    """By samples, with an error of two of their distances."""
    length, count = np.linalg.norm(line[1] - line[0]), 4000
    at = (np.arange(count) + 0.5)[:, None] / count
    places = line[0] + at * (line[1] - line[0])
    aside = 1e-3 * (line[0] == line[1])  # a line between two voxels is in both
    seen = [mask[tuple(np.rint(places + n * aside).astype(int).T)] for n in (-1, 1)]
    inside = np.concatenate([[True], seen[0] | seen[1], [True]])
    return float((np.diff(np.flatnonzero(inside)) - 1).max() * length / count)


@pytest.mark.slow
@given(seeds)
def test_a_line_leaves_the_voxels_by_a_gap_at_most(seed):
    mask = blobs(seed)
    lines = lines_in(mask, seed)
    far = go_far(lines, mask)
    for gap in (1.0, DIAGONAL):
        for line, within, is_far in zip(lines, are_within(lines, mask, gap), far, strict=True):
            aside = 1e-3 * (line[0] == line[1])  # a line between two voxels is in both
            widest = min(widest_gap(line + n * aside, mask) for n in (-1, 0, 1))
            if abs(widest - gap) > 0.02:
                assert within == (widest < gap)
            assert not (within and is_far)


@given(seeds)
def test_a_side_ends_at_two_corners_and_two_sides_meet_at_each(seed):
    mask = blobs(seed, 0.5)
    ends = outline_sides(mask).reshape(-1, 2)
    places, counts = np.unique(ends, axis=0, return_counts=True)
    np.testing.assert_array_equal(places, np.unique(outline_corners(mask), axis=0))
    assert set(counts) == {2}


@given(seeds, st.integers(0, 7))
def test_the_outline_turns_with_the_mask(seed, turn):
    mask = blobs(seed, 0.5)
    sides = outline_sides(mask)
    if turn & 1:
        mask, sides = mask.T, sides[..., ::-1]
    for axis in (0, 1):
        if turn & (2 << axis):
            mask = np.flip(mask, axis)
            sides = np.array(sides)
            sides[..., axis] = mask.shape[axis] - 1 - sides[..., axis]
    ordered = [np.sort(s @ [1000, 1], axis=1) for s in (sides, outline_sides(mask))]
    first, second = (s[np.lexsort(s.T)] for s in ordered)
    np.testing.assert_array_equal(first, second)


def test_voxels_that_touch_at_a_corner_are_joined():
    mask = np.pad(np.eye(6, dtype=bool), 1)
    across = widest_across(outline_sides(mask), np.array([[1.0, 0.5], [6.0, 6.5]]))
    assert across > 0


SQUARE = np.pad(np.ones((8, 8), bool), 2)
"""From 1.5 to 9.5 along both axes."""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ([(1.5, 5.5), (9.5, 5.5)], 8.0),
        ([(1.5, 2.0), (9.5, 9.0)], 8.0 * np.hypot(8, 7) / 8),
        ([(2.0, 2.0), (9.0, 9.0)], DIAGONAL * 7.5),
        ([(2.0, 1.5), (9.0, 1.5)], 8.0),
    ],
    ids=["along an axis", "oblique", "diagonal", "along a side"],
)
def test_the_chord_across_a_line_is_exact(line, expected):
    assert widest_across(outline_sides(SQUARE), np.array(line)) == pytest.approx(expected)


def test_nothing_crosses_a_line_where_it_leaves_the_lesion():
    mask = SQUARE.copy()
    mask[3:9] = False  # two bars of a voxel at both ends
    mask[2, 5] = mask[9, 5] = True
    found = widest_across(outline_sides(mask), np.array([(1.5, 5.0), (9.5, 5.0)]))
    assert found == pytest.approx(8.0)
    beside = np.array([(3.0, 1.5), (8.0, 1.5)])
    assert widest_across(outline_sides(mask), beside) == 0
