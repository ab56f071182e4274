"""A mask cannot be hidden below an image of its patient by moving layers."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari_cases import case_along
from qtpy.QtWidgets import QApplication
from shown_layers import open_segmented

from napari_smalltumor import notify
from napari_smalltumor.layers.create import image_layers, plain_labels_layer
from napari_smalltumor.viewer_setup import set_up


@pytest.fixture(autouse=True)
def said(monkeypatch) -> list[str]:
    """Messages, given at once, also where an earlier test has created an application."""
    shown: list[str] = []
    monkeypatch.setattr(notify, "info", shown.append)
    monkeypatch.setattr(QApplication, "instance", lambda: None)
    return shown


def names(viewer: ViewerModel) -> list[str]:
    return [layer.name for layer in viewer.layers]


IN_ORDER = ["Pat FLAIR", "Pat T2", "Pat T1", "Pat T1CE", "Pat WT", "Pat TC", "Pat ET"]


@pytest.mark.parametrize("below", range(4))
def test_a_region_that_is_moved_below_an_image_returns_to_its_place(viewer, said, below):
    open_segmented(viewer, "Pat")
    assert names(viewer) == IN_ORDER
    selected = viewer.layers.selection.active
    viewer.layers.move(6, below)
    assert names(viewer) == IN_ORDER
    assert said == ["Pat ET was put back above the images, which would cover it."]
    assert viewer.layers.selection.active is selected


def test_an_image_that_is_moved_above_the_regions_returns_below_them(viewer, said):
    open_segmented(viewer, "Pat")
    viewer.layers.move_multiple([1, 3], 7)
    assert names(viewer)[4:] == IN_ORDER[4:] and sorted(names(viewer)) == sorted(IN_ORDER)
    assert len(said) == 1 and "Pat WT, Pat TC and Pat ET were put back" in said[0]


@pytest.mark.parametrize("added", [(6, 5, 4), (5, 6, 4), (4,), (5,)])
def test_a_region_that_is_added_does_not_cover_those_within_it(viewer, said, added):
    open_segmented(viewer, "Pat")
    regions = [viewer.layers[index] for index in added]
    for region in regions:
        viewer.layers.remove(region)
    for region in regions:
        viewer.layers.append(region)
    assert names(viewer) == IN_ORDER and said == []
    viewer.layers.move(4, 7)
    moved = names(viewer)
    assert moved[-1] == "Pat WT"
    open_segmented(viewer, "Next")
    assert names(viewer)[:7] == moved  # by hand, and kept


def test_regions_that_were_opened_before_their_images_are_put_above_them(viewer, said):
    open_segmented(viewer, "Pat")
    images = [layer for layer in viewer.layers if layer.name in IN_ORDER[:4]]
    for image in images:
        viewer.layers.remove(image)
    for image in images:
        viewer.layers.append(image)
    assert names(viewer) == IN_ORDER and said == []


def test_images_and_regions_among_themselves_and_other_layers_are_moved_freely(viewer, said):
    open_segmented(viewer, "Pat")
    viewer.add_image(np.zeros((3, 3, 3)), name="atlas")
    viewer.layers.move(3, 0)
    viewer.layers.move(6, 4)
    viewer.layers.move(7, 5)
    moved = ["Pat T1CE", "Pat FLAIR", "Pat T2", "Pat T1", "Pat ET", "atlas", "Pat WT", "Pat TC"]
    assert names(viewer) == moved and said == []


def test_layers_of_others_keep_their_places(viewer, said):
    open_segmented(viewer, "Pat")
    viewer.add_points(np.zeros((1, 3)), name="points")
    viewer.layers.move(7, 2)
    viewer.layers.move(7, 0)
    assert names(viewer) == [*IN_ORDER[:2], "points", *IN_ORDER[2:]]


def test_a_hidden_patient_is_put_in_order_without_a_word(viewer, said):
    open_segmented(viewer, "Pat")
    open_segmented(viewer, "Next")
    viewer.layers.move(names(viewer).index("Pat ET"), 0)
    assert names(viewer)[:7] == IN_ORDER and said == []


def test_the_mask_of_a_file_stays_above_the_images_too(viewer, said):
    case = case_along(name="Pat")
    set_up(viewer)
    for data, attributes, _ in image_layers(case):
        viewer.add_image(data, **attributes)
    data, attributes, _ = plain_labels_layer(case, np.ones(case.grid.shape, np.uint8), "file")
    viewer.add_labels(data, **attributes)
    viewer.layers.move(4, 1)
    assert names(viewer)[-1] == "file" and len(said) == 1
