"""Logistic regression: from the features of a lesion to its score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LesionScorer:
    """A fitted logistic regression.

    ``score = 1 / (1 + exp(-(weights . z + intercept)))`` with
    ``z = (clip(x, low, high) - mean) / deviation``.

    Parameters
    ----------
    features : tuple of str
        Names of the features, in the order of the arrays.
    low, high : (feature,) float64 array
        Limits that values are clipped to.
    mean, deviation : (feature,) float64 array
    weights : (feature,) float64 array
    intercept : float
    """

    features: tuple[str, ...]
    low: Floats
    high: Floats
    mean: Floats
    deviation: Floats
    weights: Floats
    intercept: float

    def __call__(self, values: Floats, names: Sequence[str]) -> Floats:
        """Scores (n,) between 0 and 1; lesions with higher ones were real more often.

        Parameters
        ----------
        values : (n, column) float64 array
        names : sequence of str
            Names of the columns, which include the scorer's features.
        """
        columns = [names.index(name) for name in self.features]
        clipped = np.clip(values[:, columns], self.low, self.high)
        logits = (clipped - self.mean) / self.deviation @ self.weights + self.intercept
        return np.asarray(1 / (1 + np.exp(-logits)))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, by feature."""
        arrays = (self.low, self.high, self.mean, self.deviation, self.weights)
        return {
            "intercept": self.intercept,
            "features": {
                name: dict(zip(_NUMBERS, map(float, numbers), strict=True))
                for name, *numbers in zip(self.features, *arrays, strict=True)
            },
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LesionScorer:
        """The inverse of `to_dict`.

        Raises
        ------
        KeyError, TypeError, ValueError
            If the values are not those of a scorer.
        """
        features: Mapping[str, Mapping[str, float]] = values["features"]
        low, high, mean, deviation, weights = (
            np.array([float(numbers[key]) for numbers in features.values()]) for key in _NUMBERS
        )
        scorer = cls(
            features=tuple(features),
            low=low,
            high=high,
            mean=mean,
            deviation=deviation,
            weights=weights,
            intercept=float(values["intercept"]),
        )
        if not all(map(np.isfinite, (*mean, *weights, scorer.intercept))) or not np.all(
            deviation > 0
        ):
            raise ValueError("a number is not finite, or a deviation is not positive")
        return scorer


_NUMBERS = ("low", "high", "mean", "deviation", "weight")
