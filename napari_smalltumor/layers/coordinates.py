"""Display coordinates: every slice upright and radiological, in mm.

napari draws a layer whose transform rotates or swaps axes wrongly in 2D, so a layer holds the
volume's axes in the order (I, P, L) with a positive diagonal scale. Rows of napari's canvas run
downwards and columns to the right, so that each pair of these axes is an upright view: P and L the
radiological axial one, I and L the radiological coronal one, I and P the sagittal one with the
face on the left. The three are right-handed like napari's scene: 3D shows no mirror image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
from smalltumor.geometry.grid import Grid, from_axes, reoriented, to_axes

if TYPE_CHECKING:
    from napari.layers import Layer

AXIS_LABELS = ("I", "P", "L")
UNITS = ("mm", "mm", "mm")

AXES = "LPI"
"""A layer's axes from the last to the first, as `smalltumor.geometry.grid` names directions."""

_RAS_FROM_IPL = np.array([[0, 0, -1, 0], [0, -1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 1.0]])
_RAS_FROM_SPL = np.array([[0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])

Scalar = TypeVar("Scalar", bound=np.generic)


def to_display(volume: npt.NDArray[Scalar], grid: Grid) -> npt.NDArray[Scalar]:
    """A view of a volume (i, j, k) on the grid, with axes (I, P, L)."""
    return to_axes(volume, grid, AXES).transpose(2, 1, 0)


def from_display(data: npt.NDArray[Scalar], grid: Grid) -> npt.NDArray[Scalar]:
    """A view (i, j, k) on the grid of a layer's data (I, P, L): undoes `to_display`."""
    return from_axes(data.transpose(2, 1, 0), grid, AXES)


def display_shape(grid: Grid) -> tuple[int, int, int]:
    """Shape (I, P, L) of a volume on the grid in the viewer."""
    left, posterior, inferior = reoriented(grid, AXES).shape
    return inferior, posterior, left


def display_transform(grid: Grid) -> dict[str, Any]:
    """Layer arguments that put `to_display` of the grid in place.

    World coordinates are mm towards inferior, posterior and left: those of the patient (RAS) in
    reverse order and with the opposite sign. For an oblique grid they run along its own axes and
    agree with the patient's at its centre.

    Returns
    -------
    dict
        ``scale``, ``translate``, ``units`` and ``axis_labels``, in the order (I, P, L).
    """
    upright = reoriented(grid, AXES)
    middle = (np.array(upright.shape) - 1) / 2
    first = -upright.to_patient(middle) - middle * upright.spacing
    return {
        "scale": tuple(float(s) for s in upright.spacing[::-1]),
        "translate": tuple(float(x) for x in first[::-1]),
        "units": UNITS,
        "axis_labels": AXIS_LABELS,
    }


def uses_display_axes(layers: Iterable[Layer]) -> bool:
    """Whether a layer among these says that the world's axes are I, P and L.

    A layer without axis labels is taken to lie in the same world as the others.
    """
    return any(tuple(layer.axis_labels) == AXIS_LABELS for layer in layers)


def flipped_placement(grid: Grid) -> dict[str, Any]:
    """Scale and translation as in `display_transform`, in a world whose first axis is S."""
    place = display_transform(grid)
    return {key: (-place[key][0], *place[key][1:]) for key in ("scale", "translate")}


def grid_of_layer(
    shape: tuple[int, ...], attributes: Mapping[str, Any], *, display_axes: bool
) -> Grid:
    """The grid of a layer that another plugin made, its world taken to be in mm.

    Parameters
    ----------
    shape : three ints
        Of the layer's data.
    attributes : mapping
        The layer's ``scale``, ``translate``, ``rotate``, ``shear`` and ``affine``, as in a layer
        data tuple.
    display_axes : bool
        Whether the world's axes are I, P, L, see `uses_display_axes`; else S, P, L, as in an array
        that was read from a BraTS file and transposed.

    Returns
    -------
    Grid
        With array axes as the layer's data.
    """
    from napari.utils.transforms import Affine

    own = {k: attributes[k] for k in ("scale", "translate", "rotate", "shear") if k in attributes}
    local = np.asarray(Affine(ndim=3, **own).affine_matrix)
    further = np.asarray(attributes.get("affine", np.eye(4)), dtype=np.float64)
    world = _RAS_FROM_IPL if display_axes else _RAS_FROM_SPL
    return Grid((shape[0], shape[1], shape[2]), world @ further @ local)
