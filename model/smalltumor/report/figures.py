"""Pictures of slices with contours that can be told apart in grey, drawn with matplotlib."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from smalltumor.data.brain.background import Background, surroundings
from smalltumor.extras import require
from smalltumor.labels.regions import REGION_COLOURS, Region
from smalltumor.report.slices import Image, Slice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINE_STYLES: Mapping[Region, str] = {
    Region.ET: "solid",
    Region.TC: "dashed",
    Region.WT: "dotted",
}
"""How contours can be told apart in grey, and by people with colour blindness; their colours are
those of the window."""

Point = tuple[float, float]

_DRAWN = (Region.WT, Region.ET, Region.TC)
"""From below to the top: where ET and TC have one outline, dashes lie on the solid line."""

_DPI = 250
_SMALL_DPI, _SMALL_QUALITY = 130, 85
_MM_PER_INCH = 100.0
_THUMBNAIL_INCHES = 1.1
_BAR_MM, _SMALL_BAR_MM = 50.0, 10.0
_ARROW_MM, _ARROW_GAP_MM = 9.0, 1.5
_CORNERS = ((-1, 1), (-1, -1), (1, 1), (1, -1))
"""Directions (row, column) that an arrow may come from, the first ones preferably."""
_WINDOW_PERCENTILES = (1.0, 99.2)


@dataclass(frozen=True)
class Picture:
    """A picture of a page.

    Parameters
    ----------
    source : str
        The PNG or JPEG as a ``data:`` URL.
    alternative : str
        What it shows, for readers who do not see it.
    caption : str
    width : float
        In mm of the patient.
    """

    source: str
    alternative: str
    caption: str
    width: float


def window_of(image: Image) -> tuple[float, float]:
    """Intensities of an image (i, j, k) to show as black and white: percentiles of the head."""
    head = _head_of(image)
    if not head.size:
        return 0.0, 1.0
    low, high = np.percentile(head, _WINDOW_PERCENTILES)
    return float(low), float(max(high, low + 1e-6))


def window_as_of(image: Image, other: Image) -> tuple[float, float]:
    """The window of another image of the head, scaled so that the medians are equally grey.

    Percentiles of two scans differ with the size of the tumour and with the edge of the brain; its
    median hardly does.
    """
    low, high = window_of(other)
    medians = [
        float(np.median(head)) if head.size else 0.0 for head in map(_head_of, (image, other))
    ]
    if low < 0 or min(medians) <= 0:
        return window_of(image)
    factor = medians[0] / medians[1]
    return low * factor, high * factor


def _head_of(image: Image) -> npt.NDArray[np.float64]:
    """Intensities of a subsample of the head."""
    around = surroundings(image)
    coarse = image[around.box][::3, ::3, ::3]
    return np.asarray(coarse[Background(around.levels).differs(coarse)], dtype=np.float64)


def picture_of_slice(
    shown: Slice,
    window: tuple[float, float],
    title: str,
    regions: Sequence[Region] = tuple(Region),
) -> Picture:
    """A whole slice with contours, orientation letters and a scale bar of 5 cm.

    Parameters
    ----------
    shown : Slice
    window : (float, float)
        Intensities that are black and white.
    title : str
        Name of the sequence.
    regions : sequence of Region
        Those with contours.
    """
    shown = shown.without_background(*window)
    height, width = shown.size_mm
    figure, axes = _empty_figure(width / _MM_PER_INCH, height / _MM_PER_INCH)
    _draw(axes, shown, window, regions)
    _draw_letters(axes, shown.letters)
    _draw_bar(axes, shown, _BAR_MM)
    names = ", ".join(r.upper() for r in regions if shown.regions[r].any())
    caption = f"{title}, {shown.plane} {shown.number}"
    drawn = f"with contours of {names}" if names else "without contours"
    return Picture(_png(figure), f"{caption}, {drawn}", caption, width)


def picture_of_lesion(
    shown: Slice, window: tuple[float, float], name: str, caption: str
) -> Picture:
    """A small picture with the contour of ET, an arrow at the lesion, letters and a bar of 1 cm."""
    figure, axes = _empty_figure(_THUMBNAIL_INCHES, _THUMBNAIL_INCHES)
    _draw(axes, shown, window, [Region.ET])
    _draw_arrow(axes, shown)
    _draw_letters(axes, shown.letters)
    _draw_bar(axes, shown, _SMALL_BAR_MM)
    alternative = f"{name} in axial slice {shown.number}"
    return Picture(_png(figure), alternative, caption, shown.size_mm[1])


def small_picture_of_slice(
    shown: Slice, window: tuple[float, float], alternative: str, caption: str
) -> Picture:
    """A whole slice with all contours, small in bytes; an arrow points at its lesion, if any.

    Parameters
    ----------
    shown : Slice
    window : (float, float)
        Intensities that are black and white.
    alternative, caption : str
    """
    shown = shown.without_background(*window)
    height, width = shown.size_mm
    figure, axes = _empty_figure(width / _MM_PER_INCH, height / _MM_PER_INCH)
    _draw(axes, shown, window, tuple(Region))
    _draw_arrow(axes, shown)
    content = io.BytesIO()
    options = {"quality": _SMALL_QUALITY}
    figure.savefig(content, format="jpeg", dpi=_SMALL_DPI, pil_kwargs=options)
    return Picture(data_url(content.getvalue(), "jpeg"), alternative, caption, width)


def data_url(content: bytes, kind: str = "png") -> str:
    """A PNG or JPEG file as a ``data:`` URL."""
    return f"data:image/{kind};base64," + base64.b64encode(content).decode()


def png_of(figure: Figure, dpi: int = _DPI) -> bytes:
    """A figure as a PNG file."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=dpi, metadata={"Software": None})
    return content.getvalue()


def new_figure(width: float, height: float, **options: Any) -> Figure:
    """An empty figure of a size in inches.

    Raises
    ------
    MissingPackageError
        If matplotlib is not installed.
    """
    figure: Figure = require("matplotlib.figure", "a report", extra="report").Figure(
        figsize=(width, height), **options
    )
    return figure


def _png(figure: Figure) -> str:
    return data_url(png_of(figure))


def _empty_figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = new_figure(width, height, facecolor="black")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    return figure, axes


def _draw(axes: Axes, shown: Slice, window: tuple[float, float], regions: Sequence[Region]) -> None:
    low, high = window
    axes.imshow(
        shown.image,
        cmap="gray",
        vmin=low,
        vmax=high,
        aspect=shown.pixel_mm[0] / shown.pixel_mm[1],
        interpolation="bilinear",
    )
    for region in (r for r in _DRAWN if r in regions):
        mask = shown.regions[region]
        colour, style = REGION_COLOURS[region], LINE_STYLES[region]
        if mask.any():
            padded = np.pad(mask.astype(float), 1)  # closed contours at the edge of the picture
            rows, columns = (np.arange(-1, n + 1) for n in mask.shape)
            lines = axes.contour(
                columns, rows, padded, [0.5], colors=[colour], linestyles=[style], linewidths=0.8
            )
            lines.set(path_effects=[_dark_edge()])
    axes.set_xlim(-0.5, shown.image.shape[1] - 0.5)
    axes.set_ylim(shown.image.shape[0] - 0.5, -0.5)


def _draw_arrow(axes: Axes, shown: Slice) -> None:
    """An arrow whose tip is beside the lesion, on the side where it hides the least of others."""
    arrow = arrow_of(shown)
    if arrow is None:
        return
    start, tip = arrow
    axes.annotate(
        "",
        xy=(tip[1], tip[0]),
        xytext=(start[1], start[0]),
        arrowprops={
            "arrowstyle": "simple, head_length=.45, head_width=.45, tail_width=.16",
            "facecolor": "white",
            "edgecolor": "black",
            "linewidth": 0.4,
            "shrinkA": 0,
            "shrinkB": 0,
        },
    )


def arrow_of(shown: Slice) -> tuple[Point, Point] | None:
    """Start and tip (row, column) of the arrow that points at the lesion of a slice.

    It comes from a corner. None without a lesion in the slice, or if the lesion leaves no place.
    """
    if shown.lesion is None or not shown.lesion.any():
        return None
    pixel = np.array(shown.pixel_mm)
    places = np.argwhere(shown.lesion) * pixel
    centre = places.mean(axis=0)
    others = shown.regions[Region.ET] & ~shown.lesion
    arrows = []
    for direction in (np.array(corner) / np.sqrt(2) for corner in _CORNERS):
        edge = max(0.0, float(((places - centre) @ direction).max()))
        along = edge + _ARROW_GAP_MM + np.linspace(0, _ARROW_MM, 24)
        line = (centre + along[:, None] * direction) / pixel
        at = np.rint(line).astype(int)
        if (at >= 0).all() and (at < shown.lesion.shape).all():
            hidden = np.count_nonzero(others[tuple(at.T)])
            arrows.append((hidden, tuple(map(float, line[-1])), tuple(map(float, line[0]))))
    if not arrows:
        return None
    _, start, tip = min(arrows, key=lambda arrow: arrow[0])
    return (start[0], start[1]), (tip[0], tip[1])


def _draw_letters(axes: Axes, letters: tuple[str, str, str, str]) -> None:
    places = ((0.02, 0.5), (0.98, 0.5), (0.5, 0.98), (0.5, 0.02))
    aligned = (("left", "center"), ("right", "center"), ("center", "top"), ("center", "bottom"))
    for letter, (x, y), (across, along) in zip(letters, places, aligned, strict=True):
        style: dict[str, Any] = {"color": "white", "fontsize": 6, "path_effects": [_dark_edge()]}
        axes.text(x, y, letter, transform=axes.transAxes, ha=across, va=along, **style)


def _draw_bar(axes: Axes, shown: Slice, mm: float) -> None:
    rows, columns = shown.image.shape
    start, stop = 0.03 * columns, 0.03 * columns + mm / shown.pixel_mm[1]
    edge = [_dark_edge()]
    axes.plot([start, stop], [rows * 0.97] * 2, color="white", linewidth=1, path_effects=edge)
    text = f"{mm / 10:.0f} cm"
    axes.text(start, rows * 0.95, text, color="white", fontsize=5, va="bottom", path_effects=edge)


def _dark_edge() -> Any:
    """A dark edge of a line or letter: bright tissue hides a bright one."""
    effects = require("matplotlib.patheffects", "a report", extra="report")
    return effects.withStroke(linewidth=1.6, foreground="black")
