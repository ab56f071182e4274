"""Small cases with masks for tests of reports and follow-ups."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
from smalltumor.data.case import Case
from smalltumor.geometry.grid import Grid

SHAPE = (64, 72, 40)
AFFINE = np.diag([-2.0, -2.0, 3.0, 1.0])
GRID = Grid(SHAPE, AFFINE)


def brain_case(name: str = "case", grid: Grid = GRID) -> Case:
    """A case of smooth noise in an ellipsoid; T1CE and FLAIR."""
    where = (np.stack(np.indices(grid.shape), axis=-1) - np.array(grid.shape) / 2 + 0.5) / (
        np.array(grid.shape) * 0.42
    )
    brain = np.square(where).sum(-1) <= 1
    rng = np.random.default_rng(5)
    volumes = {
        m: (rng.integers(200, 800, grid.shape) * brain).astype(np.int16) for m in ("t1ce", "flair")
    }
    return Case(name, volumes, grid)


def ball(classes: np.ndarray, centre, radius: float, value: int = 3) -> np.ndarray:
    """Set the voxels of a ball, its radius in voxels, to a tissue class."""
    where = np.stack(np.indices(classes.shape), axis=-1) - np.array(centre)
    classes[np.square(where).sum(-1) <= radius**2] = value
    return classes


def tumour(shape=SHAPE) -> np.ndarray:
    """Tissue classes: a tumour with edema and necrosis at its side, and a small lesion."""
    classes = ball(np.zeros(shape, np.uint8), (22, 30, 20), 9, value=2)
    ball(classes, (22, 30, 20), 6)
    ball(classes, (19, 30, 20), 2, value=1)
    return ball(classes, (42, 40, 22), 1.5)


class Page(HTMLParser):
    """What a page consists of: its text, its rows, and its tags with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_data(self, data):
        last = self.tags[-1][0] if self.tags else "style"
        words = data.split() if last != "style" else []
        if last in ("th", "td"):
            self.rows[-1][-1] += " ".join(words)
        if last == "wbr" and words and not data[0].isspace():
            self.words[-1] += words.pop(0)
        self.words += words

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]
