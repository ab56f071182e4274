"""Display coordinates: every slice upright and in radiological convention, in mm.

In 2D, napari draws a layer incorrectly if its transform rotates or swaps axes. A layer therefore
holds the volume's axes in the order (I, P, L), with a positive diagonal scale. Rows of napari's
canvas run downwards and columns to the right, so each pair of these axes is an upright view: (P, L)
is axial and (I, L) coronal, both radiological; (I, P) is sagittal with the face on the left. The
axes are right-handed like those of napari's scene, so 3D does not show a mirror image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
from smalltumor.geometry.grid import UPRIGHT_AXES, Grid, from_axes, reoriented, to_axes

if TYPE_CHECKING:
    from napari.layers import Layer

AXIS_LABELS = ("I", "P", "L")
UNITS = ("mm", "mm", "mm")

_RAS_FROM_IPL = np.array([[0, 0, -1, 0], [0, -1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 1.0]])
_RAS_FROM_SPL = np.array([[0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])

Scalar = TypeVar("Scalar", bound=np.generic)


def to_display(volume: npt.NDArray[Scalar], grid: Grid) -> npt.NDArray[Scalar]:
    """Return a view of a volume (i, j, k) on the grid, with axes (I, P, L)."""
    return to_axes(volume, grid, UPRIGHT_AXES).transpose(2, 1, 0)


def from_display(data: npt.NDArray[Scalar], grid: Grid) -> npt.NDArray[Scalar]:
    """Return a view (i, j, k) of a layer's data (I, P, L); the inverse of `to_display`."""
    return from_axes(data.transpose(2, 1, 0), grid, UPRIGHT_AXES)


def display_shape(grid: Grid) -> tuple[int, int, int]:
    """Shape (I, P, L) of the layer data of a volume on the grid."""
    left, posterior, inferior = reoriented(grid, UPRIGHT_AXES).shape
    return inferior, posterior, left


def display_transform(grid: Grid) -> dict[str, Any]:
    """Layer arguments that place the result of `to_display` in world coordinates.

    World coordinates are mm towards inferior, posterior and left: patient coordinates (RAS) in
    reverse order and with the opposite sign. The world axes of an oblique grid are the grid's own
    axes, and world and patient coordinates agree at the grid's centre.

    Returns
    -------
    dict
        ``scale``, ``translate``, ``units`` and ``axis_labels``, in the order (I, P, L).
    """
    upright = reoriented(grid, UPRIGHT_AXES)
    centre = (np.array(upright.shape) - 1) / 2
    first = -upright.to_patient(centre) - centre * upright.spacing
    return {
        "scale": tuple(float(s) for s in upright.spacing[::-1]),
        "translate": tuple(float(x) for x in first[::-1]),
        "units": UNITS,
        "axis_labels": AXIS_LABELS,
    }


def uses_display_axes(layers: Iterable[Layer]) -> bool:
    """Whether any of the layers has the axis labels I, P and L.

    Layers without axis labels are assumed to have the same world axes as the others.
    """
    return any(tuple(layer.axis_labels) == AXIS_LABELS for layer in layers)


def flipped_placement(grid: Grid) -> dict[str, Any]:
    """Scale and translation of `display_transform` for a world whose first axis is S."""
    transform = display_transform(grid)
    return {key: (-transform[key][0], *transform[key][1:]) for key in ("scale", "translate")}


def grid_of_layer(
    shape: tuple[int, ...], attributes: Mapping[str, Any], *, display_axes: bool
) -> Grid:
    """The grid of a layer that another plugin created; its world units are assumed to be mm.

    Parameters
    ----------
    shape : (3,) int
        Shape of the layer's data.
    attributes : mapping
        The layer's ``scale``, ``translate``, ``rotate``, ``shear`` and ``affine``, as in a layer
        data tuple.
    display_axes : bool
        Whether the world axes are (I, P, L), see `uses_display_axes`. Otherwise they are
        (S, P, L), as for the transposed array of a BraTS file.

    Returns
    -------
    Grid
        Its array axes are those of the layer's data.
    """
    from napari.utils.transforms import Affine

    own = {k: attributes[k] for k in ("scale", "translate", "rotate", "shear") if k in attributes}
    local = np.asarray(Affine(ndim=3, **own).affine_matrix)
    affine = np.asarray(attributes.get("affine", np.eye(4)), dtype=np.float64)
    ras_from_world = _RAS_FROM_IPL if display_axes else _RAS_FROM_SPL
    return Grid((shape[0], shape[1], shape[2]), ras_from_world @ affine @ local)


def lies_on(grid: Grid, shape: tuple[int, ...], attributes: Mapping[str, Any]) -> bool:
    """Whether a layer has the shape and the place of the displayed volumes of a grid.

    Parameters
    ----------
    grid : Grid
    shape : three ints
        Shape of the layer's data.
    attributes : mapping
        As for `grid_of_layer`, with ``axis_labels``.
    """
    if tuple(attributes.get("axis_labels") or ()) != AXIS_LABELS:
        return False
    expected = grid_of_layer(display_shape(grid), display_transform(grid), display_axes=True)
    return grid_of_layer(shape, attributes, display_axes=True).matches(expected)
