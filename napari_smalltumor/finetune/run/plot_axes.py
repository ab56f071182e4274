"""Axes of plots with as many numbers as there is room for; pyqtgraph's overlap in small plots."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

import pyqtgraph as pg
from qtpy.QtCore import QRectF
from qtpy.QtGui import QFontMetricsF, QGuiApplication

_DISTANCE_IN_LINES = 1.15
"""Least distance of two numbers one above the other, in heights of a line."""

_GAP_PX = 12
"""Least gap between two numbers side by side."""

MARGIN_PX = 12
"""Space for a half of the last number beyond the end of an axis."""

_MULTIPLES = (1, 2, 5)
_ERROR = 1e-9


class PlotAxis(pg.AxisItem):
    """An axis whose numbers do not overlap.

    Parameters
    ----------
    orientation : {'left', 'bottom'}
    whole : bool
        Whether only whole numbers are shown, such as those of epochs.
    """

    def __init__(self, orientation: str, *, whole: bool = False) -> None:
        super().__init__(orientation)
        self._whole = whole
        self.enableAutoSIPrefix(False)

    def tickValues(  # noqa: N802 - pyqtgraph's name
        self,
        minVal: float,  # noqa: N803
        maxVal: float,  # noqa: N803
        size: float,
    ) -> list[tuple[float, list[float]]]:
        """The values to be shown, in one level; powers of ten if the axis is logarithmic."""
        low, high = sorted((minVal, maxVal))
        if high <= low or size <= 0:
            return []
        per_px = (high - low) / size
        if self.logMode:
            return [(1.0, log_ticks(low, high, self._distance(high) * per_px))]
        spacing = nice_spacing(self._distance(high) * per_px)
        spacing = max(1.0, spacing) if self._whole else spacing
        return [(spacing, multiples(spacing, low, high))]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:  # noqa: N802
        """The numbers as text."""
        shown = (10.0**value if self.logMode else value for value in values)
        return [f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}" for value in shown]

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's name
        """Where numbers are drawn: the first and the last are half outside of the axis."""
        rect = super().boundingRect()
        if self.orientation == "left":
            return rect.adjusted(0, -MARGIN_PX, 0, MARGIN_PX)
        return rect.adjusted(-MARGIN_PX, 0, MARGIN_PX, 0)

    def _distance(self, high: float) -> float:
        """Least distance of two numbers in pixels."""
        metrics = QFontMetricsF(QGuiApplication.font())
        if self.orientation in ("left", "right"):
            return _DISTANCE_IN_LINES * float(metrics.height())
        return float(metrics.horizontalAdvance(f"{high:.0f}")) + _GAP_PX


def nice_spacing(least: float) -> float:
    """The smallest of ..., 0.1, 0.2, 0.5, 1, 2, 5, ... that is not less."""
    power = 10.0 ** floor(log10(least))
    return next(m * power for m in (*_MULTIPLES, 10) if m * power >= least * (1 - _ERROR))


def multiples(spacing: float, low: float, high: float) -> list[float]:
    """The multiples of a spacing from one value to another."""
    first, last = ceil(low / spacing - _ERROR), floor(high / spacing + _ERROR)
    return [number * spacing for number in range(first, last + 1)]


def log_ticks(low: float, high: float, distance: float) -> list[float]:
    """Logarithms of round numbers that are no nearer to each other than a distance.

    These are powers of ten, with 2 and 5 times these if there is room, or else, within less than a
    decade, multiples of a round number.

    Parameters
    ----------
    low, high, distance : float
        In powers of ten.
    """
    if distance > log10(2):
        found = multiples(max(1.0, nice_spacing(distance)), low, high)
    else:
        found = [
            decade + log10(multiple)
            for decade in range(floor(low), ceil(high) + 1)
            for multiple in _MULTIPLES
            if low <= decade + log10(multiple) <= high
        ]
    if len(found) > 1:
        return found
    largest = 10.0**high
    spacing = nice_spacing(largest * (1 - 10.0**-distance))
    finer = [log10(value) for value in multiples(spacing, 10.0**low, largest) if value > 0]
    one = multiples(1.0, low, high)[-1:]
    return max((found, finer, one), key=len)
