"""Which components are specks."""

from __future__ import annotations

import numpy as np
import pytest
from smalltumor.geometry.grid import Grid
from smalltumor.labels.regions import Region
from smalltumor.lesions import Lesion, find_lesions

from napari_smalltumor.lesions.search.specks import NO_SPECKS, SpeckRule, title_of

RULE = SpeckRule(20, 0.8)


def lesion(mm3: int, probability: float | None, voxels: int = 1) -> Lesion:
    centre, box = (0.0, 0.0, 0.0), ((0, 1), (0, 1), (0, 1))
    return Lesion(
        1, Region.ET, voxels, mm3, centre, centre, box, 1.0, probability, probability, True
    )


@pytest.mark.parametrize(
    ("mm3", "probability", "from_network", "is_speck"),
    [
        (19, 0.79, True, True),
        (20, 0.4, True, False),
        (19, 0.8, True, False),  # the network is sure of it
        (3, None, True, False),  # painted into the network's result
        (19, None, False, False),  # a mask of any origin, whose lesions may have been accepted
        (20, None, False, False),
    ],
)
def test_a_speck_is_small_and_uncertain(mm3, probability, from_network, is_speck):
    found = RULE.specks([lesion(mm3, probability)], from_network=from_network)
    assert bool(found) is is_speck


def test_a_rule_of_0_mm3_finds_no_speck():
    assert NO_SPECKS.specks([lesion(1, 0.1)], from_network=True) == []


def test_the_title_says_the_number_and_the_volume_of_specks():
    mask = np.zeros((9, 9, 9), bool)
    mask[1, 1, 1] = mask[5, 5, 5:8] = True
    specks = find_lesions(mask, Grid(mask.shape, np.diag([1, 1, 1.5, 1])))
    assert title_of(specks, RULE) == "2 specks below 20 mm³ (6 mm³)"
    assert title_of(specks[:1], RULE) == "1 speck below 20 mm³ (2 mm³)"
