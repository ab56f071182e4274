"""What people's pipelines do to skull-stripped images before they are segmented."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from smalltumor.data.case import Case
from smalltumor.geometry.boxes import bounding_box
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.resampling import resample

Volume = npt.NDArray[np.generic]
PADDING = ((5, 12), (0, 9), (7, 3))
"""Voxels before and after a volume along each axis; not multiples of anything."""


def half_size(case: Case) -> Case:
    """Every second voxel of a case, called 1 mm: a small head with the anatomy of a real one."""
    volumes = {m: np.asfortranarray(v[::2, ::2, ::2]) for m, v in case.volumes.items()}
    shape = next(iter(volumes.values())).shape
    return replace(case, volumes=volumes, grid=Grid(shape, case.grid.affine))


def resampled(case: Case, spacing: Sequence[float]) -> Case:
    """A case with voxels of another size in mm along its axes, skull-stripped after resampling."""
    affine = case.grid.affine.copy()
    affine[:3, :3] *= np.divide(spacing, case.grid.spacing)
    i, j, k = (int(n) for n in case.grid.shape * case.grid.spacing // spacing)
    grid = Grid((i, j, k), affine)
    brain = np.logical_or.reduce([v > 0 for v in case.volumes.values()])
    inside = resample(brain, case.grid, grid) > 0.5
    return replace(transformed(case, lambda v: resample(v, case.grid, grid) * inside), grid=grid)


def transformed(case: Case, transform: Callable[[Volume], Volume]) -> Case:
    """A case with every modality transformed, on the same grid."""
    return replace(case, volumes={m: transform(v) for m, v in case.volumes.items()})


def padded(case: Case, value: float = 0) -> Case:
    """A case with `PADDING` more voxels at the ends of each axis."""
    pad = {m: np.pad(v, PADDING, constant_values=value) for m, v in case.volumes.items()}
    return _on_grid_from(case, [-before for before, _ in PADDING], pad)


def without_padding(volume: Volume) -> Volume:
    """The part of a volume that was padded."""
    ends = zip(PADDING, volume.shape, strict=True)
    return volume[tuple(slice(before, size - after) for (before, after), size in ends)]


def cropped_to_brain(case: Case) -> tuple[Case, tuple[slice, slice, slice]]:
    """A case cropped to the voxels where any modality is above 0, and their box."""
    box = bounding_box(np.logical_or.reduce([v > 0 for v in case.volumes.values()]))
    volumes = {m: np.asfortranarray(v[box]) for m, v in case.volumes.items()}
    return _on_grid_from(case, [span.start for span in box], volumes), box


def _on_grid_from(case: Case, first: list[int], volumes: dict[str, Volume]) -> Case:
    """Volumes whose first voxel is at these indices of a case."""
    affine = case.grid.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ first
    shape = next(iter(volumes.values())).shape
    return replace(case, volumes=volumes, grid=Grid(shape, affine))


def z_scored_in_brain(volume: Volume) -> Volume:
    """Mean 0 and standard deviation 1 in the brain, 0 outside, as nnU-Net normalises."""
    brain = volume > 0
    values = volume[brain].astype(np.float64)
    result = np.zeros(volume.shape, np.float32, order="F")
    result[brain] = (values - values.mean()) / values.std()
    return result


def z_scored(volume: Volume) -> Volume:
    """Mean 0 and standard deviation 1 in the whole volume."""
    return ((volume - volume.mean()) / volume.std()).astype(np.float32)


def scaled_to_1(volume: Volume) -> Volume:
    """Intensities from 0 to 1."""
    return (volume / np.float64(volume.max())).astype(np.float32)


def resampled_by_splines(volume: Volume, shift: float = 0.1) -> Volume:
    """On a grid shifted by a part of a voxel along each axis and back, by cubic splines."""
    t = shift
    there = np.array([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, 1 + 3 * (t + t**2 - t**3), t**3]) / 6
    values = volume.astype(np.float32)
    for axis in range(3):
        for weights, origin in ((there, -1), (there[::-1], 0)):
            values = ndimage.spline_filter1d(values, 3, axis, np.float32)
            values = ndimage.correlate1d(values, weights, axis, mode="mirror", origin=origin)
    return np.asfortranarray(values)


def with_noise_outside(volume: Volume, share: float = 0.01) -> Volume:
    """Gaussian noise on the background, its deviation a share of the brain's contrast."""
    background = volume[0, 0, 0]
    contrast = np.percentile(np.abs(volume[volume != background] - float(background)), 95)
    noise = np.random.default_rng(0).normal(background, share * contrast, volume.shape)
    return np.where(volume == background, noise, volume).astype(np.float32)


def nan_outside(volume: Volume) -> Volume:
    """NaN in place of the background, as SPM masks images."""
    return np.where(volume == volume[0, 0, 0], np.nan, volume).astype(np.float32)
