"""What people's pipelines do to skull-stripped images before they are segmented."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from smalltumor.data.case import Case
from smalltumor.geometry.grid import Grid

Volume = npt.NDArray[np.generic]
PADDING = 16


def half_size(case: Case) -> Case:
    """Every second voxel of a case, called 1 mm: a small head with the anatomy of a real one."""
    volumes = {m: np.asfortranarray(v[::2, ::2, ::2]) for m, v in case.volumes.items()}
    shape = next(iter(volumes.values())).shape
    return replace(case, volumes=volumes, grid=Grid(shape, case.grid.affine))


def transformed(case: Case, transform: Callable[[Volume], Volume]) -> Case:
    """A case with every modality transformed, on the same grid."""
    return replace(case, volumes={m: transform(v) for m, v in case.volumes.items()})


def padded(case: Case, value: float = 0) -> Case:
    """A case with `PADDING` more voxels on every side."""
    affine = case.grid.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ np.full(3, PADDING)
    grid = Grid(tuple(n + 2 * PADDING for n in case.grid.shape), affine)
    pad = {m: np.pad(v, PADDING, constant_values=value) for m, v in case.volumes.items()}
    return replace(case, volumes=pad, grid=grid)


def without_padding(volume: Volume) -> Volume:
    """The part of a volume that was padded."""
    inside = slice(PADDING, -PADDING)
    return volume[inside, inside, inside]


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
