"""RANO's category from sums of products, new lesions, and lesions that become measurable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from smalltumor.follow_up.matching import ChangeKind, LesionChange
from smalltumor.follow_up.response import (
    Category,
    assess,
    with_earlier_progression,
)
from smalltumor.follow_up.response_measures import ResponseMeasures
from smalltumor.geometry.grid import Grid
from smalltumor.measures import measure_classes

GRID = Grid((40, 40, 10), np.diag([-1.0, -1.0, 1.0, 1.0]))


def lesion(width: int):
    """A lesion of width x width mm on four slices; measurable from 10 mm."""
    classes = np.zeros(GRID.shape, np.uint8)
    classes[5 : 5 + width, 5 : 5 + width, 2:6] = 3
    return measure_classes(classes, GRID).lesions


SMALL, LARGE = lesion(4), lesion(20)
SAME = LesionChange(ChangeKind.SAME, LARGE, LARGE)
NEW_SMALL = LesionChange(ChangeKind.NEW, (), SMALL)
NEW_LARGE = LesionChange(ChangeKind.NEW, (), LARGE)
BECAME = LesionChange(ChangeKind.GROWN, SMALL, LARGE)


@pytest.mark.parametrize(
    ("sums", "changes", "current", "category"),
    [
        ([400, 400], [SAME], LARGE, "stable disease"),
        ([400, 499], [SAME], LARGE, "stable disease"),
        ([400, 500], [SAME], LARGE, "progressive disease"),
        ([400, 201], [SAME], LARGE, "stable disease"),
        ([400, 200], [SAME], LARGE, "partial response"),
        ([400, 200, 260], [SAME], LARGE, "progressive disease"),  # against the smallest
        ([400, 200, 240], [SAME], LARGE, "stable disease"),
        ([400, 0], [], (), "complete response"),
        ([400, 0, 90], [SAME], LARGE, "progressive disease"),
        ([400, 200], [SAME, NEW_SMALL], LARGE, "stable disease"),  # no response with a new lesion
        ([400, 200], [SAME, NEW_LARGE], LARGE, "progressive disease"),
        ([400, 400], [SAME, BECAME], LARGE, "progressive disease"),
        ([None, None], [NEW_LARGE], LARGE, "progressive disease"),
        ([None, None], [], (), "not evaluable"),
        ([None, None], [NEW_SMALL], SMALL, "not evaluable"),
    ],
)
def test_the_category_follows_the_rule(sums, changes, current, category):
    response = assess(measures(sums, changes, current))
    assert response.category.value == category
    assert response.reasons
    assert response.sums_mm2 == tuple(sums)


def measures(sums, changes, current=LARGE, target_is_measurable=True) -> ResponseMeasures:
    since = [changes] * (len(sums) - 1)
    return ResponseMeasures(sums, since, current, target_is_measurable, as_of_balls(sums))


def as_of_balls(sums) -> list[float]:
    """Volumes that change as those of balls with these products."""
    return [0.0 if value is None else value**1.5 for value in sums]


def test_a_new_lesion_that_is_not_measurable_is_said():
    reasons = assess(measures([400, 400], [NEW_SMALL])).reasons
    assert reasons[-1] == (
        "new lesion 1 is not measurable: by itself no progression, but no response either"
    )


def test_a_small_new_lesion_beside_a_measurable_one_does_not_contradict_the_category():
    small = [LesionChange(ChangeKind.NEW, (), numbered(SMALL, n)) for n in (4, 2, 3)]
    response = assess(measures([400, 400], [*small, NEW_LARGE]))
    assert response.category is Category.PROGRESSIVE_DISEASE
    assert response.reasons == (
        "new lesion 1 is measurable",
        "new lesions 2, 3 and 4 are not measurable",
    )


@pytest.mark.parametrize(
    ("unseen", "category"), [(SMALL, Category.PROGRESSIVE_DISEASE), (LARGE, Category.NOT_EVALUABLE)]
)
@pytest.mark.parametrize("is_earlier", [True, False])
def test_a_sum_shows_a_progression_unless_a_measurable_lesion_cannot_be_compared(
    unseen, is_earlier, category
):
    lesions = (unseen, ()) if is_earlier else ((), unseen)
    response = assess(
        measures([400, 1600], [SAME, LesionChange(ChangeKind.NOT_COMPARABLE, *lesions)])
    )
    assert response.category is category
    assert response.reasons[0] == (
        "the sum of products of the target lesions is 1600 mm², 400% of the smallest earlier one "
        "(400 mm²)"
    )
    assert "could not be compared" in response.reasons[-1]


@pytest.mark.parametrize("sums", [[400, 400], [400, 100]])
def test_without_a_progression_a_lesion_that_cannot_be_compared_leaves_the_category_open(sums):
    unseen = LesionChange(ChangeKind.NOT_COMPARABLE, SMALL, ())
    assert assess(measures(sums, [SAME, unseen])).category is Category.NOT_EVALUABLE


def test_of_many_new_lesions_the_first_are_named_and_the_others_counted():
    small = [LesionChange(ChangeKind.NEW, (), numbered(SMALL, n)) for n in range(1, 16)]
    reason = assess(measures([400, 400], small)).reasons[-1]
    assert reason.startswith("new lesions 1, 2, 3, 4, 5 and 10 more are not measurable")


def test_a_measurable_new_lesion_that_may_be_a_piece_of_another_one_is_said():
    beside = replace(NEW_LARGE, beside_mm=1.0)
    (reason,) = assess(measures([400, 400], [SAME, beside])).reasons
    assert reason == (
        "new lesion 1 is measurable; 1 within 2 mm of a lesion that is in both scans, and perhaps "
        "a piece of it"
    )


def numbered(lesions, number: int):
    return tuple(replace(each, lesion=replace(each.lesion, id=number)) for each in lesions)


def test_of_a_stable_disease_the_volume_is_said_beside_the_sum():
    sums = [400, 264]
    found = ResponseMeasures(sums, [[SAME]], LARGE, True, [1000.0, 1040.0])
    response = assess(found)
    assert response.category is Category.STABLE_DISEASE
    assert response.reasons == (
        "the sum of products of the target lesions is 264 mm², 66% of the smallest earlier one "
        "(400 mm²), and their volume is 104% of what it was then",
    )


def test_an_increase_of_specks_is_no_progression():
    response = assess(measures([400, 0, 4], [SAME], SMALL, target_is_measurable=False))
    assert response.category is Category.PARTIAL_RESPONSE
    assert response.reasons[-1] == "the sum has increased, but no target lesion is measurable"


def test_lesions_that_merge_or_split_can_become_measurable():
    for kind in (ChangeKind.MERGED, ChangeKind.SPLIT):
        earlier = (*SMALL, *SMALL) if kind is ChangeKind.MERGED else SMALL
        response = assess(measures([None, None], [LesionChange(kind, earlier, LARGE)]))
        assert response.category is Category.PROGRESSIVE_DISEASE


def test_what_is_measurable_now_is_not_denied():
    response = assess(measures([None, None], [LesionChange(ChangeKind.SAME, SMALL, LARGE)]))
    assert response.category is Category.NOT_EVALUABLE
    assert "1 lesion is measurable now, none of them new or grown by 40%" in response.reasons[0]


def test_a_lesion_that_the_first_scan_does_not_show_stays_new():
    """At the third scan it has not changed since the second."""
    sums = [400, 400, 100]
    since = [[SAME, NEW_LARGE], [SAME, SAME]]
    found = ResponseMeasures(sums, since, LARGE, True, as_of_balls(sums))
    response = assess(found)
    assert response.category is Category.PROGRESSIVE_DISEASE
    assert response.reasons[0].startswith("new lesion 1 is measurable (not shown by the first")
    small = LesionChange(ChangeKind.NEW, (), numbered(SMALL, 2))
    twice = assess(measures([400, 400, 400], [NEW_LARGE, small])).reasons
    assert [reason.count("not shown by the first") for reason in twice] == [1, 0]


def test_a_progression_at_an_earlier_scan_stays_said():
    earlier = [("2026-02-01", assess(measures([400, 500], [SAME])))]
    response = with_earlier_progression(assess(measures([400, 500, 200], [SAME])), earlier)
    assert response.category is Category.PARTIAL_RESPONSE
    assert response.reasons[-1] == "by the measures, there was a progression at 2026-02-01 already"


@pytest.mark.parametrize(
    ("sums", "volumes", "category"),
    [
        ([400, 604], [1000, 1001], Category.NOT_EVALUABLE),
        ([400, 604], [1000, 1150], Category.NOT_EVALUABLE),
        ([400, 604], [1000, 1250], Category.PROGRESSIVE_DISEASE),
        ([400, 604], [0, 800], Category.PROGRESSIVE_DISEASE),
        ([400, 200, 400], [1000, 950, 1000], Category.NOT_EVALUABLE),
        ([400, 200, 400], [1000, 350, 1000], Category.PROGRESSIVE_DISEASE),
        ([400, 190], [1000, 990], Category.NOT_EVALUABLE),
        ([400, 190], [1000, 500], Category.PARTIAL_RESPONSE),
        ([400, 430], [1000, 2000], Category.STABLE_DISEASE),
    ],
)
def test_a_category_by_the_sum_needs_a_volume_that_supports_it(sums, volumes, category):
    """Diameters jump where a lesion beside a cavity falls into pieces."""
    found = assess(ResponseMeasures(sums, [[SAME]] * (len(sums) - 1), LARGE, True, volumes))
    assert found.category is category
    assert ("look at the diameters" in found.reasons[0]) == (category is Category.NOT_EVALUABLE)
