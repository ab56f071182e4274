"""The status bar names the keys of this window for all layers, as it has them."""

from __future__ import annotations

import numpy as np
import pytest
from napari_cases import case_along
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation

from napari_smalltumor import keys
from napari_smalltumor.display.layer_help import ensure_layer_help
from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.patients.active_patient import active_patient

IMAGE = "1-4 sequence   H hide masks   N next lesion   ? all keys"
MASK = "P brush   E eraser   Ctrl+Z undo   1-4 sequence   N next lesion   ? all keys"
TOOL = "P brush   E eraser   [ and ] brush size   Ctrl+Z undo   Z end painting   ? all keys"


@pytest.fixture(params=[True, False], ids=["before", "after"])
def shown(viewer, request):
    """A viewer with a patient, opened after or before the keys are named."""
    active_patient(viewer)
    if request.param:
        ensure_layer_help(viewer)
    case = case_along()
    for data, attributes, _ in image_layers(case):
        viewer.add_image(data, **attributes)
    classes = np.ones(case.grid.shape, np.uint8)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))
    ensure_layer_help(viewer)
    return viewer


def test_a_selected_mask_or_image_names_the_keys_of_the_window(shown):
    et = shown.layers["Pat ET"]
    assert shown.layers.selection.active is et and shown.help == MASK
    for mode, expected in (("paint", TOOL), ("erase", TOOL), ("pan_zoom", MASK)):
        et.mode = mode
        assert shown.help == et.help == expected
    shown.layers.selection.active = shown.layers["Pat T1CE"]
    assert shown.help == IMAGE


def test_other_layers_name_the_keys_of_the_window_too(shown):
    labels = shown.add_labels(np.zeros((3, 3, 3), np.uint8))
    assert shown.help == MASK
    labels.mode = "paint"
    assert shown.help == TOOL


def test_points_that_are_being_drawn_name_the_keys_of_napari(shown):
    points = shown.add_points(np.zeros((1, 3)))
    assert shown.help == IMAGE
    points.mode = "add"
    assert shown.help != IMAGE
    points.mode = "pan_zoom"
    assert shown.help == IMAGE


def test_a_hint_about_blending_is_kept(shown):
    image = shown.layers["Pat T1CE"]
    image.help = "a hint"
    assert image.help == "a hint"
    image.help = ""
    assert image.help == IMAGE


def test_the_named_keys_are_on_the_sheet_of_keys():
    listed = {key for topics in keys.COLUMNS for topic in topics.values() for key in topic}
    named = {*keys.MASK_HELP, *keys.TOOL_HELP, *keys.IMAGE_HELP}
    assert {key.short for key in named - listed} == {"sequence"}
