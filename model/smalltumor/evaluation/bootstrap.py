"""Bootstrap confidence intervals over patients, of one set of results and of a difference.

Patients are drawn with replacement, and a measure is computed for each such sample; the interval
is between percentiles 2.5 and 97.5 (Efron and Tibshirani 1993, *An Introduction to the Bootstrap*,
section 13.3). It covers the choice of patients, not the variation between training runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RESAMPLES = 10_000
SEED = 0
MIN_PATIENTS = 6
"""With five patients even a difference of one sign in all of them has p = 0.06 in a sign test."""

_PERCENTILES = (2.5, 97.5)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ratio:
    """A measure as a sum over patients divided by another, such as a mean or a share.

    Parameters
    ----------
    numerators, denominators : (patient,) float64 array
        A patient who does not count has 0 in both.
    """

    numerators: Floats
    denominators: Floats

    @property
    def value(self) -> float | None:
        """The measure over all patients; None if no patient counts."""
        total = float(self.denominators.sum())
        return float(self.numerators.sum()) / total if total else None

    @property
    def patients(self) -> int:
        """Number of patients who count."""
        return int(np.count_nonzero(self.denominators))


@dataclass(frozen=True)
class Estimate:
    """A measure, or a difference of two, with its 95 % interval.

    Parameters
    ----------
    value, low, high : float or None
        None if no patient counts.
    patients : int
        Number of patients who count.
    """

    value: float | None
    low: float | None
    high: float | None
    patients: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval excludes 0 and rests on at least `MIN_PATIENTS` patients."""
        if self.low is None or self.high is None or self.patients < MIN_PATIENTS:
            return False
        return self.low > 0 or self.high < 0


class Bootstrap:
    """Samples of patients, the same ones for all measures and for both sides of a comparison.

    Parameters
    ----------
    patients : int
        At least 1.
    seed : int
    resamples : int
        Number of samples.
    """

    def __init__(self, patients: int, *, seed: int = SEED, resamples: int = RESAMPLES) -> None:
        shares = np.full(patients, 1 / patients)
        # How often each sample holds each patient, (resample, patient).
        self._counts = np.random.default_rng(seed).multinomial(patients, shares, size=resamples)

    def estimate(self, ratio: Ratio) -> Estimate:
        """A measure with its interval."""
        return _estimate(ratio.value, self._values(ratio), ratio.patients)

    def difference(self, one: Ratio, other: Ratio) -> Estimate:
        """`one` minus `other`, of the same patients in the same order, with its interval."""
        value = None if one.value is None or other.value is None else one.value - other.value
        patients = min(one.patients, other.patients)
        return _estimate(value, self._values(one) - self._values(other), patients)

    def _values(self, ratio: Ratio) -> Floats:
        """The measure in each sample; NaN in a sample without a patient who counts."""
        totals = self._counts @ ratio.denominators
        with np.errstate(invalid="ignore"):
            return np.asarray(self._counts @ ratio.numerators / totals)


def _estimate(value: float | None, samples: Floats, patients: int) -> Estimate:
    samples = samples[np.isfinite(samples)]
    if value is None or not samples.size:
        return Estimate(None, None, None, patients)
    low, high = np.percentile(samples, _PERCENTILES)
    return Estimate(value, float(low), float(high), patients)
