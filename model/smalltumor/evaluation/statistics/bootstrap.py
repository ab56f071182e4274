"""Bootstrap confidence intervals over patients, of one set of results and of a difference.

Patients are drawn with replacement, all scans of a patient together, and a measure is computed for
each such sample; the interval is between percentiles 2.5 and 97.5 (Efron and Tibshirani 1993, *An
Introduction to the Bootstrap*, section 13.3). It covers the choice of patients, not the variation
between training runs.

A measure is a ratio of sums over cases i, such as a mean or a share, and a difference of two sides
A and B is paired: it is over the cases S that count on both sides, and patient p is drawn w_p times
on both sides of a sample,

    d = sum_S w_p(i) a_i / sum_S w_p(i) n_i  -  sum_S w_p(i) b_i / sum_S w_p(i) m_i

with w = 1 for the value itself. Where both denominators are equal, n = m, as those are that depend
on the expert's mask only, this is the mean (for a share, the weighted mean) of the differences of
single cases. A case that counts on one side only would add the difference between cases to that
between the sides.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RESAMPLES = 10_000
SEED = 0
MIN_PATIENTS = 6
"""With five patients even a difference of one sign in all of them has p = 0.06 in a sign test."""

_PERCENTILES = (2.5, 97.5)

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Ratio:
    """A measure as a sum over cases divided by another, such as a mean or a share.

    Parameters
    ----------
    numerators, denominators : (case,) float64 array
        A case that does not count has 0 in both.
    """

    numerators: Floats
    denominators: Floats

    @property
    def value(self) -> float | None:
        """The measure over all cases; None if no case counts."""
        total = float(self.denominators.sum())
        return float(self.numerators.sum()) / total if total else None

    @property
    def counts(self) -> Mask:
        """(case,) bool array: which cases count."""
        return np.asarray(self.denominators != 0)

    def of(self, cases: Mask) -> Ratio:
        """The measure over some of the cases; the others do not count."""
        return Ratio(self.numerators * cases, self.denominators * cases)


def paired(one: Ratio, other: Ratio) -> tuple[Ratio, Ratio]:
    """Both measures over the cases that count in both.

    Parameters
    ----------
    one, other : Ratio
        Of the same cases in the same order.
    """
    both = one.counts & other.counts
    return one.of(both), other.of(both)


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
    patients : iterable of hashable
        The patient of each case; at least one.
    seed : int
    resamples : int
        Number of samples.
    """

    def __init__(
        self, patients: Iterable[Hashable], *, seed: int = SEED, resamples: int = RESAMPLES
    ) -> None:
        numbers: dict[Hashable, int] = {}
        self._patients = np.array([numbers.setdefault(p, len(numbers)) for p in patients])
        shares = np.full(len(numbers), 1 / len(numbers))
        drawn = np.random.default_rng(seed).multinomial(len(numbers), shares, size=resamples)
        # How often each sample holds each case, (resample, case).
        self._counts = drawn[:, self._patients]

    def estimate(self, ratio: Ratio) -> Estimate:
        """A measure with its interval."""
        return _estimate(ratio.value, self._values(ratio), self._number(ratio))

    def difference(self, one: Ratio, other: Ratio) -> Estimate:
        """`one` minus `other` over the cases that count in both, with its interval.

        Parameters
        ----------
        one, other : Ratio
            Of the same cases in the same order.
        """
        one, other = paired(one, other)
        value = None if one.value is None or other.value is None else one.value - other.value
        return _estimate(value, self._values(one) - self._values(other), self._number(one))

    def _number(self, ratio: Ratio) -> int:
        """Number of patients with a case that counts."""
        return len(np.unique(self._patients[ratio.counts]))

    def _values(self, ratio: Ratio) -> Floats:
        """The measure in each sample; NaN in a sample without a case that counts."""
        totals = self._counts @ ratio.denominators
        with np.errstate(invalid="ignore"):
            return np.asarray(self._counts @ ratio.numerators / totals)


def _estimate(value: float | None, samples: Floats, patients: int) -> Estimate:
    samples = samples[np.isfinite(samples)]
    if value is None or not samples.size:
        return Estimate(None, None, None, patients)
    low, high = np.percentile(samples, _PERCENTILES)
    return Estimate(value, float(low), float(high), patients)
