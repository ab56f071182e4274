"""The case and masks that are added to a training folder."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Layer
from napari_cases import case_along
from shown_layers import show_segmentation
from smalltumor.data.made_by import MadeBy
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import CaseError, LabelError
from smalltumor.labels.regions import Region
from smalltumor.labels.schemes import READ_SCHEMES, SCHEMES

from napari_smalltumor.finetune.cases.training_masks import (
    case_to_add,
    is_as_segmented,
    mask_to_add,
)
from napari_smalltumor.finetune.run.prediction import Prediction, prediction_name, show_prediction
from napari_smalltumor.layers.create import image_layers, labels_layer
from napari_smalltumor.layers.metadata import LayerKind, case_of, region_layers

SCHEME = SCHEMES["brats2023"]


@pytest.fixture
def case():
    return case_along("RAS")


@pytest.fixture
def classes(case):
    return np.random.default_rng(4).integers(0, 4, case.grid.shape).astype(np.uint8)


def open_images(viewer, case):
    for data in image_layers(case):
        viewer.add_layer(Layer.create(*data))


def prediction_of(case, classes) -> Prediction:
    kind, name = LayerKind.PREDICTION, prediction_name(case.name)
    layer = labels_layer(case, SCHEME.encode(classes), SCHEME, name, kind=kind)
    return Prediction(case, layer, "")


def test_a_case_without_masks_cannot_be_added(viewer, case):
    assert case_to_add(viewer) is None
    open_images(viewer, case)
    assert case_to_add(viewer) is None
    with pytest.raises(CaseError, match="no masks"):
        mask_to_add(viewer, case)


@pytest.mark.parametrize("scheme", list(SCHEMES))
def test_an_edited_label_volume_is_added_with_its_edits(viewer, case, classes, scheme):
    open_images(viewer, case)
    data = labels_layer(case, SCHEMES[scheme].encode(classes), SCHEMES[scheme])
    layer = viewer.add_layer(Layer.create(*data))
    np.testing.assert_array_equal(mask_to_add(viewer, case).classes, classes)
    layer.data[:] = 0
    assert case_to_add(viewer) is case
    assert not mask_to_add(viewer, case).classes.any()


def test_a_label_volume_whose_file_lacks_a_class_is_added_once_that_was_painted(viewer, case):
    open_images(viewer, case)
    known = READ_SCHEMES["hd-glio"].known_classes
    stored = np.full(case.grid.shape, SCHEME.et, np.uint8)
    layer = viewer.add_layer(Layer.create(*labels_layer(case, stored, SCHEME, known=known)))
    with pytest.raises(LabelError, match="no class for necrosis or non-enhancing core: a network"):
        mask_to_add(viewer, case)
    layer.data[0, 0, 0] = SCHEME.ncr
    assert mask_to_add(viewer, case).classes[0].any()


def test_regions_take_precedence_over_label_volumes(viewer, case, classes):
    open_images(viewer, case)
    viewer.add_layer(Layer.create(*labels_layer(case, SCHEME.encode(classes), SCHEME)))
    empty = np.zeros_like(classes)
    empty[2, 3, 4] = 3
    show_segmentation(viewer, case, Segmentation(case.name, empty, case.grid))
    np.testing.assert_array_equal(mask_to_add(viewer, case).classes, empty)
    assert region_layers(viewer.layers, case)[Region.ET].data.sum() == 1


def test_a_prediction_is_not_added_to_the_training_folder(viewer, case, classes):
    show_prediction(viewer, prediction_of(case, classes))
    assert [layer.name for layer in viewer.layers][-1] == "Pat in training"
    assert len(viewer.layers) == 5
    assert case_to_add(viewer) is None


def test_a_later_prediction_replaces_the_first(viewer, case, classes):
    first = show_prediction(viewer, prediction_of(case, classes))
    second = show_prediction(viewer, prediction_of(case, np.zeros_like(classes)))
    assert first is second
    assert not second.data.any()
    assert case_of(second) is case


@pytest.mark.parametrize("edited", [False, True])
def test_a_label_volume_is_added_with_what_its_file_records(viewer, case, classes, edited):
    open_images(viewer, case)
    made_by = MadeBy.network("starter", "0123", "1")
    data = labels_layer(case, SCHEME.encode(classes), SCHEME, made_by=made_by)
    layer = viewer.add_layer(Layer.create(*data))
    assert is_as_segmented(mask_to_add(viewer, case))
    if edited:
        layer.data[3, 3, 3] = (layer.data[3, 3, 3] + 1) % 3
    mask = mask_to_add(viewer, case)
    assert mask.made_by == (made_by.edited if edited else made_by)
    assert is_as_segmented(mask) != edited


def test_a_mask_of_which_nothing_is_known_is_not_taken_for_a_networks(viewer, case, classes):
    open_images(viewer, case)
    viewer.add_layer(Layer.create(*labels_layer(case, SCHEME.encode(classes), SCHEME)))
    mask = mask_to_add(viewer, case)
    assert mask.made_by is None
    assert not is_as_segmented(mask)
