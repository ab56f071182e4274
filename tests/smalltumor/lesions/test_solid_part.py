"""Cavities and solid parts: the fast ways give what SciPy's distances and filled holes do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from smalltumor.geometry.voxel import Voxel
from smalltumor.lesions.solid_part import filled_in_slices, solid_part, without_cavities

SPACINGS = [(1.0, 1.0, 1.0), (0.5, 0.7, 3.0), (1.2, 1.0, 0.8)]


def filled(mask):
    slices = [ndimage.binary_fill_holes(mask[..., n]) for n in range(mask.shape[2])]
    return np.stack(slices, axis=-1)


def blobs(seed, spacing=(1.0, 1.0, 1.0)):
    """A mask with holes and spaces of many widths in mm, and a margin of one voxel."""
    shape = (int(36 / spacing[0]), int(32 / spacing[1]), 5)
    noise = np.random.default_rng(seed).normal(size=shape)
    noise = ndimage.gaussian_filter(noise, (2.5 / spacing[0], 2.5 / spacing[1], 1))
    mask = np.abs(noise) < np.quantile(np.abs(noise), 0.35)
    return np.pad(mask[1:-1, 1:-1, 1:-1], 1)


@given(hnp.arrays(np.bool_, hnp.array_shapes(min_dims=3, max_dims=3, max_side=7)))
def test_holes_are_filled_in_each_slice(mask):
    np.testing.assert_array_equal(filled_in_slices(mask), filled(mask))


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("seed", range(4))
def test_cavities_are_those_of_distances(spacing, seed):
    mask = blobs(seed, spacing)
    reach = (5 + min(spacing[:2])) / 2
    wide = np.pad(mask, ((9, 9), (9, 9), (0, 0)))
    near = np.stack(
        [
            ndimage.distance_transform_edt(~wide[..., n], spacing[:2]) < reach
            if wide[..., n].any()
            else wide[..., n]
            for n in range(wide.shape[2])
        ],
        axis=-1,
    )
    inner = (filled(near) & ~near)[9:-9, 9:-9]
    assert inner.any()
    cavities = ndimage.distance_transform_edt(~inner, spacing) <= reach
    expected = mask | (filled(mask) & ~cavities)
    np.testing.assert_array_equal(without_cavities(mask, Voxel.of(spacing)), expected)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_a_solid_part_is_an_opening_by_balls(spacing):
    mask = np.repeat(ndimage.binary_dilation(blobs(7, spacing)), 4, axis=2)
    mask = np.pad(mask[1:-1, 1:-1, 1:-1], 1)
    part, _ = solid_part(mask, Voxel.of(spacing), 6.0)
    count = max(1, round(spacing[2]))
    fine = (*spacing[:2], spacing[2] / count)
    space = np.repeat(mask, count, axis=2)
    centres = ndimage.distance_transform_edt(space, fine) >= 3 - 1e-6
    assert centres.any()
    reached = space & (ndimage.distance_transform_edt(~centres, fine) <= 3 + 1e-6)
    np.testing.assert_array_equal(part, reached.reshape(*mask.shape, count).any(axis=-1))


@pytest.mark.parametrize("shift", [1, -2])
@pytest.mark.parametrize("seed", range(2))
def test_in_tilted_slices_distances_are_those_in_the_patient(seed, shift):
    """Voxels of 1 mm have the same centres if each slice is moved by whole voxels."""
    mask = np.pad(np.repeat(blobs(seed), 2, axis=2)[1:-1, 1:-1, 2:-2], 1)
    margin = abs(shift) * mask.shape[2]
    mask = np.pad(mask, ((margin, margin), (0, 0), (0, 0)))
    upright, tilted = Voxel.of((1, 1, 1)), Voxel.of([[1, 0, shift], [0, 1, 0], [0, 0, 1]])

    def moved(volume):
        slices = [np.roll(volume[..., n], -shift * n, axis=0) for n in range(volume.shape[2])]
        return np.stack(slices, axis=-1)

    tissue = without_cavities(mask, upright)
    assert tissue is not None
    np.testing.assert_array_equal(without_cavities(moved(mask), tilted), moved(tissue))
    part, rim = solid_part(tissue, upright, 3.0)
    found, thickness = solid_part(moved(tissue), tilted, 3.0)
    assert thickness is rim is None and part.any()
    np.testing.assert_array_equal(found, moved(part))
    rim, thickness = (
        solid_part(each, voxel, 60.0)[1]
        for each, voxel in ((tissue, upright), (moved(tissue), tilted))
    )
    assert thickness == pytest.approx(rim, abs=1)
