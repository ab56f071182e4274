"""Volumes and sums of products of a patient over time, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from smalltumor.follow_up import FollowUp
from smalltumor.labels.regions import COLOURS_ON_WHITE, Region
from smalltumor.report import texts
from smalltumor.report.figures import LINE_STYLES, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = {Region.ET: "o", Region.TC: "s", Region.WT: "^"}


def draw_course(follow_up: FollowUp) -> Figure:
    """Two plots over time: volumes of ET, TC and WT, and the sum of products of the targets.

    Time is to scale if the date of every scan is known as YYYY-MM-DD; else scans are evenly spaced.
    """
    figure = new_figure(7.2, 1.9, layout="constrained")
    volumes, products = figure.subplots(1, 2, sharex=True)
    places, labels = _times(follow_up)
    for region in Region:
        values = [scan.measures.volumes_ml[region.value] for scan in follow_up.scans]
        _line(
            volumes,
            places,
            values,
            color=COLOURS_ON_WHITE[region],
            linestyle=LINE_STYLES[region],
            marker=_MARKERS[region],
            label=region.upper(),
        )
    volumes.set_ylabel("volume, ml")
    volumes.legend(frameon=False, fontsize=8)
    _line(products, places, follow_up.response.sums_mm2, color="0.1", marker="o")
    products.set_ylabel("sum of products of targets, mm²")
    for axes in (volumes, products):
        axes.set_xticks(places, labels, fontsize=8, parse_math=False)
        axes.set_xmargin(0.1)
        axes.set_ylim(0, max(axes.get_ylim()[1] * 1.08, 1e-3))
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    if all(value is None for value in follow_up.response.sums_mm2):
        _say_that_nothing_is_measurable(products)
    return figure


def _say_that_nothing_is_measurable(axes: Axes) -> None:
    axes.set_yticks([])
    text = "no measurable lesion in the first scan"
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=8)


def _line(
    axes: Axes, places: Sequence[float], values: Sequence[float | None], **style: str
) -> None:
    known = [(x, y) for x, y in zip(places, values, strict=True) if y is not None]
    if known:
        axes.plot([x for x, _ in known], [y for _, y in known], **style)  # type: ignore[arg-type]


def _times(follow_up: FollowUp) -> tuple[list[float], list[str]]:
    """Places on the axis of time, and their labels: numbers of the table if titles are long."""
    scans = follow_up.scans
    try:
        days = [date.fromisoformat(scan.date).toordinal() for scan in scans]
    except ValueError:
        days = []
    short = all(len(scan.title) <= texts.SHORT for scan in scans)
    labels = [scan.title if short else f"scan {n}" for n, scan in enumerate(scans, start=1)]
    return list(map(float, days or range(len(scans)))), labels
