"""Masks of which one is mirrored are recognised; masks that merely differ are not."""

from __future__ import annotations

import numpy as np
import pytest
from smalltumor.evaluation.metrics.mirrored_agreement import mirrored_agreement
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.mirroring import mirrored

SHAPE = (40, 44, 36)
GRID = Grid(SHAPE, np.diag([-1.0, -1.0, 1.0, 1.0]))


def ball(centre, radius: float) -> np.ndarray:
    where = np.stack(np.indices(SHAPE), axis=-1)
    return np.linalg.norm(where - np.array(centre), axis=-1) < radius


@pytest.mark.parametrize(("name", "image"), [*mirrored(ball((9, 14, 10), 6), GRID)])
def test_the_mirroring_is_named_with_both_scores(name, image):
    found = mirrored_agreement(image, ball((9, 14, 10), 6), GRID)
    assert found is not None and found.mirroring == name
    assert str(found) == f"a Dice of 1.00 mirrored {name}, and {found.dice_as_is:.2f} as is"


def test_masks_that_agree_as_they_are_or_in_no_way_are_not_mirrored():
    mask = ball((9, 14, 10), 6)
    assert mirrored_agreement(mask, mask, GRID) is None
    assert mirrored_agreement(mask, ball((12, 14, 10), 6), GRID) is None
    assert mirrored_agreement(mask, ball((20, 30, 18), 6), GRID) is None


def test_a_tumour_near_the_midline_is_not_said_to_be_mirrored():
    middle = ball((19, 14, 10), 6)
    assert mirrored_agreement(middle[::-1], middle, GRID) is None


def test_an_empty_mask_is_not_mirrored():
    empty = np.zeros(SHAPE, bool)
    assert mirrored_agreement(empty, ball((9, 14, 10), 6), GRID) is None
    assert mirrored_agreement(empty, empty, GRID) is None
