"""Lesions of phantoms that grow, vanish, split and merge while the head turns by 10 degrees."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalltumor.follow_up.distances import SHIFTED_MM3, lesion_distances
from smalltumor.follow_up.matching import ChangeKind, match_lesions
from smalltumor.geometry.grid import Grid
from smalltumor.measures import measure_classes

AXCODES = np.diag([-1.0, -1.0, 1.0, 1.0])
SHAPE = (96, 96, 48)
CENTRE = np.array([-48.0, -48.0, 24.0])


def turn(degrees: float, shift=(0.0, 0.0, 0.0)) -> np.ndarray:
    """Matrix (4, 4) that turns a head about two axes and moves it, in mm."""
    a, b = np.radians(degrees), np.radians(degrees) / 2
    matrix = np.eye(4)
    about_s = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_r = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    matrix[:3, :3] = about_s @ about_r
    matrix[:3, 3] = CENTRE - matrix[:3, :3] @ CENTRE + shift
    return matrix


def lesions(balls, matrix, spacing=(1.0, 1.0, 1.0)):
    """Lesions that are balls (centre in mm of the first scan, radius) in a head that turned."""
    affine = AXCODES @ np.diag([*spacing, 1.0])
    shape = tuple(int(n / s) for n, s in zip(SHAPE, spacing, strict=True))
    grid = Grid(shape, affine)
    classes = np.zeros(shape, np.uint8)
    points = grid.to_patient(np.stack(np.indices(shape), axis=-1))
    for centre, radius in balls:
        moved = matrix[:3, :3] @ centre + matrix[:3, 3]
        classes[np.square(points - moved).sum(-1) <= radius**2] = 3
    return measure_classes(classes, grid).lesions


def changes(earlier, current, degrees=10.0, spacing=(1.0, 1.0, 1.0)):
    matrix = turn(degrees, (4.0, -3.0, 2.0))
    before, after = lesions(earlier, np.eye(4)), lesions(current, matrix, spacing)
    return match_lesions(before, after, np.eye(4), np.linalg.inv(matrix))


A, B, C = np.array([-30.0, -30, 24]), np.array([-60.0, -50, 20]), np.array([-45.0, -70, 28])


def beside(point, mm):
    return point + np.array(mm)


@pytest.mark.parametrize(
    ("earlier", "current", "expected"),
    [
        ([(A, 5)], [(A, 5)], ["same"]),
        ([(A, 5)], [(A, 7)], ["grown"]),
        ([(A, 7)], [(A, 5)], ["shrunk"]),
        ([(A, 7)], [], ["gone"]),
        ([], [(A, 3)], ["new"]),
        ([(A, 7), (B, 4)], [(A, 7), (C, 3)], ["new", "same", "gone"]),
        ([(A, 4), (beside(A, (14, 0, 0)), 4)], [(beside(A, (7, 0, 0)), 11)], ["merged"]),
        ([(beside(A, (7, 0, 0)), 11)], [(A, 4), (beside(A, (14, 0, 0)), 4)], ["split"]),
        ([], [], []),
    ],
)
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (1.0, 1.0, 3.0)])
def test_what_has_become_of_a_lesion(earlier, current, expected, spacing):
    found = changes(earlier, current, spacing=spacing)
    assert [each.kind.value for each in found] == expected


def test_volumes_of_a_group_are_added():
    (merged,) = changes([(A, 4), (beside(A, (14, 0, 0)), 4)], [(beside(A, (7, 0, 0)), 11)])
    assert merged.earlier_mm3 == pytest.approx(sum(x.lesion.mm3 for x in merged.earlier))
    assert len(merged.earlier) == 2 and merged.current_mm3 == merged.current[0].lesion.mm3
    assert merged.relative == pytest.approx(merged.current_mm3 / merged.earlier_mm3 - 1)


def test_what_is_new_or_gone_has_no_relative_change():
    new, gone = changes([(A, 7)], [(C, 3)])
    assert (new.earlier_mm3, new.relative, gone.current_mm3, gone.relative) == (None,) * 4


def test_new_small_lesions_come_first_then_the_other_changes():
    found = changes(
        [(A, 5), (B, 6)],
        [(A, 7.5), (B, 6), (C, 9), (beside(A, (0, -45, 0)), 3), (beside(C, (-30, 35, -8)), 4)],
    )
    assert [each.kind for each in found] == [
        *[ChangeKind.NEW] * 3,
        ChangeKind.GROWN,
        ChangeKind.SAME,
    ]
    assert [each.is_small for each in found[:3]] == [True, True, False]
    assert found[0].current_mm3 > found[1].current_mm3


def test_a_satellite_that_is_farther_than_the_tolerance_is_new():
    found = changes([(A, 8)], [(A, 8), (beside(A, (14, 0, 0)), 2)])
    assert [each.kind.value for each in found] == ["new", "same"]


SPOT = (beside(A, (16, 0, 0)), 2)


def test_a_spot_within_the_tolerance_of_a_lesion_that_is_still_there_is_new():
    found = changes([(A, 13)], [(A, 12), SPOT], degrees=0.0)
    assert [each.kind.value for each in found] == ["new", "same"]
    assert [each.beside_mm for each in found] == [1.0, None] and found[0].is_small


def test_a_spot_beside_a_lesion_is_gone_when_only_the_lesion_is_there():
    found = changes([(A, 12), SPOT], [(A, 13)], degrees=0.0)
    assert [each.kind.value for each in found] == ["same", "gone"]


def test_lesions_that_are_beside_each_other_in_both_scans_are_the_same():
    found = changes([(A, 12), SPOT], [(A, 13), (beside(A, (17, 0, 0)), 2)], degrees=0.0)
    assert [each.kind.value for each in found] == ["same", "same"]


def halves_of_rims(inner, outer):
    """Two rims, 3 mm thick, around one centre; the outer one is in two halves."""
    grid = Grid((70, 70, 40), AXCODES)
    from_centre = np.indices(grid.shape) - np.array([35, 35, 20])[:, None, None, None]
    radius, flat = np.linalg.norm(from_centre, axis=0), np.abs(from_centre[2]) < 8
    whole = (radius >= inner) & (radius < inner + 3) & flat
    halves = (radius >= outer) & (radius < outer + 3) & flat & (np.abs(from_centre[0]) > 1)
    return [measure_classes(np.uint8(3) * mask, grid).lesions for mask in (whole, halves)]


@pytest.mark.parametrize("residual", [0.6, 1.0])
def test_halves_of_a_rim_that_moved_outwards_are_not_new(residual):
    whole, halves = halves_of_rims(inner=12, outer=15)
    shift = np.eye(4)
    shift[0, 3] = residual
    (split,) = match_lesions(whole, halves, np.eye(4), shift)
    assert split.kind is ChangeKind.SPLIT
    (merged,) = match_lesions(halves, whole, shift, np.eye(4))
    assert merged.kind is ChangeKind.MERGED


@pytest.mark.parametrize("radius", [4, 6])
def test_a_ball_beside_a_lesion_that_is_still_there_is_new_however_large(radius):
    ball = (beside(A, (14 + radius, 0, 0)), radius)
    new, same = changes([(A, 13)], [(A, 12), ball], degrees=0.0)
    assert (new.kind, same.kind) == (ChangeKind.NEW, ChangeKind.SAME)
    assert new.beside_mm is not None and new.current[0].lesion.mm3 >= SHIFTED_MM3


def blocks(cells, grid):
    classes = np.zeros(grid.shape, np.uint8)
    classes[tuple(np.transpose(cells))] = 3
    return measure_classes(classes, grid).lesions


def test_overlap_is_the_same_in_both_directions():
    one = blocks([(1, 0, 0), (0, 0, 3)], Grid((4, 4, 8), AXCODES))
    thick = Grid((4, 4, 4), AXCODES @ np.diag([1, 1, 5.0, 1]))
    other = blocks([(0, 0, 0)], thick)
    there = lesion_distances(one, other, np.eye(4), np.eye(4))
    back = lesion_distances(other, one, np.eye(4), np.eye(4))
    for name in ("relative", "mm", "overlap", "shifted"):
        np.testing.assert_array_equal(getattr(there, name), getattr(back, name).T)


def test_a_small_lesion_that_has_shifted_is_the_same():
    earlier, current = [(A, 1.5)], [(beside(A, (3.0, 0, 0)), 1.5)]
    (found,) = changes(earlier, current, degrees=0.0)
    assert found.kind is ChangeKind.SAME


def test_a_change_of_less_than_a_voxel_is_none():
    (found,) = changes([(A, 1.5)], [(A, 1.9)], degrees=0.0)
    assert found.relative is None or found.kind is ChangeKind.SAME


@settings(max_examples=6)
@given(st.floats(-12, 12), st.floats(3, 9), st.floats(3, 9))
def test_one_lesion_is_one_whatever_the_turn(degrees, before, after):
    (found,) = changes([(A, before)], [(A, after)], degrees)
    assert len(found.earlier) == len(found.current) == 1
    if abs(found.relative) < 0.35:
        assert found.kind is ChangeKind.SAME
    if abs(before - after) > 2:
        assert found.kind is (ChangeKind.GROWN if after > before else ChangeKind.SHRUNK)
