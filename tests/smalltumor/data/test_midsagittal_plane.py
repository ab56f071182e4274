"""The midsagittal plane of phantoms that are turned, and of a real brain and its mirror image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalltumor.data.case import Case
from smalltumor.data.midsagittal_plane import midsagittal_plane, symmetry_plane
from smalltumor.data.read_case import read_case
from smalltumor.geometry.grid import Grid

SHAPE = (48, 56, 44)
SPACING = np.array([4.0, 4.0, 4.0])


def head(yaw, roll, shift_mm, cut=None):
    """Mask of an ellipsoid, flat below and in front, turned and shifted, and its true normal."""
    a, b = np.radians([yaw, roll])
    about_s = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_a = np.array([[np.cos(b), 0, -np.sin(b)], [0, 1, 0], [np.sin(b), 0, np.cos(b)]])
    turn = about_s @ about_a
    affine = np.diag([*SPACING, 1.0])
    affine[:3, 3] = -(np.array(SHAPE) - 1) / 2 * SPACING
    grid = Grid(SHAPE, affine)
    points = grid.to_patient(np.stack(np.indices(SHAPE), axis=-1)) - (shift_mm, 0, 0)
    own = points @ turn
    brain = np.square(own / (66, 84, 62)).sum(-1) <= 1
    brain &= (own[..., 2] > -35) & (own[..., 1] < 72)
    if cut is not None:
        brain[:cut] = False
    return brain, grid, turn[:, 0]


@settings(max_examples=8)
@given(st.floats(-15, 15), st.floats(-12, 12), st.floats(-15, 15))
def test_it_follows_a_head_that_is_turned_and_shifted(yaw, roll, shift):
    brain, grid, normal = head(yaw, roll, shift)
    plane = symmetry_plane(brain, grid)
    degrees = np.degrees(np.arccos(np.clip(normal @ plane.normal, -1, 1)))
    assert degrees < 1.5
    assert plane.distance_mm((shift, 0, 0)) == pytest.approx(0, abs=1)
    assert plane.distance_mm((shift, 0, 0) + 30 * normal) == pytest.approx(30, abs=1)


def test_half_a_brain_has_none():
    brain, grid, _ = head(0, 0, 0, cut=20)
    assert symmetry_plane(brain, grid) is None


def test_an_image_without_a_brain_has_none():
    assert midsagittal_plane(Case("x", {"t1ce": np.zeros(SHAPE)}, head(0, 0, 0)[1])) is None


def test_the_mirror_image_of_a_real_brain_has_the_mirrored_plane(sample_folder):
    case = read_case(sample_folder)
    plane = midsagittal_plane(case)
    mirrored = replace(case, volumes={m: v[::-1] for m, v in case.volumes.items()})
    other = midsagittal_plane(mirrored)
    points = case.grid.to_patient(np.array([[60, 120, 80], [170, 60, 50], [100, 180, 100]]))
    middle = case.grid.to_patient(np.array(case.grid.shape) / 2 - 0.5)[0]
    across = points * (-1, 1, 1) + (2 * middle, 0, 0)
    assert plane.distance_mm(points) == pytest.approx(-other.distance_mm(across), abs=1)


def test_it_turns_with_a_real_brain(sample_folder):
    case = read_case(sample_folder)
    a = np.radians(10)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
    turn[:3, 3] = (5, -3, 9)
    turned = midsagittal_plane(replace(case, grid=Grid(case.grid.shape, turn @ case.grid.affine)))
    points = case.grid.to_patient(np.array([[60, 120, 80], [170, 60, 50]]))
    moved = points @ turn[:3, :3].T + turn[:3, 3]
    assert turned.distance_mm(moved) == pytest.approx(
        midsagittal_plane(case).distance_mm(points), abs=0.2
    )
    assert midsagittal_plane(case).moved_by(turn).distance_mm(moved) == pytest.approx(
        midsagittal_plane(case).distance_mm(points), abs=1e-6
    )


def test_a_mask_without_images_has_no_plane():
    assert midsagittal_plane(Case("mask", {}, Grid(SHAPE, np.diag([*SPACING, 1.0])))) is None
