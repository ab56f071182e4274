"""Between the steps in which a result is shown, and after one that fails, regions are nested."""

from __future__ import annotations

import numpy as np
import pytest
from napari_cases import case_along
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region

from napari_smalltumor.layers.masks.region_masks import display_mask, is_edited
from napari_smalltumor.layers.masks.regions import segmentation_steps
from napari_smalltumor.layers.metadata import region_layers

INSIDE = tuple(np.array([n]) for n in (2, 2, 2))


def segmentation(case, first: int = 5) -> Segmentation:
    """ET of eight voxels, that is also TC and WT."""
    classes = np.zeros(case.grid.shape, np.uint8)
    classes[first : first + 2, 5:7, 5:7] = 3
    return Segmentation(case.name, classes, case.grid)


def steps(viewer, shown: Segmentation, case):
    masks = {region: display_mask(shown.mask(region), case) for region in Region}
    return segmentation_steps(viewer, case, shown, masks)


def voxel(layers) -> list[int]:
    return [int(layer.data[INSIDE][0]) for layer in layers.values()]


@pytest.mark.parametrize("is_abandoned", [False, True])
def test_regions_of_other_patients_stay_nested_while_a_result_waits(viewer, is_abandoned):
    first, second = case_along(name="First"), case_along(name="Second")
    layers = show_segmentation(viewer, first, segmentation(first))
    shown = steps(viewer, segmentation(second), second)
    next(shown), next(shown)
    layers[Region.ET].data_setitem(INSIDE, 1)
    assert voxel(layers) == [1, 1, 1]
    if not is_abandoned:
        list(shown)
    layers[Region.ET].undo()
    assert voxel(layers) == [0, 0, 0]  # what was drawn is still known


@pytest.mark.parametrize("painted_after", range(1, 7))
def test_what_is_painted_before_all_regions_are_there_is_nested(viewer, painted_after):
    case = case_along()
    shown = steps(viewer, segmentation(case), case)
    et, *_ = (next(shown) for _ in range(painted_after))
    et.data_setitem(INSIDE, 1)
    list(shown)
    layers = region_layers(viewer.layers, case)
    assert voxel(layers) == [1, 1, 1] and is_edited(viewer.layers, case)


def test_all_regions_hold_the_result_if_one_cannot_be_drawn(viewer):
    case = case_along()
    layers = show_segmentation(viewer, case, segmentation(case))
    second = segmentation(case, first=2)

    def fail(event) -> None:
        raise ValueError("no such colour")

    first_filled = next(iter(region_layers(viewer.layers, case).values()))
    first_filled.events.data.connect(fail)
    with pytest.raises(ValueError, match="no such colour"):
        list(steps(viewer, second, case))
    first_filled.events.data.disconnect(fail)
    layers[Region.ET].data_setitem(INSIDE, 1)
    layers[Region.ET].undo()
    for region, layer in layers.items():
        np.testing.assert_array_equal(layer.data, display_mask(second.mask(region), case))


def test_regions_are_nested_if_an_added_one_cannot_be_drawn(viewer):
    case = case_along()
    shown = steps(viewer, segmentation(case), case)
    next(shown), next(shown), next(shown)

    def fail(event) -> None:
        raise ValueError("no such colour")

    viewer.layers.events.inserted.connect(fail, position="first")
    with pytest.raises(ValueError, match="no such colour"):
        next(shown)
    viewer.layers.events.inserted.disconnect(fail)
    layers = region_layers(viewer.layers, case)
    layers[Region.ET].data_setitem(INSIDE, 1)
    assert voxel(layers) == [1, 1]
