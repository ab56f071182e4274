"""Figures 4 and 6 of Ngo et al. 2020, for the cases at hand, as PNG."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from smalltumor.evaluation.chart import INK, SHADE, Axis, Chart, Colour, decades
from smalltumor.evaluation.evaluate import Evaluation
from smalltumor.evaluation.summary import overlaps
from smalltumor.labels.regions import REGION_COLOURS, SMALL_LESION_VOXELS, Region

SIZE_EDGES = (1, 1000, 2000, 5000, 10000, 20000, 50000)
"""Voxels of enhancing tumour at which patients are divided; the last class is open."""

BOX_WIDTH = 0.32
WHISKER = 1.5
"""Whiskers reach to the last value within this many box heights, as Tukey drew them."""


def draw_volumes(evaluation: Evaluation) -> bytes:
    """Box plot of the regions' volumes in truth and prediction (after Figure 4).

    The axis is logarithmic; cases without a region cannot be on it and are counted below.
    """
    volumes = {
        (region, whose): [getattr(score, f"{whose}_voxels") for score in scores]
        for region in Region
        for scores in [overlaps(evaluation.cases, region)]
        for whose in ("truth", "predicted")
    }
    seen = [v for values in volumes.values() for v in values if v]
    y = decades(min(seen, default=1), max(seen, default=10), "volume, voxels")
    ticks = [(n, region.upper()) for n, region in enumerate(Region)]
    x = Axis(-0.6, len(Region) - 0.4, "left: truth, filled; right: prediction, hollow", ticks)
    chart = Chart(x, y, f"Volumes of {len(evaluation.cases)} cases")
    chart.frame()
    _small_limit(chart, y)
    for (region, whose), values in volumes.items():
        centre = list(Region).index(region) + (-0.2 if whose == "truth" else 0.2)
        fill = _colour(region) if whose == "truth" else (255, 255, 255)
        _box_plot(chart, centre, values, fill)
    return chart.png()


def draw_dice_by_size(evaluation: Evaluation) -> bytes:
    """Dice of enhancing tumour against its true size, with the mean of each size class (Figure 6).

    Cases without enhancing tumour have no size and are left out.
    """
    scores = [s for s in overlaps(evaluation.cases, Region.ET) if s.truth_voxels]
    sizes = [s.truth_voxels for s in scores]
    x = decades(min(sizes, default=1), max(sizes, default=10), "true enhancing tumour, voxels")
    y = Axis(
        0, 1, "Dice; bars are means of a size class", [(n / 5, f"{n / 5:.1f}") for n in range(6)]
    )
    chart = Chart(x, y, f"Dice of enhancing tumour by size, {len(scores)} cases")
    if x.low < SMALL_LESION_VOXELS:
        chart.box((x.low, min(SMALL_LESION_VOXELS, x.high)), (0, 1), SHADE, None)
    chart.frame()
    for start, stop in pairwise((*SIZE_EDGES, x.high)):
        inside = [s.dice for s in scores if start <= s.truth_voxels < max(stop, start + 1)]
        if inside:
            _class_mean(chart, max(start, x.low), min(stop, x.high), inside)
    for score in scores:
        chart.dot(score.truth_voxels, score.dice, _colour(Region.ET))
    if x.low < SMALL_LESION_VOXELS:
        chart.write(x.low, 0, f" below {SMALL_LESION_VOXELS} voxels", "ld", lift=6)
    return chart.png()


def _class_mean(chart: Chart, start: float, stop: float, dice: Sequence[float]) -> None:
    mean = float(np.mean(dice))
    chart.line([(start, mean), (stop, mean)], INK, width=3)
    chart.write(float(np.sqrt(start * stop)), 1, f"{mean:.2f} (n={len(dice)})", "md", lift=8)


def _box_plot(chart: Chart, centre: float, values: Sequence[int], fill: Colour) -> None:
    present = np.array([v for v in values if v], dtype=np.float64)
    absent = len(values) - len(present)
    if absent:
        chart.write(centre, chart.y.low, f"{absent} without", "md", lift=4)
    if not len(present):
        return
    low, middle, high = np.percentile(present, (25, 50, 75))
    reach = WHISKER * (high - low)
    near = present[(present >= low - reach) & (present <= high + reach)]
    for start, end in ((near.min(), low), (high, near.max())):
        chart.line([(centre, start), (centre, end)], INK, width=2)
    left, right = centre - BOX_WIDTH / 2, centre + BOX_WIDTH / 2
    chart.box((left, right), (low, high), fill, INK)
    chart.line([(left, middle), (right, middle)], INK, width=3)
    for value in present[(present < near.min()) | (present > near.max())]:
        chart.dot(centre, value, fill, radius=4)


def _small_limit(chart: Chart, y: Axis) -> None:
    if y.low < SMALL_LESION_VOXELS < y.high:
        ends = (chart.x.low, chart.x.high)
        chart.line([(end, SMALL_LESION_VOXELS) for end in ends], (150, 150, 158), width=2)
        chart.write(chart.x.high, SMALL_LESION_VOXELS, f"{SMALL_LESION_VOXELS} voxels", "rd", 4)


def _colour(region: Region) -> Colour:
    red, green, blue = (round(255 * part) for part in REGION_COLOURS[region])
    return red, green, blue
