"""RANO's category from sums of products, new lesions, and lesions that become measurable."""

from __future__ import annotations

import numpy as np
import pytest
from smalltumor.follow_up.matching import Change, LesionChange
from smalltumor.follow_up.response import assess
from smalltumor.geometry.grid import Grid
from smalltumor.measures import measure_classes

GRID = Grid((40, 40, 10), np.diag([-1.0, -1.0, 1.0, 1.0]))


def lesion(width: int):
    """A lesion of width x width mm on four slices; measurable from 10 mm."""
    classes = np.zeros(GRID.shape, np.uint8)
    classes[5 : 5 + width, 5 : 5 + width, 2:6] = 3
    return measure_classes(classes, GRID).lesions


SMALL, LARGE = lesion(4), lesion(20)
SAME = LesionChange(Change.SAME, LARGE, LARGE)
NEW_SMALL = LesionChange(Change.NEW, (), SMALL)
NEW_LARGE = LesionChange(Change.NEW, (), LARGE)
BECAME = LesionChange(Change.GROWN, SMALL, LARGE)


@pytest.mark.parametrize(
    ("sums", "changes", "now", "category"),
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
        ([None, None], [], (), None),
        ([None, None], [NEW_SMALL], SMALL, None),
    ],
)
def test_the_category_follows_the_rule(sums, changes, now, category):
    response = assess(sums, changes, now)
    assert (response.category and response.category.value) == category
    assert response.reasons
    assert response.sums_mm2 == tuple(sums)


def test_a_new_lesion_that_is_not_measurable_is_said():
    reasons = assess([400, 400], [NEW_SMALL], LARGE).reasons
    assert "a new lesion is not measurable" in reasons[-1]
