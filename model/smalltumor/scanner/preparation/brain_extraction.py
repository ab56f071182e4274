"""Brain extraction with the networks of deepbet, and images that need none.

Fisch et al., deepbet: Fast brain extraction of T1-weighted MRI using convolutional neural networks
(2024, doi 10.1016/j.compbiomed.2024.108845). The weights lie in its package (MIT): nothing is
downloaded. They are TorchScript files, which torch reads without executing Python code from them.
The package's own functions are not used: they would import pandas and write files.
"""

from __future__ import annotations

import warnings
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from smalltumor.data.brain.background import fill_holes
from smalltumor.data.brain.coarse_images import coarse_images
from smalltumor.data.input_checks.checks import MAX_BRAIN_ML
from smalltumor.errors import Action, CaseError, Remedy
from smalltumor.extras import MissingPackageError
from smalltumor.geometry.grid import Grid, from_axes, to_axes
from smalltumor.geometry.resampling import resample_labels

if TYPE_CHECKING:
    from smalltumor.data.volumes.nifti import Volume
    from smalltumor.labels.masks import Mask

Probabilities = npt.NDArray[np.float32]

_AXES = "RAS"
_COARSE_SHAPE = (128, 128, 128)
_FINE_SHAPE = (256, 256, 256)
"""Inputs of the two networks: the whole head, and the box around the brain found in it."""

_MARGIN = 0.1
"""Margin around the coarse brain, on each side, as a share of its size."""

_QUANTILES = (0.005, 0.995)
"""Of the intensities of the head, which become 0 and 1."""

_MEAN, _DEVIATION = 0.449, 0.226
"""Of the intensities that the networks were trained on."""

_MIN_SHARE = 0.02
"""Share of a plane that is brain, above which the plane belongs to the coarse brain's box."""


def is_stripped(image: npt.NDArray[np.generic], grid: Grid) -> bool:
    """Whether an image shows a brain alone: what differs from the background is no larger.

    Parameters
    ----------
    image : (i, j, k) array of finite values
    grid : Grid
    """
    return foreground_ml(image, grid) <= MAX_BRAIN_ML


def foreground_ml(image: npt.NDArray[np.generic], grid: Grid) -> float:
    """Volume in ml of what differs from the background of an image (i, j, k): head or brain."""
    coarse = coarse_images({"": image}, grid.spacing)
    (mask,) = coarse.brain_masks.values()
    return float(np.count_nonzero(mask)) * coarse.voxel_volume(grid) / 1000


def brain_probability(image: npt.NDArray[np.generic], grid: Grid) -> Probabilities:
    """Probability that a voxel belongs to the brain, best for T1-weighted images.

    A first network finds the brain's box at 128 x 128 x 128 voxels, a second one the brain in the
    box at 256 x 256 x 256.

    Parameters
    ----------
    image : (i, j, k) array on `grid`
        A head; any intensities.
    grid : Grid

    Returns
    -------
    (i, j, k) float32 array

    Raises
    ------
    MissingPackageError
        If deepbet is not installed.
    CaseError
        If no brain is found.
    """
    import torch

    head = np.ascontiguousarray(to_axes(np.asarray(image, np.float32), grid, _AXES))
    tensor = torch.from_numpy(head)
    box, low, high = _brain_box(tensor)
    with torch.inference_mode():
        fine = _resized(tensor[box], _FINE_SHAPE)
        found = _network("model")(_normalised(fine, low, high)[None, None])[0, 1]
        inside = tuple(span.stop - span.start for span in box)
        probability = np.zeros(head.shape, np.float32)
        probability[box] = _resized(found, inside).numpy()
    return np.ascontiguousarray(from_axes(probability, grid, _AXES))


def coarse_brain(image: npt.NDArray[np.generic], grid: Grid) -> Mask:
    """The brain by the first network alone, (i, j, k) bool: a few millimetres exact, and fast.

    Errors as for `brain_probability`.
    """
    import torch

    head = np.ascontiguousarray(to_axes(np.asarray(image, np.float32), grid, _AXES))
    found = torch.from_numpy(_coarse(torch.from_numpy(head))[0].astype(np.float32))
    mask = _resized(found, head.shape).numpy() > 0.5
    return np.ascontiguousarray(from_axes(mask, grid, _AXES))


def mask_of(probability: Probabilities) -> Mask:
    """The brain as one component without holes, (i, j, k) bool.

    Raises
    ------
    CaseError
        If it is empty.
    """
    return fill_holes(_largest_component(probability > 0.5))


def placed_mask(mask: Volume, grid: Grid) -> Mask:
    """A brain mask of another tool on a grid, (i, j, k) bool; all that is not 0 is brain.

    Parameters
    ----------
    mask : Volume
        3D, on any grid.
    grid : Grid

    Raises
    ------
    CaseError
        If it is not 3D, or nothing of it lies on the grid.
    """
    if mask.data.ndim != 3:
        raise CaseError(f"{mask.path} has the shape {mask.data.shape}; a brain mask is 3D")
    inside = (mask.data != 0).astype(np.uint8)
    placed = np.asarray(resample_labels(inside, mask.grid, grid) > 0)
    if not placed.any():
        raise CaseError(f"{mask.path}: nothing of this brain mask lies on T1CE")
    return placed


def _brain_box(head: Any) -> tuple[tuple[slice, slice, slice], Any, Any]:
    coarse, low, high = _coarse(head)
    spans = []
    for axis, length in enumerate(head.shape):
        others = tuple(a for a in range(3) if a != axis)
        planes = np.flatnonzero(coarse.mean(axis=others) > _MIN_SHARE)
        if not planes.size:
            raise CaseError("no brain was found in the image")
        scale = length / coarse.shape[axis]
        size = (planes[-1] + 1 - planes[0]) * scale
        start = planes[0] * scale - _MARGIN * size
        stop = (planes[-1] + 1) * scale + _MARGIN * size
        spans.append(slice(max(0, round(start)), min(length, round(stop))))
    return (spans[0], spans[1], spans[2]), low, high


def _coarse(head: Any) -> tuple[Mask, Any, Any]:
    """The coarse brain, and the percentiles by which intensities are normalised."""
    import torch

    with torch.inference_mode():
        small = _resized(head, _COARSE_SHAPE)
        low, high = (small.quantile(share) for share in _QUANTILES)
        if not high > low:
            raise CaseError("no brain was found in the image")
        found = _network("bbox_model")(_normalised(small, low, high)[None, None])[0, 1]
    return _largest_component(found.numpy() > 0.5), low, high


def _normalised(image: Any, low: Any, high: Any) -> Any:
    image = ((image - low) / (high - low)).clamp(0, 1)
    return _DEVIATION * (image - image.mean()) / image.std() + _MEAN


def _resized(image: Any, shape: tuple[int, ...]) -> Any:
    from torch.nn.functional import interpolate

    # As in the training of these networks; linear interpolation gave a lower Dice.
    return interpolate(image[None, None], shape, mode="nearest-exact")[0, 0]


def _largest_component(mask: Mask) -> Mask:
    from scipy import ndimage

    labels, _ = ndimage.label(mask)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    if not sizes.any():
        raise CaseError("no brain was found in the image")
    return np.asarray(labels == sizes.argmax())


@cache
def _network(name: str) -> Any:
    import torch

    try:
        package = distribution("deepbet")
    except PackageNotFoundError as error:
        raise MissingPackageError(
            "brain extraction needs the package deepbet, which is not installed",
            Remedy(Action.INSTALL_RAW),
        ) from error
    path = Path(str(package.locate_file(f"data/models/{name}.pt")))
    jit: Any = torch.jit  # untyped
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the format of deepbet's weights
        return jit.load(path, map_location="cpu").eval()
