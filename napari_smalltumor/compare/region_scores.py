"""Volumes and Dice of each region, with samples of both contours."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPixmap
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget
from smalltumor.labels.regions import REGION_COLOURS, REGION_NAMES, Region
from smalltumor.text import volume_text

from napari_smalltumor.compare.scores import RegionComparison
from napari_smalltumor.layers.masks.reference import REFERENCE_COLOURS

_SAMPLE = (18, 12)
_MINUS = "\u2212"
_NONE = "–"
_TITLES = ("Result", "Reference", "Difference", "Dice")
_TIPS = (
    "Volume of the region as it is now, and the colour of its outline",
    "Volume of the reference, and its contour, dashed in the planes",
    "Result minus reference",
    "Overlap: 1 for equal masks, 0 for masks that share no voxel",
)
_LAST_COLUMNS = (2, 4, 5, 6)
"""Columns of the values; a volume has a sample of its contour on its left."""

_COLOURS = {2: REGION_COLOURS, 4: REFERENCE_COLOURS}


class RegionScoresView(QWidget):
    """One row for each region."""

    def __init__(self) -> None:
        super().__init__()
        self.setStyleSheet("QLabel { padding: 0px; }")  # napari's is too wide for seven columns
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(3)
        grid.addWidget(QLabel("ml"), 0, 0)
        for last, title, tip in zip(_LAST_COLUMNS, _TITLES, _TIPS, strict=True):
            heading = QLabel(title)
            heading.setToolTip(tip)
            grid.setColumnStretch(last, 1)
            first = last - 1 if last in _COLOURS else last
            grid.addWidget(heading, 0, first, 1, last - first + 1, Qt.AlignmentFlag.AlignRight)
        self._cells: dict[Region, list[QLabel]] = {}
        for row, region in enumerate(Region, 1):
            name = QLabel(f"<b>{region.name}</b>")
            name.setToolTip(REGION_NAMES[region])
            grid.addWidget(name, row, 0)
            for last, colours in _COLOURS.items():
                sample = _sample(colours[region], dashed=colours is REFERENCE_COLOURS)
                grid.addWidget(sample, row, last - 1)
            self._cells[region] = [QLabel() for _ in _TITLES]
            for last, cell in zip(_LAST_COLUMNS, self._cells[region], strict=True):
                grid.addWidget(cell, row, last, Qt.AlignmentFlag.AlignRight)
        self.show_scores({})

    def show_scores(self, scores: Mapping[Region, RegionComparison]) -> None:
        """Show the scores of each region; a dash stands for a value that is not known."""
        for region, cells in self._cells.items():
            texts = _texts(scores.get(region, RegionComparison(None, None)))
            for cell, text in zip(cells, texts, strict=True):
                cell.setText(text)

    def text(self, region: Region) -> list[str]:
        """The cells of a region: both volumes, their difference, and Dice."""
        return [cell.text() for cell in self._cells[region]]


def _texts(scores: RegionComparison) -> tuple[str, str, str, str]:
    difference = _NONE
    if scores.difference_ml is not None:
        sign = _MINUS if scores.difference_ml < 0 else "+"
        difference = f"{sign}{volume_text(abs(scores.difference_ml))}"
    return (
        _ml(scores.segmentation_ml),
        _ml(scores.reference_ml),
        difference,
        _NONE if scores.dice is None else f"{scores.dice:.3f}",
    )


def _ml(volume: float | None) -> str:
    return _NONE if volume is None else volume_text(volume)


def _sample(colour: tuple[float, float, float], *, dashed: bool) -> QLabel:
    """A piece of a contour on black, as on the images."""
    width, height = _SAMPLE
    picture = QPixmap(width, height)
    picture.fill(QColor(0, 0, 0))
    painter = QPainter(picture)
    pen = QPen(QColor.fromRgbF(*colour), 3)
    if dashed:
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pen.setDashPattern((1.6, 1.1))
    painter.setPen(pen)
    painter.drawLine(1, height // 2, width - 1, height // 2)
    painter.end()
    label = QLabel()
    label.setPixmap(picture)
    return label
