"""Patients open at the tumour, with outlines."""

from __future__ import annotations

import numpy as np
import pytest
from lesion_layers import show_classes, show_regions, synthetic_case
from napari.layers._layer_actions import _project
from napari_cases import write_case_along
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region, TissueClass

from napari_smalltumor import settings
from napari_smalltumor.display.opening_at_tumour import tumour_point
from napari_smalltumor.layers.metadata import case_of, region_of
from napari_smalltumor.layers.patient import layers_of_patient, patient_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient


def test_a_case_with_a_mask_opens_in_its_slice_with_most_enhancement(viewer, tmp_path):
    open_case(viewer, write_case_along(tmp_path / "A"))
    labels = viewer.layers["A labels"]
    index = tuple(np.rint(labels.world_to_data(viewer.dims.point)).astype(int))
    assert labels.data[index] == 4
    areas = (labels.data == 4).sum(axis=(1, 2))
    assert areas[index[0]] == areas.max()


def test_a_case_opens_at_its_tumour_beside_an_image_with_more_axes(viewer, tmp_path):
    open_case(viewer, write_case_along(tmp_path / "B", labels=False))
    viewer.add_image(np.zeros((2, 5, 6, 7)), name="fMRI")
    open_case(viewer, write_case_along(tmp_path / "A"))
    labels = viewer.layers["A labels"]
    index = tuple(np.rint(labels.world_to_data(viewer.dims.point[-3:])).astype(int))
    assert labels.data[index] == 4


def test_a_mask_does_not_move_a_view_that_the_user_has_moved(viewer, tmp_path):
    folder = write_case_along(tmp_path / "A")
    open_case(viewer, folder)
    labels = viewer.layers.pop(viewer.layers.index("A labels"))
    viewer.dims.set_point(0, viewer.layers[0].extent.world.mean(axis=0)[0] + 4)
    point = viewer.dims.point
    viewer.layers.append(labels)
    assert viewer.dims.point == pytest.approx(point)


def test_the_point_is_in_the_enhancing_tumour_else_in_the_core(viewer):
    show_classes(viewer, synthetic_case())
    show_regions(viewer, synthetic_case())
    for layer in viewer.layers:
        point = tumour_point(layer)
        index = tuple(np.rint(layer.world_to_data(point)).astype(int))
        wanted = 4 if region_of(layer) is None else 1
        assert layer.data[index] == wanted
    empty = viewer.layers[-1]
    empty.data = np.zeros_like(empty.data)
    assert tumour_point(empty) is None


def segmented(viewer, case) -> dict:
    """ET in another slice than most of WT."""
    classes = np.zeros(case.grid.shape, np.uint8)
    classes[1:-1, 1:-1, 2:5] = TissueClass.ED
    classes[3:6, 3:6, 6] = TissueClass.ET
    return show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))


def test_a_projection_of_an_image_below_the_others_does_not_matter(viewer, tmp_path):
    image, *_ = open_case(viewer, write_case_along(tmp_path / "A", labels=False))
    viewer.layers.selection = {image}
    _project(viewer.layers, axis=0, mode="std")
    projection = viewer.layers[-1]
    assert projection.ndim == 2 and patient_of(projection) == patient_of(image)
    viewer.layers.move(len(viewer.layers) - 1, 0)
    regions = segmented(viewer, case_of(image))
    assert is_at(viewer, regions[Region.ET])


def is_at(viewer, layer) -> bool:
    return bool(np.allclose(viewer.dims.point, tumour_point(layer)))


def test_of_regions_that_are_added_one_by_one_the_enhancing_tumour_is_shown(viewer, tmp_path):
    case = case_of(open_case(viewer, write_case_along(tmp_path / "A", labels=False))[0])
    regions = segmented(viewer, case)
    assert not is_at(viewer, regions[Region.WT]) and is_at(viewer, regions[Region.ET])


def test_a_result_of_another_patient_is_shown_when_it_becomes_active(viewer, tmp_path):
    for name in "AB":
        open_case(viewer, write_case_along(tmp_path / name, labels=False))
    patients = active_patient(viewer)
    (first,) = (p for p in patients.patients if patients.title_of(p) == "A")
    case = next(case_of(x) for x in layers_of_patient(viewer.layers, first))
    with patients.in_background():
        regions = segmented(viewer, case)
    patients.activate(first)
    assert is_at(viewer, regions[Region.ET])


@pytest.mark.parametrize("style", ["outlines", "filled"])
def test_masks_have_the_style_of_the_settings(viewer, tmp_path, style):
    settings.put("style", style)
    open_case(viewer, write_case_along(tmp_path / "A"))
    assert (viewer.layers["A labels"].contour > 0) == (style == "outlines")


def test_outlines_are_the_default(viewer, tmp_path):
    open_case(viewer, write_case_along(tmp_path / "A"))
    assert viewer.layers["A labels"].contour == 1
