"""One-to-one lesion scores: the rules by hand, and the numbers of ``brats-evaluation``."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from challenge_pairs import challenge_pairs
from smalltumor.evaluation.metrics.one_to_one import NO_OVERLAP_MM, score_one_to_one

SUPPORT = Path(__file__).parents[3] / "support"
OFFICIAL = json.loads((SUPPORT / "challenge_scores.json").read_text())
GROUPS = {"et": (3,), "tc": (1, 3), "wt": (1, 2, 3), "rc": (4,), "snfh": (2,), "netc": (1,)}
EQUAL_SUMS = {("made-15", "et"), ("made-16", "wt")}
"""Two assignments have the same sum of Dice, and the solvers choose different ones."""

pairs = cache(challenge_pairs)


def cubes(*starts):
    mask = np.zeros((30, 12, 12), bool)
    for i in starts:
        mask[i : i + 3, 2:5, 2:5] = True
    return mask


def number(value):
    """A stored score; the package has no score for two empty sides, and infinity for no overlap."""
    value = float(value)
    return None if math.isnan(value) else NO_OVERLAP_MM if math.isinf(value) else value


@pytest.mark.slow
@pytest.mark.parametrize("name", OFFICIAL)
def test_scores_are_those_of_the_challenge(name):
    prediction, truth, (i, j, k) = pairs()[name]
    spacing = (k, j, i)  # the package's arrays are (k, j, i), but not its voxel edges
    for group, labels in GROUPS.items():
        ours = score_one_to_one(np.isin(prediction, labels), np.isin(truth, labels), spacing)
        official = OFFICIAL[name][group]
        assert [ours.matched, ours.false, ours.missed] == [official[k] for k in ("tp", "fp", "fn")]
        for scores, prefix in ((ours.lesions, "sq"), (ours.whole, "global_bin")):
            compared = 1 if prefix == "sq" and (name, group) in EQUAL_SUMS else 3
            for measure, key in (("dice", "dsc"), ("nsd", "nsd"), ("hd95", "hd95"))[:compared]:
                own = None if scores is None else getattr(scores, measure)
                assert own == pytest.approx(number(official[f"{prefix}_{key}"]), abs=5e-5), (
                    group,
                    prefix,
                    measure,
                )


def test_pairs_cover_real_made_and_empty_masks():
    assert len(OFFICIAL) >= 30 and set(OFFICIAL) == set(pairs())


def test_a_prediction_that_covers_two_lesions_finds_one():
    bridge = cubes(2, 8)
    bridge[2:11, 3, 3] = True
    scores = score_one_to_one(bridge, cubes(2, 8))
    assert (scores.matched, scores.missed, scores.false) == (1, 1, 0)
    assert scores.f1 == pytest.approx(2 / 3)


def test_close_lesions_are_not_merged():
    scores = score_one_to_one(cubes(2), cubes(2, 6))  # one voxel apart
    assert (scores.matched, scores.missed) == (1, 1)
    assert scores.lesions.dice == 1


def test_tolerance_of_the_surface_dice_is_the_shortest_edge():
    moved = np.roll(cubes(8), 1, 0)
    assert score_one_to_one(moved, cubes(8)).lesions.nsd == 1
    assert score_one_to_one(moved, cubes(8), (2, 1, 1)).lesions.nsd < 1


def test_empty_sides_have_no_scores():
    scores = score_one_to_one(cubes(), cubes())
    assert (scores.lesions, scores.whole, scores.f1) == (None, None, None)


def test_in_a_sheared_grid_lesions_are_compared_by_distances_in_the_patient():
    truth = cubes(2)
    prediction = truth.copy()
    prediction[5, 5, 3] = True  # 1 mm from voxel 4, 4, 3
    sheared = ((-1, 1, 0), (0, -1, 0), (0, 0, 1))
    assert score_one_to_one(prediction, truth, sheared).lesions.nsd == 1
