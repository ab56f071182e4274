"""Volumes and Dice of each region, with samples of both contours."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPixmap
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget
from smalltumor.labels.regions import REGION_COLOURS, REGION_NAMES, Region

from napari_smalltumor.compare.scores import RegionComparison
from napari_smalltumor.layers.reference import REFERENCE_COLOURS

_SAMPLE = (18, 12)
_MINUS = "\u2212"
_NONE = "–"
_TITLES = ("Result", "Reference", "Difference", "Dice")
_TIPS = (
    "Volume of the patient's own region as it is now, and its outline",
    "Volume of the reference, and its contour, which is dashed in the planes",
    "Result minus reference",
    "Overlap: 1 for equal masks, 0 for masks without a common voxel",
)
_COLOURS = {0: REGION_COLOURS, 1: REFERENCE_COLOURS}


class RegionScoresView(QWidget):
    """One row for each region."""

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(0, 1)
        grid.addWidget(QLabel("ml"), 0, 0)
        for column, (title, tip) in enumerate(zip(_TITLES, _TIPS, strict=True), 1):
            heading = QLabel(title)
            heading.setToolTip(tip)
            grid.addWidget(heading, 0, column, Qt.AlignmentFlag.AlignRight)
        self._cells: dict[Region, list[QLabel]] = {}
        for row, region in enumerate(Region, 1):
            name = QLabel(f"<b>{region.name}</b>")
            name.setToolTip(REGION_NAMES[region])
            grid.addWidget(name, row, 0)
            for column, colours in _COLOURS.items():
                sample = _sample(colours[region], dashed=colours is REFERENCE_COLOURS)
                grid.addWidget(sample, row, column + 1, Qt.AlignmentFlag.AlignLeft)
            self._cells[region] = [QLabel() for _ in _TITLES]
            for column, cell in enumerate(self._cells[region], 1):
                grid.addWidget(cell, row, column, Qt.AlignmentFlag.AlignRight)
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
        difference = f"{scores.difference_ml:+.2f}".replace("-", _MINUS)
    return (
        _ml(scores.own_ml),
        _ml(scores.reference_ml),
        difference,
        _NONE if scores.dice is None else f"{scores.dice:.3f}",
    )


def _ml(volume: float | None) -> str:
    return _NONE if volume is None else f"{volume:.2f}"


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
