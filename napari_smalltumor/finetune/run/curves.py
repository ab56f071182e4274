"""Curves of a run over its epochs: losses, loss weights and validation Dice."""

from __future__ import annotations

from dataclasses import dataclass

import pyqtgraph as pg
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QPalette
from smalltumor.labels.regions import COLOURS_ON_WHITE, Region
from smalltumor.labels.small_lesions import SMALL_LESION_VOXELS
from smalltumor.training.runs.status import Curve, RunStatus

from napari_smalltumor.finetune.run.plot_axes import MARGIN_PX, PlotAxis

_LINE_WIDTH = 2
_AXIS_WIDTH = 40
_MAX_POINTS_WITH_SYMBOLS = 30


@dataclass(frozen=True)
class _Line:
    """A curve's name in `RunStatus`, its title, and its colour in dark and light themes."""

    name: str
    title: str
    dark: str
    light: str
    dashed: bool = False


_LOSSES = (
    _Line("segmentation", "segmentation", "#4fb3ff", "#0b63b0"),
    _Line("reconstruction", "reconstruction", "#ff9f5a", "#b85200", dashed=True),
)
_WEIGHTS = (
    _Line("segmentation_weight", "segmentation", "#4fb3ff", "#0b63b0"),
    _Line("reconstruction_weight", "reconstruction", "#ff9f5a", "#b85200", dashed=True),
)
_DICE = (
    _Line("et", "ET", "#ffd91a", COLOURS_ON_WHITE[Region.ET]),
    _Line("tc", "TC", "#ff6b6b", COLOURS_ON_WHITE[Region.TC]),
    _Line("wt", "WT", "#4cd07d", COLOURS_ON_WHITE[Region.WT]),
    _Line("small_lesions", "small ET", "#e0e0e0", "#404040", dashed=True),
)
_EMPTY_LOSSES = (-2, 0)
"""Powers of ten between which the axis lies while there is no loss."""

_PLOTS = (("Loss", _LOSSES), ("Weight", _WEIGHTS), ("Dice", _DICE))
"""What a plot shows, and the curves."""


class Curves(pg.GraphicsLayoutWidget):
    """Three plots one below the other; the title of each is its legend."""

    def __init__(self) -> None:
        super().__init__()
        # Transparent and not cached, so that the background follows the theme.
        self.setBackground(None)
        self.setCacheMode(self.CacheModeFlag.CacheNone)
        self.setMinimumHeight(230)
        self.ci.layout.setContentsMargins(0, 0, MARGIN_PX, 0)
        self.ci.layout.setVerticalSpacing(2)
        self.setToolTip(f"Small ET: enhancing lesions below {SMALL_LESION_VOXELS} voxels")
        self._plots: list[pg.PlotItem] = []
        self._curves: dict[str, pg.PlotDataItem] = {}
        for number, (_, lines) in enumerate(_PLOTS):
            self._add_plot(number, lines)
        self.restyle()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Smaller than pyqtgraph's 640 by 480 pixels, for which the dock would grow or scroll."""
        return QSize(300, 260)

    def show_status(self, status: RunStatus) -> None:
        """Draw the curves of a run."""
        curves = {**status.losses, **status.scores}
        for name, curve in curves.items():
            self._draw(name, curve)
        if status.losses:
            self._plots[0].enableAutoRange(axis="y")
        last_epoch = max((x for xs, _ in curves.values() for x in xs), default=1.0)
        self._plots[0].setXRange(0, max(1.0, last_epoch), padding=0.02)

    def points(self, name: str) -> int:
        """Number of points of a curve."""
        x, _ = self._curves[name].getData()
        return 0 if x is None else len(x)

    def restyle(self) -> None:
        """Apply the colours of the current theme."""
        palette = self.palette()
        ink = palette.color(QPalette.ColorRole.WindowText)
        dark = ink.lightness() > 127
        for plot, (shown, lines) in zip(self._plots, _PLOTS, strict=True):
            titles = [f"<span style='color:{ink.name()}'>{shown}:</span>"]
            for line in lines:
                colour = line.dark if dark else line.light
                titles.append(f"<span style='color:{colour}'>{line.title}</span>")
                self._apply_colour(line, colour)
            plot.setTitle(" &nbsp;".join(titles), size="9pt")
            for side in ("left", "bottom"):
                plot.getAxis(side).setPen(QColor(ink))
                plot.getAxis(side).setTextPen(QColor(ink))
        self.viewport().update()

    def _add_plot(self, number: int, lines: tuple[_Line, ...]) -> None:
        axes = {"left": PlotAxis("left"), "bottom": PlotAxis("bottom", whole=True)}
        plot = self.addPlot(row=number, col=0, axisItems=axes)
        plot.setMenuEnabled(False)
        plot.setMouseEnabled(x=False, y=False)
        plot.hideButtons()
        plot.showGrid(y=True, alpha=0.25)
        plot.getAxis("left").setWidth(_AXIS_WIDTH)
        last = number == len(_PLOTS) - 1
        plot.getAxis("bottom").setStyle(showValues=last)
        if last:
            plot.setLabel("bottom", "Epoch")
        if lines is _LOSSES:  # those of the two tasks differ by a factor of ten or more
            plot.setLogMode(y=True)
            plot.setYRange(*_EMPTY_LOSSES)
        else:
            plot.setYRange(0, 1.04, padding=0)
        if self._plots:
            plot.setXLink(self._plots[0])
        self._plots.append(plot)
        for line in lines:
            self._curves[line.name] = plot.plot([], [], antialias=True)

    def _draw(self, name: str, curve: Curve) -> None:
        if name in self._curves:
            x, y = curve
            self._curves[name].setData(x, y)
            self._curves[name].setSymbol("o" if len(x) < _MAX_POINTS_WITH_SYMBOLS else None)

    def _apply_colour(self, line: _Line, colour: str) -> None:
        style = Qt.PenStyle.DashLine if line.dashed else Qt.PenStyle.SolidLine
        curve = self._curves[line.name]
        curve.setPen(pg.mkPen(colour, width=_LINE_WIDTH, style=style))
        curve.setSymbolBrush(colour)
        curve.setSymbolPen(None)
        curve.setSymbolSize(5)
