"""Mirroring a volume along its own axes, as a program does that mistakes their directions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from smalltumor.geometry.grid import Grid

Scalar = TypeVar("Scalar", bound=np.generic)

MIRRORINGS = {
    "left to right": "LR",
    "front to back": "AP",
    "left to right and front to back": "LRAP",
    "top to bottom": "SI",
}
"""Directions of the axes along which a volume is flipped. Both at once is a half turn about the
long axis of the body: the difference between the patient coordinates of NIfTI and of DICOM."""


def mirrored(volume: npt.NDArray[Scalar], grid: Grid) -> Iterator[tuple[str, npt.NDArray[Scalar]]]:
    """Yield the name of each of `MIRRORINGS`, and a view (i, j, k) of the volume flipped so.

    In an oblique grid, an axis has the direction it is nearest to.
    """
    for name, directions in MIRRORINGS.items():
        axes = tuple(n for n, code in enumerate(grid.axcodes) if code in directions)
        yield name, np.flip(volume, axes)
