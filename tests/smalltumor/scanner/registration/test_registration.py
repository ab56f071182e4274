"""Rigid registration of thick slices."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from head_cases import pose
from scipy import ndimage
from smalltumor.data.volumes.nifti import Volume
from smalltumor.errors import CaseError
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.resampling import resample
from smalltumor.scanner.preparation.steps import SeriesImage, check_registrable
from smalltumor.scanner.registration.registration import register

pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no registration")

SHAPE = (110, 110, 90)
FINE = Grid(SHAPE, np.diag([1.5, 1.5, 1.5, 1.0]))
SLICES = Grid((110, 110, 24), np.diag([1.5, 1.5, 5.5, 1.0]))


def volume(data: np.ndarray, grid: Grid) -> Volume:
    return Volume(data, grid, nib.Nifti1Header(), Path("image"))


def test_thick_slices_are_registered_to_a_tenth_of_a_voxel():
    centre = np.array(SHAPE) / 2
    scaled = (np.indices(SHAPE) - centre[:, None, None, None]) / np.array([46, 50, 40]).reshape(
        3, 1, 1, 1
    )
    brain = np.linalg.norm(scaled, axis=0) < 1
    tissue = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=SHAPE), 2.5)
    tissue /= tissue.std()
    first = np.where(brain, 100 + 15 * tissue, 0)
    second = np.where(brain, 150 - 25 * tissue + 8 * tissue**2, 0)
    about = np.eye(4)
    about[:3, 3] = FINE.to_patient(centre)
    moved = about @ pose((5, -4, 9), (3, -2, 4)) @ np.linalg.inv(about)
    mask = resample(brain, FINE, SLICES) > 0.5
    found = register(
        volume(resample(first, FINE, SLICES), SLICES),
        volume(resample(second, Grid(SHAPE, moved @ FINE.affine), SLICES), SLICES),
        mask,
    )
    points = SLICES.to_patient(np.argwhere(mask)[::20])
    difference = found.matrix - moved
    error = np.linalg.norm(points @ difference[:3, :3].T + difference[:3, 3], axis=1)
    # With gradients smoothed over the thickness of a slice, SimpleITK's default, it is 0.21 mm.
    assert error.max() < 0.15
    assert found.gain > 0.5
    assert found.displacement_mm > 5


def test_an_image_with_sheared_axes_is_named_before_anything_is_computed():
    affine = SLICES.affine.copy()
    affine[0, 2] = 2.0
    sheared = Grid(SLICES.shape, affine)
    header = nib.Nifti1Image(np.ones(SLICES.shape, np.int16), SLICES.affine).header
    straight = SeriesImage(SLICES, False, header, Path("t1ce.nii"))
    tilted = SeriesImage(sheared, False, header, Path("t2.nii"))
    for images, name in (((straight, tilted), "t2"), ((tilted, straight), "t1ce|t2")):
        with pytest.raises(CaseError, match=rf"({name})\.nii: its axes are at .* right angles"):
            check_registrable(dict(zip(("t1ce", "t2"), images, strict=True)))
    check_registrable({"t1ce": tilted})


def test_a_sheared_grid_is_refused():
    affine = SLICES.affine.copy()
    affine[0, 2] = 2.0
    sheared = volume(np.ones(SLICES.shape, np.float32), Grid(SLICES.shape, affine))
    with pytest.raises(CaseError, match="not at right angles"):
        register(sheared, sheared, np.ones(SLICES.shape, bool))
