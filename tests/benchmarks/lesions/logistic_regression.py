"""Fits the scores of the second look: logistic regression with a quadratic penalty."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from smalltumor.second_look.lesion_scorer import Floats, LesionScorer

PENALTY = 3.0
"""Weight of half the squared weights of the standardised features, against the log loss."""

_CLIP_PERCENTILES = (0.0, 100.0)
"""Percentiles of each feature that its values are clipped to: those of the fitted lesions."""

_STEPS = 50
_CONVERGED = 1e-8


def fit_scorer(
    values: Floats, real: npt.NDArray[np.bool_], features: Sequence[str], penalty: float = PENALTY
) -> LesionScorer:
    """Fit a scorer by Newton's method.

    It minimises the sum of the log losses plus ``penalty / 2 * sum(weights ** 2)``; the intercept
    is free, so that the mean score is the share of real ones.

    Parameters
    ----------
    values : (n, feature) float64 array
    real : (n,) bool array
        Both values occur.
    features : sequence of str
        Names of the columns.
    penalty : float
    """
    low, high = np.percentile(values, _CLIP_PERCENTILES, axis=0)
    clipped = np.clip(values, low, high)
    mean, deviation = clipped.mean(axis=0), clipped.std(axis=0)
    deviation[deviation == 0] = 1
    design = np.column_stack([(clipped - mean) / deviation, np.ones(len(values))])
    ridge = np.full(design.shape[1], float(penalty))
    ridge[-1] = 0
    solution = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        scores = 1 / (1 + np.exp(-design @ solution))
        gradient = design.T @ (scores - real) + ridge * solution
        curvature = (design * (scores * (1 - scores))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(curvature, gradient)
        solution -= step
        if np.abs(step).max() < _CONVERGED:
            break
    return LesionScorer(
        features=tuple(features),
        low=low,
        high=high,
        mean=mean,
        deviation=deviation,
        weights=solution[:-1],
        intercept=float(solution[-1]),
    )
