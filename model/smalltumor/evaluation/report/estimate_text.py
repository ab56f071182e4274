"""Estimates with their intervals, and paired differences, as text and as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from smalltumor.evaluation.report.text_table import text_table
from smalltumor.evaluation.statistics.bootstrap import MIN_PATIENTS, RESAMPLES, SEED, Estimate
from smalltumor.evaluation.statistics.measures import Difference

Row = TypeVar("Row")

INTERVAL = (
    f"95 % intervals: bootstrap over patients, {RESAMPLES} samples, seed {SEED}; they do not "
    "cover the variation between training runs"
)

VERDICTS = (
    "better, worse: the interval of the difference excludes 0; fewer than "
    f"{MIN_PATIENTS} patients are too few to tell a difference from chance"
)


def interval_text(estimate: Estimate) -> str:
    """Return the interval, such as "0.716 to 0.833", or a dash."""
    if estimate.low is None or estimate.high is None:
        return "-"
    return f"{estimate.low:.3f} to {estimate.high:.3f}"


def difference_table(title: str, differences: Iterable[Difference[Row]]) -> str:
    """Return a table of sides A and B, their differences with intervals, and the verdicts."""
    rows = [
        (
            d.measure.name,
            d.estimate.patients,
            d.one,
            d.other,
            _signed(d.estimate.value),
            interval_text(d.estimate),
            d.verdict,
        )
        for d in differences
    ]
    return text_table(title, ("", "patients", "A", "B", "A - B", "95 % interval", ""), rows)


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.4f}"


def estimate_json(estimate: Estimate, name: str) -> dict[str, Any]:
    """Return an estimate as plain data, its value under a name."""
    return {
        name: estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "patients": estimate.patients,
    }


def differences_json(differences: Iterable[Difference[Row]]) -> list[dict[str, Any]]:
    """Return differences as plain data."""
    return [
        {
            "measure": d.measure.name,
            "results": d.one,
            "baseline": d.other,
            **estimate_json(d.estimate, "difference"),
            "verdict": d.verdict,
        }
        for d in differences
    ]
