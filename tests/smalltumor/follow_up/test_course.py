"""Scans of a patient over time: targets, and lesions that are new or grow slowly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from smalltumor.follow_up.course import Course
from smalltumor.follow_up.coverage import Coverage
from smalltumor.follow_up.matching import ChangeKind
from smalltumor.follow_up.response import Category, Response, assess
from smalltumor.geometry.grid import Grid
from smalltumor.measures import CaseMeasures, measure_classes

GRID = Grid((160, 160, 24), np.diag([-1.0, -1.0, 1.0, 1.0]))
THICK = Grid((100, 100, 20), np.diag([-1.0, -1.0, 6.0, 1.0]))
TARGET = (20, 20, 5, 30, 30, 8)


def scan(*boxes, grid: Grid = GRID) -> CaseMeasures:
    """Enhancing boxes: first voxel, then size."""
    classes = np.zeros(grid.shape, np.uint8)
    for i, j, k, width, height, slices in boxes:
        classes[i : i + width, j : j + height, k : k + slices] = 3
    return measure_classes(classes, grid)


def course_of(*scans: CaseMeasures, coverages: Sequence[Coverage] | None = None) -> Course:
    """Scans on one grid, which show everything if nothing else is said."""
    everything = Coverage(np.ones(GRID.shape, bool), Grid(GRID.shape, np.diag([-6.0, -6, 6, 1])))
    shown = coverages or [everything] * len(scans)
    return Course(scans, [np.eye(4)] * (len(scans) - 1), shown)


def response(*scans: CaseMeasures) -> Response:
    return assess(course_of(*scans).response_measures(len(scans) - 1))


def words(*scans: CaseMeasures) -> list[str]:
    return [each.kind.value for each in course_of(*scans).changes(0, 1)]


def test_a_new_lesion_stays_new_at_later_scans():
    new = (100, 100, 5, 25, 25, 8)
    shrunk = (20, 20, 5, 18, 18, 8)
    found = response(scan(TARGET), scan(TARGET, new), scan(shrunk, new))
    assert found.category is Category.PROGRESSIVE_DISEASE
    small = (100, 100, 5, 6, 6, 6)
    found = response(scan(TARGET), scan(TARGET, small), scan(shrunk, small))
    assert found.category is Category.STABLE_DISEASE
    assert "is not measurable" in found.reasons[-1]


def around_a_cavity(outer: float, cavity: float) -> CaseMeasures:
    """A rim around a cavity, which no class marks, from the outer diameter and the cavity's."""
    where = np.stack(np.indices((64, 64, 64)), axis=-1) - 31.5
    distance = np.linalg.norm(where, axis=-1)
    rim = (distance <= outer / 2) & (distance > cavity / 2)
    grid = Grid(rim.shape, np.diag([-1.0, -1.0, 1.0, 1.0]))
    return measure_classes(np.where(rim, 3, 0).astype(np.uint8), grid)


@pytest.mark.slow
def test_a_cavity_that_widens_within_a_thin_rim_is_no_progression():
    earlier, current = around_a_cavity(34, 30), around_a_cavity(48, 44)
    assert earlier.sums is None and earlier.lesions[0].lesion.mm3 > 5000
    found = response(earlier, current)
    assert found.category is Category.NOT_EVALUABLE
    assert "the first scan has no measurable lesion" in found.reasons[0]


def test_a_larger_sum_is_no_progression_if_the_volume_has_not_grown():
    flat = scan((20, 20, 5, 40, 40, 2))
    found = response(scan(TARGET), flat)
    assert found.category is Category.NOT_EVALUABLE
    assert "their volume is 44% of what it was at that scan" in found.reasons[0]
    found = response(scan(TARGET), scan((20, 20, 5, 40, 40, 8)))
    assert found.category is Category.PROGRESSIVE_DISEASE and "volume" not in found.reasons[0]


def test_growth_of_less_than_40_percent_a_scan_adds_up():
    widths = [(7, 6), (8, 6), (9, 7), (10, 7), (11, 8)]
    scans = [scan(TARGET, (100, 100, 5, w, w, n)) for w, n in widths]
    assert "grown" not in [c.kind.value for c in course_of(*scans).changes(3, 4)]
    found = response(*scans)
    assert found.category is Category.PROGRESSIVE_DISEASE
    assert "has grown and is measurable now" in found.reasons[0]


def test_lesions_that_merge_and_become_measurable_are_a_progression():
    earlier = scan((40, 40, 5, 8, 20, 6), (40, 64, 5, 8, 20, 6))
    current = scan((40, 40, 5, 14, 44, 6))
    assert words(earlier, current) == ["merged"]
    assert response(earlier, current).category is Category.PROGRESSIVE_DISEASE


def test_in_thick_slices_a_lesion_beside_another_is_new():
    earlier = scan((20, 20, 5, 30, 30, 4), grid=THICK)
    beside = (20, 53, 5, 12, 12, 3)
    current = scan((20, 20, 5, 30, 30, 4), beside, grid=THICK)
    assert words(earlier, current) == ["new", "same"]
    assert response(earlier, current).category is Category.PROGRESSIVE_DISEASE


def test_in_thick_slices_a_lesion_in_the_next_slice_is_the_same():
    earlier, current = (scan((20, 20, k, 30, 30, 1), grid=THICK) for k in (5, 6))
    assert words(earlier, current) == ["same"]


@pytest.mark.parametrize("row", [51, 52])
def test_sums_are_of_targets_only(row):
    """The neighbour is near the target but too thin to be measurable."""
    both, alone = scan(TARGET, (20, row, 5, 30, 6, 8)), scan(TARGET)
    assert both.sums is not None
    for later in (both, alone):
        assert response(both, later).sums_mm2 == (both.sums.product_mm2,) * 2


def test_a_target_that_has_swallowed_a_neighbour_counts_as_a_whole():
    earlier, current = scan(TARGET, (20, 52, 5, 30, 6, 8)), scan((20, 20, 5, 30, 38, 8))
    (merged,) = course_of(earlier, current).changes(0, 1)
    assert merged.kind is ChangeKind.MERGED
    (lesion,) = current.lesions
    assert response(earlier, current).sums_mm2[1] == lesion.lesion.axial.product_mm2


def test_specks_after_a_complete_response_are_no_progression():
    speck = (30, 30, 6, 1, 1, 1)
    found = response(scan(TARGET), scan(), scan(speck))
    assert found.category is Category.STABLE_DISEASE


def without(first: int, last: int) -> Coverage:
    """A scan that does not show some slices."""
    shown = np.ones(GRID.shape, bool)
    shown[..., first:last] = False
    return Coverage(shown, GRID)


WHOLE = Coverage(np.ones(GRID.shape, bool), GRID)
BESIDE = (100, 100, 16, 20, 20, 6)


def outcome(earlier, current, *coverages) -> tuple[list[str], Response]:
    course = course_of(earlier, current, coverages=coverages)
    return [x.kind.value for x in course.changes(0, 1)], assess(course.response_measures(1))


@pytest.mark.parametrize("hidden", [(15, 23), (18, 23)])
def test_a_lesion_whose_place_the_later_scan_does_not_show_is_no_response(hidden):
    both, alone = scan(TARGET, BESIDE), scan(TARGET)
    kinds, found = outcome(both, alone, WHOLE, without(*hidden))
    assert kinds == ["not comparable", "same"] and found.category is Category.NOT_EVALUABLE
    kinds, found = outcome(both, alone, WHOLE, WHOLE)
    assert kinds == ["same", "gone"] and found.category is not None


def test_a_lesion_whose_place_the_earlier_scan_does_not_show_is_not_new():
    both, alone = scan(TARGET, BESIDE), scan(TARGET)
    kinds, found = outcome(alone, both, without(15, 23), WHOLE)
    assert kinds == ["not comparable", "same"] and found.category is Category.NOT_EVALUABLE
    kinds, found = outcome(alone, both, WHOLE, WHOLE)
    assert kinds == ["new", "same"] and found.category is Category.PROGRESSIVE_DISEASE


def test_a_lesion_that_is_cut_off_has_not_shrunk():
    whole, cut = scan((100, 100, 10, 20, 20, 10)), scan((100, 100, 10, 20, 20, 4))
    kinds, found = outcome(whole, cut, WHOLE, without(14, 24))
    assert kinds == ["not comparable"] and found.category is Category.NOT_EVALUABLE
    kinds, _ = outcome(whole, cut, WHOLE, WHOLE)
    assert kinds == ["shrunk"]


def test_a_little_that_is_cut_off_is_compared():
    whole, cut = scan((100, 100, 10, 20, 20, 10)), scan((100, 100, 10, 20, 20, 9))
    assert outcome(whole, cut, WHOLE, without(19, 24))[0] == ["same"]


def test_a_measurable_new_lesion_is_a_progression_whatever_else_is_hidden():
    new = (20, 100, 4, 20, 20, 6)
    kinds, found = outcome(scan(TARGET, BESIDE), scan(TARGET, new), WHOLE, without(15, 23))
    assert kinds == ["new", "not comparable", "same"]
    assert found.category is Category.PROGRESSIVE_DISEASE
    assert "could not be compared" in found.reasons[-1]


def test_a_sum_that_grows_because_the_earlier_scan_was_cut_is_no_progression():
    cut, whole = scan((100, 100, 10, 10, 20, 10)), scan((100, 100, 10, 40, 20, 10))
    shown = np.ones(GRID.shape, bool)
    shown[110:] = False
    kinds, found = outcome(cut, whole, Coverage(shown, GRID), WHOLE)
    assert kinds == ["not comparable"] and found.category is Category.NOT_EVALUABLE
