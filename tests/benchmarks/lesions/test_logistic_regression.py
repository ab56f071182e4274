"""The fit of a score."""

from __future__ import annotations

import numpy as np
import pytest
from logistic_regression import fit_scorer


def drawn(n=4000, seed=1):
    """Features and labels of which the probability is known."""
    rng = np.random.default_rng(seed)
    values = rng.normal((3, -2), (2, 5), (n, 2))
    probability = 1 / (1 + np.exp(-(values[:, 0] - 0.3 * values[:, 1] - 4)))
    return values, rng.random(n) < probability, probability


def test_a_fitted_score_is_the_probability_that_a_lesion_is_real():
    values, real, probability = drawn()
    scores = fit_scorer(values, real, ("a", "b"), penalty=0.1)(values, ("a", "b"))
    assert np.abs(scores - probability).mean() < 0.02
    assert scores.mean() == pytest.approx(real.mean(), abs=1e-3)


def test_a_penalty_makes_scores_more_alike():
    values, real, _ = drawn(60)
    spread = [
        np.ptp(fit_scorer(values, real, ("a", "b"), penalty)(values, ("a", "b")))
        for penalty in (0.1, 10, 1000)
    ]
    assert spread[0] > spread[1] > spread[2]
