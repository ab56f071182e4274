"""Rigid motions as a user enters them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.geometry.grid import Grid
from smalltumor.scanner.registration.motion import (
    motion_between,
    motion_parameters,
    moved_image,
    moved_matrix,
    rigid_motion,
)

CENTRE = (10.0, 20.0, 30.0)


@pytest.mark.parametrize(
    ("degrees", "point", "expected"),
    [
        ((90, 0, 0), (0, 1, 0), (0, 0, 1)),
        ((0, 90, 0), (0, 0, 1), (1, 0, 0)),
        ((0, 0, 90), (1, 0, 0), (0, 1, 0)),
    ],
)
def test_a_turn_is_about_the_axes_to_right_anterior_and_superior(degrees, point, expected):
    motion = rigid_motion((0, 0, 0), degrees, CENTRE)
    turned = motion @ (*np.add(CENTRE, point), 1)
    np.testing.assert_allclose(turned[:3], np.add(CENTRE, expected), atol=1e-12)


def test_an_image_moves_to_the_right_by_the_shift():
    grid = Grid((12, 10, 8), np.diag([-2.0, -2.0, 2.0, 1.0]))  # i runs to the left
    image = np.random.default_rng(0).normal(size=grid.shape).astype(np.float32)
    moved = moved_image(image, grid, rigid_motion((4, 0, 0), (0, 0, 0), CENTRE))
    np.testing.assert_allclose(moved[:-2], image[2:], atol=1e-5)


def test_the_matrix_follows_the_image():
    motion = rigid_motion((1, 2, 3), (5, -3, 2), CENTRE)
    matrix = rigid_motion((4, 0, 1), (1, 1, 1), (0, 0, 0))
    point = np.array((7.0, 8.0, 9.0, 1.0))
    np.testing.assert_allclose(moved_matrix(matrix, motion) @ (motion @ point), matrix @ point)


@given(
    shift=st.tuples(*[st.floats(-50, 50)] * 3),
    degrees=st.tuples(*[st.floats(-45, 45)] * 3),
    before=st.tuples(*[st.floats(-45, 45)] * 3),
)
def test_shift_and_turns_between_two_registrations_are_those_that_were_entered(
    shift, degrees, before
):
    matrix = rigid_motion((3, -2, 1), before, (0, 0, 0))
    moved = moved_matrix(matrix, rigid_motion(shift, degrees, CENTRE))
    found = motion_parameters(motion_between(matrix, moved), CENTRE)
    np.testing.assert_allclose(found, (shift, degrees), atol=1e-6)
