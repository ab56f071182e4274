"""The score of a lesion, from its features."""

from __future__ import annotations

import numpy as np
from smalltumor.second_look.lesion_scorer import LesionScorer


def scorer() -> LesionScorer:
    """A score of two features, the second of which counts against a lesion."""
    return LesionScorer(
        features=("a", "b"),
        low=np.array([-1.0, 0.0]),
        high=np.array([3.0, 10.0]),
        mean=np.array([1.0, 5.0]),
        deviation=np.array([2.0, 4.0]),
        weights=np.array([1.5, -0.5]),
        intercept=0.2,
    )


def test_a_score_is_the_logistic_function_of_clipped_standardised_features():
    score = scorer()(np.array([[2.0, 50.0]]), ("a", "b"))
    logit = 1.5 * (2 - 1) / 2 - 0.5 * (10 - 5) / 4 + 0.2
    np.testing.assert_allclose(score, 1 / (1 + np.exp(-logit)))


def test_a_feature_is_found_by_its_name():
    values = np.random.default_rng(1).normal((1, 5), (2, 4), (50, 2))
    expected = scorer()(values, ("a", "b"))
    assert np.ptp(expected) > 0.1
    swapped = np.column_stack([values[:, 1], np.zeros(len(values)), values[:, 0]])
    np.testing.assert_allclose(scorer()(swapped, ("b", "other", "a")), expected)
