"""How a volume lies in the viewer: upright axial slices, right side on the left, in mm.

napari draws a layer whose transform turns or swaps axes wrongly in 2D, so a layer holds the
volume's axes in the order (S, P, L) with a positive diagonal scale. Scrolling goes up the head,
rows run to the back, columns to the patient's left: the radiological view.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from smalltumor.geometry import Grid, from_axes, reoriented, to_axes

AXIS_LABELS = ("S", "P", "L")
UNITS = ("mm", "mm", "mm")

_LPS_FROM_RAS = np.array([-1.0, -1.0, 1.0])
_RAS_FROM_SPL = np.array([[0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])

Scalar = TypeVar("Scalar", bound=np.generic)


def to_display(volume: npt.NDArray[Scalar], grid: Grid) -> npt.NDArray[Scalar]:
    """A view of a volume (i, j, k) on the grid, with axes (S, P, L)."""
    return to_axes(volume, grid, "LPS").transpose(2, 1, 0)


def from_display(data: npt.NDArray[Scalar], grid: Grid) -> npt.NDArray[Scalar]:
    """A view (i, j, k) on the grid of a layer's data (S, P, L): undoes `to_display`."""
    return from_axes(data.transpose(2, 1, 0), grid, "LPS")


def display_transform(grid: Grid) -> dict[str, Any]:
    """Layer arguments that put `to_display` of the grid in place.

    World coordinates are mm towards superior, posterior and left. They are the patient's where
    the grid's axes are; for an oblique grid they run along its own axes and agree with the
    patient's at its centre.

    Returns
    -------
    dict
        ``scale``, ``translate``, ``units`` and ``axis_labels``, in the order (S, P, L).
    """
    upright = reoriented(grid, "LPS")
    middle = (np.array(upright.shape) - 1) / 2
    first = _LPS_FROM_RAS * upright.to_patient(middle) - middle * upright.spacing
    return {
        "scale": tuple(float(s) for s in upright.spacing[::-1]),
        "translate": tuple(float(x) for x in first[::-1]),
        "units": UNITS,
        "axis_labels": AXIS_LABELS,
    }


def grid_of_layer(shape: tuple[int, ...], attributes: Mapping[str, Any]) -> Grid:
    """The grid of a layer that another plugin made, its world taken to be mm in S, P, L.

    Parameters
    ----------
    shape : three ints
        Of the layer's data.
    attributes : mapping
        The layer's ``scale``, ``translate``, ``rotate``, ``shear`` and ``affine``, as in a layer
        data tuple.

    Returns
    -------
    Grid
        With array axes as the layer's data.
    """
    from napari.utils.transforms import Affine

    own = {k: attributes[k] for k in ("scale", "translate", "rotate", "shear") if k in attributes}
    local = np.asarray(Affine(ndim=3, **own).affine_matrix)
    further = np.asarray(attributes.get("affine", np.eye(4)), dtype=np.float64)
    return Grid((shape[0], shape[1], shape[2]), _RAS_FROM_SPL @ further @ local)
