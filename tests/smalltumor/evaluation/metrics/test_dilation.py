"""Lesions merge by the same distance on a box as on a grid that is hardly sheared."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from smalltumor.evaluation.metrics.dilation import dilated_components, dilation_margin
from smalltumor.geometry.voxel import Voxel

SPACINGS = ((0.5, 0.5, 0.5), (0.5, 0.5, 1.0), (1, 1, 1), (0.9, 0.9, 1.2), (2, 2, 2), (0.5, 0.5, 5))


def hardly_sheared(spacing) -> Voxel:
    edges = np.diag(np.array(spacing, float))
    edges[0, 1] = 3e-4 * spacing[1]
    voxel = Voxel.of(edges)
    assert not voxel.is_box
    return voxel


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("distance", [1, 3])
def test_a_voxel_reaches_the_same_voxels(spacing, distance):
    mask = np.zeros((25, 25, 25), bool)
    mask[12, 12, 12] = True
    box = dilated_components(mask, distance, Voxel.of(spacing)) > 0
    sheared = dilated_components(mask, distance, hardly_sheared(spacing)) > 0
    assert np.array_equal(box, sheared)
    reach = np.abs(np.argwhere(sheared) - 12).max(axis=0)
    assert (reach <= dilation_margin(distance, hardly_sheared(spacing))).all()


@settings(max_examples=20)
@given(arrays(bool, (9, 8, 7), elements=st.booleans()), st.sampled_from(SPACINGS[:4]))
def test_any_mask_has_the_same_components(mask, spacing):
    found = [dilated_components(mask, 3, v) for v in (Voxel.of(spacing), hardly_sheared(spacing))]
    assert np.array_equal(*found)


def test_an_angle_that_dicom_does_not_store_is_no_shear():
    edges = np.eye(3)
    edges[0, 1] = 5e-5
    assert Voxel.of(edges).is_box
