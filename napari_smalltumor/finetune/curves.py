"""Live curves of a run: losses, task weights, validation Dice, over epochs."""

from __future__ import annotations

from dataclasses import dataclass

import pyqtgraph as pg
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QWidget
from smalltumor.labels.regions import SMALL_LESION_VOXELS
from smalltumor.training.runs.monitor import Curve, RunStatus

_WIDTH = 2
_AXIS_WIDTH = 34
_FEW = 30


@dataclass(frozen=True)
class _Line:
    """A curve's name in a status, its title, and its colour on dark and on light ground."""

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
_SCORES = (
    _Line("et", "ET", "#ffd91a", "#9a7b00"),
    _Line("tc", "TC", "#ff6b6b", "#c01f1f"),
    _Line("wt", "WT", "#4cd07d", "#1d8a48"),
    _Line("small_lesions", "small", "#e0e0e0", "#404040", dashed=True),
)
_PLOTS = (("Loss", _LOSSES), ("Task weight", _WEIGHTS), ("Dice on held-out cases", _SCORES))


class Curves(pg.GraphicsLayoutWidget):
    """Three plots under each other, their titles in the colours of their curves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setBackground(None)
        self.setCacheMode(
            self.CacheModeFlag.CacheNone
        )  # the window's own ground, whatever its theme
        self.setMinimumHeight(230)
        self.ci.layout.setContentsMargins(0, 0, 0, 0)
        self.ci.layout.setVerticalSpacing(2)
        self.setToolTip(f"small: enhancing lesions below {SMALL_LESION_VOXELS} voxels")
        self._plots: list[pg.PlotItem] = []
        self._curves: dict[str, pg.PlotDataItem] = {}
        for number, (_, lines) in enumerate(_PLOTS):
            self._add_plot(number, lines)
        self.restyle()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """No wider than the dock has to be; pyqtgraph would ask for 640 pixels."""
        return QSize(300, 320)

    def show_status(self, status: RunStatus) -> None:
        """Draw a run's curves; with one point, the point."""
        curves = {**status.losses, **status.scores}
        for name, curve in curves.items():
            self._draw(name, curve)
        reached = max((x for xs, _ in curves.values() for x in xs), default=1.0)
        self._plots[0].setXRange(0, max(1.0, reached), padding=0.02)

    def points(self, name: str) -> int:
        """How many points a curve shows."""
        x, _ = self._curves[name].getData()
        return 0 if x is None else len(x)

    def restyle(self) -> None:
        """Take the colours of the window's theme."""
        palette = self.palette()
        ink = palette.color(QPalette.ColorRole.WindowText)
        dark = ink.lightness() > 127
        for plot, (title, lines) in zip(self._plots, _PLOTS, strict=True):
            words = [f"<span style='color:{ink.name()}'>{title}:</span>"]
            for line in lines:
                colour = line.dark if dark else line.light
                words.append(f"<span style='color:{colour}'>{line.title}</span>")
                self._colour(line, colour)
            plot.setTitle(" &nbsp;".join(words), size="9pt")
            for side in ("left", "bottom"):
                plot.getAxis(side).setPen(QColor(ink))
                plot.getAxis(side).setTextPen(QColor(ink))
        self.viewport().update()

    def _add_plot(self, number: int, lines: tuple[_Line, ...]) -> None:
        plot = self.addPlot(row=number, col=0)
        plot.setMenuEnabled(False)
        plot.setMouseEnabled(x=False, y=False)
        plot.hideButtons()
        plot.showGrid(y=True, alpha=0.25)
        plot.getAxis("left").setWidth(_AXIS_WIDTH)
        last = number == len(_PLOTS) - 1
        plot.getAxis("bottom").setStyle(showValues=last)
        if lines is _LOSSES:  # of the two tasks: they differ by a power of ten
            plot.setLogMode(y=True)
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
            self._curves[name].setSymbol("o" if len(x) < _FEW else None)

    def _colour(self, line: _Line, colour: str) -> None:
        style = Qt.PenStyle.DashLine if line.dashed else Qt.PenStyle.SolidLine
        curve = self._curves[line.name]
        curve.setPen(pg.mkPen(colour, width=_WIDTH, style=style))
        curve.setSymbolBrush(colour)
        curve.setSymbolPen(None)
        curve.setSymbolSize(5)
