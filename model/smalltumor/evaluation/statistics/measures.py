"""Measures over cases with bootstrap intervals, and their paired differences between two sides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from smalltumor.evaluation.statistics.bootstrap import (
    MIN_PATIENTS,
    Bootstrap,
    Estimate,
    Ratio,
    paired,
)

Row = TypeVar("Row")


@dataclass(frozen=True)
class Measure(Generic[Row]):
    """A measure over patients.

    Parameters
    ----------
    name : str
    terms : callable
        What a case adds to the numerator and to the denominator of the measure.
    higher_is_better : bool
    """

    name: str
    terms: Callable[[Row], tuple[float, float]]
    higher_is_better: bool = True

    def ratio(self, cases: Sequence[Row]) -> Ratio:
        """The measure over cases."""
        terms = np.array([self.terms(case) for case in cases], dtype=np.float64)
        return Ratio(terms[:, 0], terms[:, 1])


@dataclass(frozen=True)
class Difference(Generic[Row]):
    """A measure of two sets of results over the same patients.

    Parameters
    ----------
    measure : Measure
    one, other : float or None
        Over the cases that count on both sides.
    estimate : Estimate
        Of `one` minus `other`.
    """

    measure: Measure[Row]
    one: float | None
    other: float | None
    estimate: Estimate

    @property
    def verdict(self) -> str:
        """Whether the difference can be told from chance, and its direction."""
        if self.estimate.value is None:
            return "not measured"
        if self.estimate.patients < MIN_PATIENTS:
            return "too few patients"
        if not self.estimate.excludes_zero:
            return "may be chance"
        return "better" if (self.estimate.value > 0) == self.measure.higher_is_better else "worse"


def paired_differences(
    measures: Iterable[Measure[Row]],
    one: Sequence[Row],
    other: Sequence[Row],
    bootstrap: Bootstrap,
) -> list[Difference[Row]]:
    """`one` minus `other` in each measure, over the cases that count on both sides.

    Parameters
    ----------
    measures : iterable of Measure
    one, other : sequence
        The same cases in the same order.
    bootstrap : Bootstrap
        Over their patients.
    """
    differences = []
    for measure in measures:
        ratios = paired(measure.ratio(one), measure.ratio(other))
        difference = bootstrap.difference(*ratios)
        differences.append(Difference(measure, ratios[0].value, ratios[1].value, difference))
    return differences
