"""Volumes of the regions and sizes of the lesions of a cohort, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from smalltumor.labels.regions import COLOURS_ON_WHITE, REGION_NAMES, Region
from smalltumor.labels.small_lesions import SMALL_LESION_MM3
from smalltumor.report.figures import new_figure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SMALL_ML = SMALL_LESION_MM3 / 1000

_LESIONS = "0.35"
_DECADES, _BINS_A_DECADE = (-3, 3), 4
_TICKS_ML = (0.001, 0.1, 10, 1000)


def draw_sizes(
    volumes_ml: Mapping[Region, Sequence[float | None]], lesions_mm3: Sequence[float]
) -> Figure:
    """Histograms, after Figure 4 of Ngo et al. 2020: volumes of ET, TC, WT, and sizes of lesions.

    The axis is logarithmic, so what is empty is not drawn. The sizes below `SMALL_ML`, 2000 voxels
    of 1 mm3, are shaded.
    """
    figure = new_figure(7.2, 1.9, layout="constrained")
    panels = figure.subplots(1, len(Region) + 1, sharex=True)
    for axes, region in zip(panels, Region, strict=False):
        title = f"{region.upper()} {REGION_NAMES[region]}"
        _histogram(axes, volumes_ml[region], title, COLOURS_ON_WHITE[region])
    _histogram(panels[-1], [mm3 / 1000 for mm3 in lesions_mm3], "enhancing lesions", _LESIONS)
    panels[0].set_ylabel("cases", fontsize=8)
    panels[-1].set_ylabel("lesions", fontsize=8)
    return figure


def _histogram(axes: Axes, values: Sequence[float | None], title: str, colour: str) -> None:
    drawn = np.array([value for value in values if value is not None])
    low, high = _DECADES
    edges = [float(e) for e in np.logspace(low, high, (high - low) * _BINS_A_DECADE + 1)]
    axes.set_xscale("log")
    axes.axvspan(edges[0], SMALL_ML, color="0.9", zorder=0, linewidth=0)
    axes.axvline(SMALL_ML, color="0.4", linestyle="--", linewidth=0.8)
    axes.hist(np.clip(drawn, edges[0], edges[-1]), bins=edges, color=colour)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_xticks(_TICKS_ML, [f"{tick:g}" for tick in _TICKS_ML], fontsize=7, parse_math=False)
    axes.minorticks_off()
    axes.locator_params(axis="y", integer=True)
    axes.tick_params(labelsize=7)
    axes.set_title(title, fontsize=8)
    axes.set_xlabel("ml", fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
