"""Volumes as SimpleITK images, and transforms between both axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from smalltumor.errors import CaseError
from smalltumor.extras import require
from smalltumor.geometry.grid import LPS_TO_RAS, Affine, Grid
from smalltumor.scanner.shear import shear_problem


def simpleitk() -> Any:
    """The module SimpleITK.

    Raises
    ------
    MissingPackageError
    """
    return require("SimpleITK", "registration")


def to_sitk(data: npt.NDArray[np.generic], grid: Grid) -> Any:
    """A volume, (i, j, k) on `grid`, as a SimpleITK image of float32 (bool becomes uint8).

    Raises
    ------
    CaseError
        If the grid is sheared, which ITK cannot express.
    """
    sitk = simpleitk()
    affine = LPS_TO_RAS @ grid.affine
    direction = affine[:3, :3] / grid.spacing
    if problem := shear_problem(grid):
        raise CaseError(f"an image cannot be used: {problem}")
    left, _, right = np.linalg.svd(direction)
    values = data.astype(np.uint8 if data.dtype == bool else np.float32)
    image = sitk.GetImageFromArray(np.ascontiguousarray(values.T))
    image.SetSpacing([float(s) for s in grid.spacing])
    image.SetOrigin([float(x) for x in affine[:3, 3]])
    image.SetDirection([float(d) for d in (left @ right).ravel()])
    return image


def matrix_of(transform: Any) -> Affine:
    """A rigid SimpleITK transform as a (4, 4) matrix between patient coordinates in mm, RAS."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(transform.GetMatrix(), (3, 3))
    centre = np.array(transform.GetCenter())
    matrix[:3, 3] = np.array(transform.GetTranslation()) + centre - matrix[:3, :3] @ centre
    return np.asarray(LPS_TO_RAS @ matrix @ LPS_TO_RAS)


def transform_of(matrix: Affine) -> Any:
    """The SimpleITK transform of a (4, 4) matrix between patient coordinates in mm, RAS."""
    own = LPS_TO_RAS @ matrix @ LPS_TO_RAS
    transform = simpleitk().AffineTransform(3)
    transform.SetMatrix([float(x) for x in own[:3, :3].ravel()])
    transform.SetTranslation([float(x) for x in own[:3, 3]])
    return transform
