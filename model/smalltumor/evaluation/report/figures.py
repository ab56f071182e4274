"""Figures 4 and 6 of Ngo et al. 2020 for the evaluated cases, drawn with matplotlib.

matplotlib is optional: the extra ``report``.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from smalltumor.evaluation.evaluate import Evaluation
from smalltumor.evaluation.summaries.summary import overlaps, scored_regions
from smalltumor.labels.regions import REGION_COLOURS, REGION_NAMES, Region
from smalltumor.labels.small_lesions import SMALL_LESION_VOXELS
from smalltumor.text import pluralize

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE_EDGES = (1, 1000, 2000, 5000, 10000, 20000, 50000)
"""Lower limits of the size classes of patients, in voxels of enhancing tumour."""

DPI = 200
SIZE_INCHES = (6.4, 4.2)
INK = "0.15"
SHADE = "0.93"
BOX_WIDTH = 0.3
MIN_BOX_CASES = 5
"""Minimum number of cases of a box; fewer are drawn as dots, because quartiles of four values are
not informative."""

PAIR_OFFSET = 0.19
"""Distance of a box from its region's tick, in ticks; the truth is left, the prediction right."""


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def png(figure: Figure) -> bytes:
    """Encode a figure as a PNG file of `DPI` dots per inch."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DPI, metadata={"Software": None})
    return content.getvalue()


def draw_volumes(evaluation: Evaluation) -> Figure:
    """Box plot of the regions' volumes, truth next to prediction (after Figure 4).

    Boxes show the quartiles, whiskers extend to the last case within 1.5 interquartile ranges, and
    dots are outliers. Fewer than 5 cases are drawn as dots. The axis is logarithmic, so cases
    without the region are not drawn; their number is printed below the box.
    """
    figure, axes = empty_figure(f"Volumes of {pluralize(len(evaluation.cases), 'case')}")
    axes.set_yscale("log")
    axes.set_ylabel("volume (voxels)")
    regions = scored_regions(evaluation.cases)
    for tick, region in enumerate(regions):
        scores = overlaps(evaluation.cases, region)
        truth = [score.truth_voxels for score in scores]
        predicted = [score.predicted_voxels for score in scores]
        _box(axes, tick - PAIR_OFFSET, truth, region, filled=True)
        _box(axes, tick + PAIR_OFFSET, predicted, region, filled=False)
    axes.axhline(SMALL_LESION_VOXELS, color="0.5", linestyle="--", linewidth=0.8, zorder=0)
    axes.annotate(
        f"{SMALL_LESION_VOXELS} voxels",
        (1, SMALL_LESION_VOXELS),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        xytext=(-2, 2),
        ha="right",
        color="0.4",
        fontsize=8,
    )
    names = [f"{REGION_NAMES[region]} ({region.upper()})" for region in regions]
    axes.set_xticks(range(len(regions)), names)
    axes.set_xlim(-0.55, len(regions) - 0.45)
    _draw_legend(axes)
    return figure


def draw_dice_by_size(evaluation: Evaluation) -> Figure:
    """Dice of enhancing tumour against its true volume, with mean by size class (after Figure 6).

    Cases without enhancing tumour in the truth are not drawn.
    """
    scores = [s for s in overlaps(evaluation.cases, Region.ET) if s.truth_voxels]
    sizes = np.array([s.truth_voxels for s in scores])
    dice = np.array([s.dice for s in scores])
    figure, axes = empty_figure(
        f"Dice of enhancing tumour by its size, {pluralize(len(scores), 'case')}"
    )
    axes.set_xscale("log")
    low, high = _decades(sizes)
    axes.set_xlim(low, high)
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlabel("enhancing tumour in the truth (voxels)")
    axes.set_ylabel("Dice")
    if low < SMALL_LESION_VOXELS:
        axes.axvspan(low, min(SMALL_LESION_VOXELS, high), color=SHADE, zorder=0, linewidth=0)
    axes.scatter(
        sizes,
        dice,
        s=26,
        color=[REGION_COLOURS[Region.ET]],
        edgecolors=INK,
        linewidths=0.7,
        zorder=2,
    )
    for start, stop in pairwise((*SIZE_EDGES, max(high, SIZE_EDGES[-1]))):
        inside = dice[(sizes >= start) & ((sizes < stop) | (stop > SIZE_EDGES[-1]))]
        if len(inside):
            _class_mean(axes, max(start, low), min(stop, high), inside)
    axes.annotate(
        f"Bars: mean Dice of a size class (n cases). Grey: below {SMALL_LESION_VOXELS} voxels.",
        (0, -0.19),
        xycoords="axes fraction",
        fontsize=8,
        color="0.35",
    )
    return figure


def empty_figure(title: str) -> tuple[Figure, Axes]:
    """A figure with axes, a title and a light grid."""
    from matplotlib.figure import Figure  # pyplot would open windows and has global state

    figure = Figure(figsize=SIZE_INCHES, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=11, pad=24)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="0.9", linewidth=0.7)
    axes.set_axisbelow(True)
    return figure, axes


def _box(
    axes: Axes, position: float, voxels: Sequence[int], region: Region, *, filled: bool
) -> None:
    present = [count for count in voxels if count]
    _name_absent(axes, position, len(voxels) - len(present))
    face = REGION_COLOURS[region] if filled else "white"
    dots: dict[str, Any] = {
        "marker": "o",
        "markersize": 4,
        "markerfacecolor": face,
        "markeredgecolor": INK,
    }
    if len(present) < MIN_BOX_CASES:
        axes.plot([position] * len(present), present, linestyle="", **dots)
        return
    axes.boxplot(
        present,
        positions=[position],
        widths=BOX_WIDTH,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": face, "edgecolor": INK},
        medianprops={"color": INK, "linewidth": 2},
        whiskerprops={"color": INK},
        capprops={"color": INK},
        flierprops=dots,
    )


def _name_absent(axes: Axes, position: float, absent: int) -> None:
    """Write below a box how many cases are without the region."""
    if absent:
        axes.annotate(
            f"{absent} without",
            (position, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            xytext=(0, 3),
            ha="center",
            fontsize=7,
            color="0.35",
        )


def _draw_legend(axes: Axes) -> None:
    from matplotlib.patches import Patch

    axes.legend(
        handles=[
            Patch(facecolor="0.6", edgecolor=INK, label="truth"),
            Patch(facecolor="white", edgecolor=INK, label="prediction"),
        ],
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=2,
        frameon=False,
        fontsize=9,
    )


def _class_mean(axes: Axes, start: float, stop: float, dice: npt.NDArray[np.float64]) -> None:
    mean = float(dice.mean())
    axes.hlines(mean, start, stop, color=INK, linewidth=2, zorder=1)
    axes.annotate(
        f"{mean:.2f}\n(n={len(dice)})",
        (float(np.sqrt(start * stop)), 1),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        xytext=(0, 2),
        ha="center",
        fontsize=8,
    )


def _decades(sizes: npt.NDArray[np.int64]) -> tuple[float, float]:
    """The powers of ten that enclose the sizes."""
    if not len(sizes):
        return 1.0, 10.0
    first = np.floor(np.log10(sizes.min()))
    last = max(np.ceil(np.log10(sizes.max() + 1)), first + 1)
    return float(10**first), float(10**last)
