"""napari's view buttons show a head upright, unmirrored and from the front."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari_cases import write_case_along

from napari_smalltumor.layers.views.upright_views import (
    AXIAL,
    CORONAL,
    SAGITTAL,
    ensure_upright_views,
)
from napari_smalltumor.loading.open_case import open_case


@pytest.fixture
def head(viewer, tmp_path) -> ViewerModel:
    open_case(viewer, write_case_along(tmp_path / "Pat"))
    return viewer


def test_rolling_the_axes_goes_through_the_three_upright_planes(head):
    shown = []
    for _ in range(4):
        head.dims.roll()
        shown.append(tuple(head.dims.order))
    assert shown == [SAGITTAL, CORONAL, AXIAL, SAGITTAL]


def test_transposing_the_axes_is_left_to_the_user(head):
    head.dims.order = CORONAL
    head.dims.transpose()
    assert tuple(head.dims.order) == (1, 2, 0)


def test_3d_has_the_axes_of_the_layers_and_slices_come_back_as_they_were(head):
    head.dims.order = CORONAL
    head.dims.ndisplay = 3
    assert tuple(head.dims.order) == AXIAL  # an odd permutation would show a mirror image
    head.dims.ndisplay = 2
    assert tuple(head.dims.order) == CORONAL


def test_home_in_3d_shows_the_face_and_a_turned_camera_stays_turned(head):
    head.dims.ndisplay = 3
    head.scene.camera.angles = (10, 20, 30)
    assert head.scene.camera.angles == pytest.approx((10, 20, 30))
    head.reset_view()
    assert head.scene.camera.view_direction == pytest.approx((0, 1, 0), abs=1e-6)
    assert head.scene.camera.up_direction == pytest.approx((-1, 0, 0), abs=1e-6)


def test_other_data_is_rolled_as_napari_does(viewer):
    ensure_upright_views(viewer)
    viewer.add_image(np.zeros((4, 5, 6)))
    viewer.dims.roll()
    viewer.dims.roll()
    assert tuple(viewer.dims.order) == (1, 2, 0)
    viewer.dims.ndisplay = 3
    assert tuple(viewer.dims.order) == (1, 2, 0)
