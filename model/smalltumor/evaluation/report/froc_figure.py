"""The FROC curve, drawn with matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smalltumor.evaluation.metrics.froc import froc_curve
from smalltumor.evaluation.report.figures import INK, SHADE, empty_figure
from smalltumor.text import pluralize

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from smalltumor.evaluation.evaluate import Evaluation


def draw_froc(evaluation: Evaluation) -> Figure:
    """Sensitivity for small components against false positives per case; a dot for the mask alone.

    The band is the 95 % interval.
    """
    points = [p for p in froc_curve(evaluation.candidates) if p.sensitivity.value is not None]
    cases = pluralize(len(evaluation.candidates), "case")
    figure, axes = empty_figure(f"Small enhancing components found, {cases}")
    axes.set_xlabel("false positives per case")
    axes.set_ylabel("sensitivity")
    axes.set_ylim(-0.03, 1.03)
    rates = [point.false_positives_per_case for point in points]
    values = [point.sensitivity.value or 0.0 for point in points]
    low = [point.sensitivity.low or 0.0 for point in points]
    high = [point.sensitivity.high or 0.0 for point in points]
    axes.fill_between(rates, low, high, step="post", color=SHADE, linewidth=0)
    axes.step(rates, values, where="post", color=INK)
    axes.plot(rates[:1], values[:1], "o", color=INK, label="mask alone")
    axes.legend(loc="lower right", frameon=False, fontsize=9)
    return figure
