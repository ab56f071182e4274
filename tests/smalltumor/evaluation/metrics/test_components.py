"""Scores of every component by itself, compared with calculations by hand."""

from __future__ import annotations

import numpy as np
import pytest
from smalltumor.evaluation.metrics.components import (
    component_dice,
    count_false_components,
    score_components,
)
from smalltumor.evaluation.metrics.lesionwise import score_lesions

SHAPE = (40, 30, 20)


def cubes(*starts_and_edges):
    mask = np.zeros(SHAPE, bool)
    for i, j, k, edge in starts_and_edges:
        mask[i : i + edge, j : j + edge, k : k + edge] = True
    return mask


def test_a_small_component_next_to_a_large_one_is_found_separately():
    truth = cubes((2, 2, 2, 8), (12, 2, 2, 3))
    only_large = cubes((2, 2, 2, 8))
    small, large = score_components(only_large, truth)
    assert (small.voxels, small.covered, small.found) == (27, 0, False)
    assert (large.voxels, large.covered, large.found) == (512, 1, True)
    assert score_lesions(only_large, truth).missed == 0  # BraTS 2023 takes them for one
    touched = only_large | cubes((12, 2, 2, 1))
    assert score_components(touched, truth)[0].covered == pytest.approx(1 / 27)


def test_a_small_component_next_to_a_large_one_has_a_dice_of_its_own():
    truth = np.zeros((30, 30, 30), bool)
    truth[2:14, 2:14, 2:14] = True
    truth[16:18, 5:7, 5:7] = True
    truth[25, 25, 25] = True
    prediction = truth.copy()
    prediction[17:20, 5:7, 5:7] = True  # 8 more voxels around the second
    prediction[25, 25, 25] = False
    assert component_dice(prediction, truth, below=100) == [(1, 0.0), (8, 2 * 8 / (8 + 16))]
    assert component_dice(prediction, truth, below=8) == [(1, 0.0)]
    assert component_dice(np.zeros_like(truth), np.zeros_like(truth), below=100) == []


def test_predicted_components_away_from_the_truth_are_false_if_they_are_large_enough():
    truth = cubes((2, 2, 2, 3))
    prediction = cubes((4, 4, 4, 3), (12, 12, 12, 3), (20, 2, 2, 2))  # touches; 27 and 8 voxels
    assert count_false_components(prediction, truth, at_least=1) == 2
    assert count_false_components(prediction, truth, at_least=9) == 1
    assert count_false_components(prediction, np.zeros_like(truth), at_least=27) == 2
    assert count_false_components(np.zeros_like(truth), truth, at_least=1) == 0
