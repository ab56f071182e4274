"""Every view is upright and radiological on the rendered canvas."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from napari_cases import oriented
from shown_layers import newest_case_layers, show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region, TissueClass

from napari_smalltumor.layers.masks.regions import placement_of
from napari_smalltumor.layers.modalities import case_of_layers
from napari_smalltumor.loading.open_case import open_case

SHAPE_LPS = (60, 60, 60)
TILES = (0, 1, 2), (1, 0, 2), (2, 0, 1)
AXIAL, CORONAL, SAGITTAL = TILES
VIEWS = (AXIAL, "left", "front"), (CORONAL, "left", "top"), (SAGITTAL, "back", "top")


def head_with_a_spot() -> np.ndarray:
    """A dark volume with a bright spot at the left, front and top (axes L, P, S)."""
    head = np.full(SHAPE_LPS, 100, np.int16)
    head[40:54, 6:20, 42:56] = 1000
    return head


ONE_BINDING = pytest.mark.one_binding


@pytest.fixture(params=["LPS", *(pytest.param(a, marks=ONE_BINDING) for a in ("RAI", "SAR"))])
def viewer(make_napari_viewer, tmp_path, request):
    folder = tmp_path / "Spot"
    folder.mkdir()
    for word in ("flair", "t1ce", "t1", "t2"):
        nib.save(oriented(head_with_a_spot(), request.param), folder / f"Spot_{word}.nii.gz")
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(900, 700)
    open_case(viewer, folder)
    return viewer


def centre_of_the_spot(viewer) -> tuple[float, float]:
    """Position of the bright spot from the canvas centre: right and up, each from -1 to 1."""
    grey = viewer.screenshot(canvas_only=True, flash=False)[..., :3].max(axis=-1).astype(int)
    rows, columns = np.nonzero(grey > 200)
    assert rows.size > 100, (grey.shape, np.percentile(grey, [1, 50, 99, 100]))
    height, width = grey.shape
    return float(columns.mean() / width * 2 - 1), float(1 - rows.mean() / height * 2)


def test_slices_are_upright_and_radiological_and_3d_shows_the_patient_from_the_front(viewer):
    for order, to_the_right, up in VIEWS:
        axis, viewer.dims.order = order[0], order
        layer = viewer.layers["Spot T1CE"]
        spot = np.argwhere(layer.data == layer.data.max()).mean(axis=0)
        viewer.dims.set_point(axis, layer.data_to_world(spot)[axis])
        viewer.reset_view()
        right, above = centre_of_the_spot(viewer)
        assert above > 0.1, f"the {up} is not up"
        assert (right < -0.1) if to_the_right == "back" else (right > 0.1), to_the_right
    viewer.dims.order = AXIAL
    viewer.dims.ndisplay = 3
    viewer.fit_to_view()
    assert viewer.scene.camera.view_direction == pytest.approx((0, 1, 0), abs=1e-6)
    viewer.layers["Spot T1CE"].contrast_limits = (500, 1000)
    right, above = centre_of_the_spot(viewer)
    assert above > 0.1, "the top is not up"
    assert right > 0.1, "the patient's left is not on the right of the view from the front"


@pytest.mark.one_binding
def test_a_camera_that_the_user_has_moved_is_not_changed(make_napari_viewer, sample_folder):
    viewer = make_napari_viewer(show=True)
    viewer.scene.camera.angles = (10, 20, 30)
    open_case(viewer, sample_folder)
    assert viewer.scene.camera.angles == pytest.approx((10, 20, 30))


def test_a_result_is_aligned_with_layers_of_another_reader(make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    head = head_with_a_spot()
    for name in ("flair", "t1ce", "t1", "t2"):
        viewer.add_image(head.T, name=name, scale=(2, 1, 1), translate=(30, -5, 7))
    chosen = newest_case_layers(viewer.layers)
    case = case_of_layers(chosen)
    classes = np.where(case.volumes["t1ce"] > 500, TissueClass.ET, 0).astype(np.uint8)
    segmentation = Segmentation("head", classes, case.grid)
    layers = show_segmentation(viewer, case, segmentation, placement=placement_of(case, chosen))
    for order in TILES:
        viewer.dims.order = order
        viewer.dims.set_point(order[0], chosen["t2"].data_to_world((49, 13, 47))[order[0]])
        viewer.reset_view()
        for layer in viewer.layers:
            layer.visible = layer not in layers.values()
        image = centre_of_the_spot(viewer)
        for layer in viewer.layers:
            layer.visible = layer is layers[Region.ET]
        layers[Region.ET].opacity = 1
        assert centre_of_the_spot(viewer) == pytest.approx(image, abs=0.02)
