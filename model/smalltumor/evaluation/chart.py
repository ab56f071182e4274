"""A chart with two axes, drawn with Pillow, which napari and scikit-image bring along."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]

INK: Colour = (38, 38, 44)
GRID: Colour = (226, 226, 230)
SHADE: Colour = (244, 240, 228)

WIDTH, HEIGHT = 960, 600
LEFT, RIGHT, TOP, BOTTOM = 96, 40, 96, 76
_SCALE = 2  # drawn large and shrunk, which smooths every edge


@dataclass(frozen=True)
class Axis:
    """Values along one side of the chart.

    Parameters
    ----------
    low, high : float
        Ends, in the axis's values.
    label : str
    ticks : sequence of (value, text)
    log : bool
        Whether steps are factors; then both ends are above zero.
    """

    low: float
    high: float
    label: str
    ticks: Sequence[tuple[float, str]]
    log: bool = False

    def fraction(self, value: float) -> float:
        """Where a value is, from 0 at the low end to 1 at the high end."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def decades(low: float, high: float, label: str) -> Axis:
    """A logarithmic axis from the power of ten below `low` to the one above `high`."""
    first = math.floor(math.log10(low))
    last = max(math.ceil(math.log10(high)), first + 1)
    ticks = [(10.0**n, f"{10**n:,}".replace(",", " ")) for n in range(first, last + 1)]
    return Axis(10.0**first, 10.0**last, label, ticks, log=True)


@dataclass
class Chart:
    """Draws on a page of `WIDTH` by `HEIGHT` in the values of its axes.

    Parameters
    ----------
    x, y : Axis
    title : str
    """

    x: Axis
    y: Axis
    title: str
    _image: Image.Image = field(init=False, repr=False)
    _pen: ImageDraw.ImageDraw = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._image = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE), "white")
        self._pen = ImageDraw.Draw(self._image)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Position of a value, in points from the page's top left corner."""
        across = LEFT + self.x.fraction(x) * (WIDTH - LEFT - RIGHT)
        down = HEIGHT - BOTTOM - self.y.fraction(y) * (HEIGHT - TOP - BOTTOM)
        return across, down

    def frame(self) -> None:
        """Grid, axes, ticks and labels; what is drawn later lies over them."""
        for value, text in self.y.ticks:
            self.line([(self.x.low, value), (self.x.high, value)], GRID)
            across, down = self.at(self.x.low, value)
            self._text((across - 10, down), text, "rm", 15)
        for value, text in self.x.ticks:
            across, down = self.at(value, self.y.low)
            self._text((across, down + 10), text, "ma", 15)
        self.line([(self.x.low, self.y.low), (self.x.high, self.y.low)], INK)
        self._text((LEFT, 18), self.title, "la", 20)
        self._text((LEFT, 48), self.y.label, "la", 16)
        middle = (LEFT + WIDTH - RIGHT) / 2
        self._text((middle, HEIGHT - 18), self.x.label, "ms", 16)

    def line(self, points: Sequence[tuple[float, float]], colour: Colour, width: int = 1) -> None:
        """Join points given in the axes' values."""
        self._pen.line(self._scaled(points), fill=colour, width=width * _SCALE)

    def box(
        self, x: tuple[float, float], y: tuple[float, float], fill: Colour, edge: Colour | None
    ) -> None:
        """A filled rectangle between values."""
        (left, bottom), (right, top) = self._scaled([(x[0], y[0]), (x[1], y[1])])
        self._pen.rectangle((left, top, right, bottom), fill=fill, outline=edge, width=_SCALE)

    def dot(self, x: float, y: float, fill: Colour, radius: float = 5) -> None:
        """A disc with a dark rim."""
        ((across, down),) = self._scaled([(x, y)])
        size = radius * _SCALE
        corners = (across - size, down - size, across + size, down + size)
        self._pen.ellipse(corners, fill=fill, outline=INK, width=_SCALE)

    def write(self, x: float, y: float, text: str, anchor: str = "mm", lift: float = 0) -> None:
        """Text at a value, raised by some points; anchors are Pillow's."""
        across, down = self.at(x, y)
        self._text((across, down - lift), text, anchor, 14)

    def png(self) -> bytes:
        """The page as a PNG file."""
        page = io.BytesIO()
        small = self._image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        small.save(page, "PNG", optimize=True)
        return page.getvalue()

    def _scaled(self, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(a * _SCALE, d * _SCALE) for a, d in (self.at(*point) for point in points)]

    def _text(self, place: tuple[float, float], text: str, anchor: str, size: int) -> None:
        where = (place[0] * _SCALE, place[1] * _SCALE)
        font = ImageFont.load_default(size * _SCALE)
        self._pen.text(where, text, INK, font=font, anchor=anchor)
