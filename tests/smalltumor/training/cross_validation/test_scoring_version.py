"""The version of the scores that runs keep is raised when these numbers change."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from smalltumor.evaluation.summaries.case_rows import case_row
from smalltumor.training.cross_validation.scoring import SCORING_VERSION

BOX = np.diag([0.9, 1.1, 3.0])
SHEARED = np.array([[1, 0, 0.3], [0, 1, 0], [0, 0, 1]]) @ BOX
NUMBERS = {
    3: (
        *(0.6753247, 0.8266297, 0.9158679),
        *(0.7647059, 0.8587896, 0.9247312),
        *(0.15147, 0.22572, 0.39204),
        *(102, 129, 2, 2, 1),
    )
}
"""Dice, TPR, false volume and counts, by the version."""


def truth() -> np.ndarray:
    classes = np.zeros((24, 24, 12), np.uint8)
    classes[4:18, 4:18, 2:9] = 2
    classes[6:14, 6:14, 3:8] = 1
    classes[7:12, 7:12, 4:7] = 3
    classes[16:19, 16:19, 8:11] = 3
    return classes


@pytest.mark.parametrize("edges", [BOX, SHEARED], ids=["box", "sheared"])
def test_the_numbers_are_those_of_the_version(edges):
    prediction = np.roll(truth(), 1, 0)
    prediction[20:23, 20:23, 2:5] = 3
    row = case_row("a", "", prediction, truth(), edges)
    assert astuple(row)[2:-2] == NUMBERS[SCORING_VERSION]  # without names and digests
