"""A mirrored volume is flipped along the axes of the patient, whatever the order of its own."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.geometry.grid import Grid, to_axes
from smalltumor.geometry.mirroring import MIRRORINGS, mirrored

UPRIGHT = "RAS"
FLIPPED = {
    "left to right": (0,),
    "front to back": (1,),
    "left to right and front to back": (0, 1),
    "top to bottom": (2,),
}


@given(
    axes=st.permutations(range(3)),
    signs=st.tuples(*[st.sampled_from([-1, 1])] * 3),
    tilt=st.floats(-0.2, 0.2),
)
def test_a_mirrored_volume_is_flipped_along_the_axes_of_the_patient(axes, signs, tilt):
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, axes] * signs + tilt * np.ones((3, 3))
    volume = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    grid = Grid(volume.shape, affine)
    upright = to_axes(volume, grid, UPRIGHT)
    found = dict(mirrored(volume, grid))
    assert set(found) == set(FLIPPED) == set(MIRRORINGS)
    for name, image in found.items():
        expected = np.flip(upright, FLIPPED[name])
        assert np.array_equal(to_axes(image, grid, UPRIGHT), expected)
