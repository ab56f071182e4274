"""Surfaces of masks as shaded points, and their projection onto a picture.

A volume renderer needs a graphics card: without one, napari's takes seconds for a picture of a
head. A surface has some ten thousand points, and numpy projects these in some milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from smalltumor.geometry.boxes import bounding_box

from napari_smalltumor.planes.placement import Placement

_SMOOTHING_VOXELS = 1.2
"""Of the mask, whose gradient is the normal of the surface."""

_AMBIENT = 0.35
"""Brightness of a surface that faces away from the light, from 0 to 1."""

_ROUNDING_PIXELS = 1e-3
"""By how much more than the side of a cube neighbours may seem to lie apart, as computed."""


@dataclass(frozen=True, eq=False)
class Surface:
    """The surface of a mask.

    Parameters
    ----------
    points : (point, 3) float array
        World coordinates.
    normals : (point, 3) float array
        Unit vectors that point outwards.
    spacing : float
        Largest distance between neighbouring points along an axis, in mm.
    """

    points: npt.NDArray[np.float32]
    normals: npt.NDArray[np.float32]
    spacing: float


def surface_of(mask: npt.NDArray[np.bool_], placement: Placement) -> Surface:
    """The surface of a mask.

    Parameters
    ----------
    mask : (I, P, L) bool array
    placement : Placement
    """
    step = placement.step
    if not mask.any():
        empty = np.zeros((0, 3), np.float32)
        return Surface(empty, empty, float(np.abs(step).max()))
    box = bounding_box(mask)
    cropped = np.pad(mask[box], 2)
    first = placement.first + step * ([part.start for part in box] - np.array([2, 2, 2]))
    voxels = np.argwhere(cropped & ~ndimage.binary_erosion(cropped))
    smooth = ndimage.gaussian_filter(cropped.astype(np.float32), _SMOOTHING_VOXELS)
    where = tuple(voxels.T)
    gradient = [-np.gradient(smooth, axis=axis)[where] / step[axis] for axis in range(3)]
    normals = np.stack(gradient, axis=-1)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
    points = first + voxels * step
    return Surface(points.astype(np.float32), normals.astype(np.float32), float(np.abs(step).max()))


def view_axes(yaw: float, pitch: float) -> npt.NDArray[np.float64]:
    """Directions to the right, down and away from the viewer, in world coordinates.

    Parameters
    ----------
    yaw, pitch : float
        Degrees by which the head is turned to the side and tilted; at 0 its face is in front.

    Returns
    -------
    (3, 3) float array
        One direction in each row. The patient's left is on the right.
    """
    y, p = np.radians([yaw, pitch])
    right = np.array([0.0, np.sin(y), np.cos(y)])
    away = np.array([0.0, np.cos(y), -np.sin(y)])
    down = np.array([1.0, 0.0, 0.0])
    tilted_down = np.cos(p) * down - np.sin(p) * away
    tilted_away = np.cos(p) * away + np.sin(p) * down
    return np.stack([right, tilted_down, tilted_away])


def shade(
    surface: Surface,
    axes: npt.NDArray[np.float64],
    centre: npt.NDArray[np.float64],
    scale: float,
    size: tuple[int, int],
) -> npt.NDArray[np.float32]:
    """Brightness of the surface on a picture, 0 where it is not seen.

    Parameters
    ----------
    surface : Surface
    axes : (3, 3) float array
        From `view_axes`.
    centre : (3,) float array
        World coordinates in the middle of the picture.
    scale : float
        Pixels for each mm.
    size : (int, int)
        Height and width.

    Returns
    -------
    (row, column) float array
        From 0 to 1.
    """
    height, width = size
    picture = np.zeros(size, np.float32)
    across, down, away = ((surface.points - centre) @ axes.T.astype(np.float32)).T
    facing = -(surface.normals @ axes[2].astype(np.float32))
    seen = facing > 0
    order = np.argsort(-away[seen])  # the nearest last, which replaces those behind it
    columns = across[seen][order] * scale + width / 2
    rows = down[seen][order] * scale + height / 2
    light = _AMBIENT + (1 - _AMBIENT) * facing[seen][order]
    # As large as the cube of a point, which meets those of its neighbours, also across an edge.
    high, wide = (surface.spacing * scale * np.abs(axes[n]).sum() for n in (1, 0))
    pixels = (np.arange(int(np.ceil(side + _ROUNDING_PIXELS))) for side in (high, wide))
    offsets = np.stack(np.meshgrid(*pixels, indexing="ij"), axis=-1).reshape(-1, 2)
    # The first pixel of each rectangle is rounded, and not each pixel, which would leave gaps.
    first_row, first_column = (
        np.floor(middle - side / 2 + 0.5).astype(np.int32)
        for middle, side in ((rows, high), (columns, wide))
    )
    all_rows = (first_row[:, None] + offsets[:, 0]).ravel()
    all_columns = (first_column[:, None] + offsets[:, 1]).ravel()
    inside = (all_rows >= 0) & (all_rows < height) & (all_columns >= 0) & (all_columns < width)
    picture[all_rows[inside], all_columns[inside]] = np.repeat(light, len(offsets))[inside]
    return picture
