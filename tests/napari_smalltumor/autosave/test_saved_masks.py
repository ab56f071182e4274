"""Which masks are in an autosave file, and that they are restored as they were."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers._layer_actions import _convert_dtype
from opened_case import Opened
from shown_layers import show_segmentation
from smalltumor.data.made_by import MadeBy
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region
from smalltumor.labels.schemes import SCHEMES

from napari_smalltumor import settings
from napari_smalltumor.autosave.mask_files import read_masks
from napari_smalltumor.autosave.restore import restore
from napari_smalltumor.finetune.run.prediction import Prediction, show_prediction
from napari_smalltumor.layers.coordinates import to_display
from napari_smalltumor.layers.create import labels_layer
from napari_smalltumor.layers.masks.region_masks import is_edited, segmentation_of
from napari_smalltumor.layers.metadata import LayerKind, role_of

along_all_axes = pytest.mark.parametrize("folder", ["LPS", "RSA", "AIL"], indirect=True)


def test_unedited_results_and_files_are_not_autosaved(folder):
    opened = Opened(folder).segmented()
    opened.save()
    assert opened.files == []
    assert not opened.autosave.folder.root.exists()


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("number_type", ["int64", "uint16"])
def test_a_region_that_is_converted_to_another_data_type_is_not_edited(folder, number_type, shown):
    opened = Opened(folder).segmented()
    for layer in opened.regions.values():
        layer.visible = shown
        opened.viewer.layers.selection.active = layer
        _convert_dtype(opened.viewer.layers, number_type)
        assert layer.data.dtype == number_type
    opened.save()
    assert opened.files == [] and not is_edited(opened.viewer.layers, opened.case)
    opened.paint()
    opened.save()
    assert len(opened.files) == 1 and is_edited(opened.viewer.layers, opened.case)


@along_all_axes
def test_edited_regions_are_restored_after_a_crash(edited, folder):
    painted = segmentation_of(edited.viewer.layers, edited.case).classes
    edited.autosave.folder.unlock()  # as the system does when a process dies
    reopened = Opened(folder)
    (file,) = reopened.autosave.restorable_files(reopened.case)
    layers = restore(reopened.viewer, reopened.case, read_masks(file))
    assert [layer.name for layer in reopened.viewer.layers[-3:]] == ["Pat WT", "Pat TC", "Pat ET"]
    assert {layer.name for layer in layers} == {"Pat WT", "Pat TC", "Pat ET"}
    assert np.array_equal(segmentation_of(reopened.viewer.layers, reopened.case).classes, painted)
    for region, layer in reopened.regions.items():
        assert np.array_equal(layer.data, edited.regions[region].data)


@along_all_axes
def test_restoring_over_a_new_result_replaces_it_in_place(edited, folder):
    painted = segmentation_of(edited.viewer.layers, edited.case).classes
    (file,) = edited.files
    reopened = Opened(folder).segmented()
    before = list(reopened.viewer.layers)
    restore(reopened.viewer, reopened.case, read_masks(file))
    assert list(reopened.viewer.layers) == before
    assert np.array_equal(segmentation_of(reopened.viewer.layers, reopened.case).classes, painted)


def test_all_masks_are_restored_also_if_one_of_them_cannot_be_drawn(edited, folder):
    def fail(event) -> None:
        raise ValueError("no memory on the card")

    painted = segmentation_of(edited.viewer.layers, edited.case).classes
    (file,) = edited.files
    reopened = Opened(folder).segmented()
    for layer in reopened.regions.values():
        layer.events.set_data.connect(fail)
    with pytest.raises(ValueError, match="no memory"):
        restore(reopened.viewer, reopened.case, read_masks(file))
    assert np.array_equal(segmentation_of(reopened.viewer.layers, reopened.case).classes, painted)


def test_masks_that_cannot_be_restored_leave_what_made_those_that_are_shown(
    edited, folder, monkeypatch
):
    (file,) = edited.files
    reopened = Opened(folder).segmented()
    before = [role_of(layer) for layer in reopened.regions.values()]

    def fail(*arguments) -> None:
        raise MemoryError

    monkeypatch.setattr("napari_smalltumor.autosave.restore.to_display", fail)
    with pytest.raises(MemoryError):
        restore(reopened.viewer, reopened.case, read_masks(file))
    assert [role_of(layer) for layer in reopened.regions.values()] == before


def test_a_restored_mask_is_of_the_network_that_made_it_and_not_of_the_mask_it_replaces(folder):
    opened = Opened(folder)
    shown = made_by_weights(opened, "starter")
    opened.paint()
    opened.save()
    (file,) = opened.files
    reopened = Opened(folder)
    made_by_weights(reopened, "another run")
    restore(reopened.viewer, reopened.case, read_masks(file))
    restored = segmentation_of(reopened.viewer.layers, reopened.case)
    assert restored.made_by == shown.edited
    assert restored.run is None  # the duration and device of the other run say nothing of it


def made_by_weights(opened: Opened, weights: str) -> MadeBy:
    classes = np.random.default_rng(5).integers(0, 4, opened.case.grid.shape).astype(np.uint8)
    made_by = MadeBy.network(weights, "c0ffee", "0.1.0")
    result = Segmentation(opened.case.name, classes, opened.case.grid, made_by=made_by)
    show_segmentation(opened.viewer, opened.case, result)
    return made_by


@along_all_axes
def test_an_edited_label_volume_is_saved_and_restored(folder):
    opened = Opened(folder)
    labels = opened.viewer.layers["Pat labels"]
    labels.data_setitem(tuple(np.array([n]) for n in (3, 4, 2)), 4 - int(labels.data[3, 4, 2]) % 2)
    opened.save()
    (file,) = opened.files
    reopened = Opened(folder)
    (layer,) = restore(reopened.viewer, reopened.case, read_masks(file))
    assert layer is reopened.viewer.layers["Pat labels"]
    assert np.array_equal(layer.data, labels.data)
    reopened.viewer.layers.remove(layer)
    (recreated,) = restore(reopened.viewer, reopened.case, read_masks(file))
    assert np.array_equal(recreated.data, labels.data)
    assert recreated.scale == pytest.approx(labels.scale)


def test_an_edited_prediction_is_restored_as_a_prediction(folder):
    opened = Opened(folder)
    scheme = SCHEMES["brats2018"]
    stored = np.zeros(opened.case.grid.shape, np.uint8)
    kind = LayerKind.PREDICTION
    data, attributes, _ = labels_layer(opened.case, stored, scheme, "Pat prediction", kind=kind)
    layer = opened.viewer.add_labels(data, **attributes)
    layer.data_setitem(tuple(np.array([n]) for n in (1, 2, 3)), 4)
    opened.save()
    (file,) = opened.files
    opened.viewer.layers.remove(layer)
    (restored,) = restore(opened.viewer, opened.case, read_masks(file))
    assert restored.data[1, 2, 3] == 4
    assert role_of(restored).kind is LayerKind.PREDICTION


@along_all_axes
def test_restored_edits_are_saved_again(edited, folder):
    (file,) = edited.files
    reopened = Opened(folder)
    reopened.autosave.mark_edited(restore(reopened.viewer, reopened.case, read_masks(file)))
    reopened.save()
    assert reopened.autosave.folder.file_of(reopened.case).exists()


def toggle_voxel(layer, at) -> None:
    layer.data_setitem(tuple(np.array([n]) for n in at), 1 - int(layer.data[at] != 0))


@pytest.mark.parametrize("region", list(Region))
def test_all_regions_of_a_case_are_saved_together(folder, region):
    opened = Opened(folder).segmented()
    before = opened.regions[region].data.copy()
    at = tuple(np.argwhere(opened.regions[Region.WT].data == 0)[0])
    toggle_voxel(opened.regions[region], at)
    opened.save()
    (file,) = opened.files
    masks = {mask.region: mask for mask in read_masks(file)}
    assert masks.keys() == set(Region)
    for kind, mask in masks.items():
        shown = np.array(to_display(mask.on_grid(opened.case.grid.shape), opened.case.grid))
        assert np.array_equal(shown, opened.regions[kind].data)
    opened.regions[region].undo()
    assert np.array_equal(opened.regions[region].data, before)
    opened.save()
    assert opened.files == []


@pytest.mark.parametrize("region", list(Region))
def test_a_removed_region_is_saved_with_the_others(edited, region):
    painted = {r: layer.data.copy() for r, layer in edited.regions.items()}
    edited.viewer.layers.remove(edited.regions[region])
    edited.save()
    (file,) = edited.files
    masks = {mask.region: mask for mask in read_masks(file)}
    assert masks.keys() == set(Region)
    grid = edited.case.grid
    for kind, mask in masks.items():
        assert np.array_equal(to_display(mask.on_grid(grid.shape), grid), painted[kind])


def prediction_of(case, voxels: int) -> Prediction:
    classes = np.zeros(case.grid.shape, np.uint8)
    classes[2 : 2 + voxels, 3, 3] = 3
    stored, kind = SCHEMES["brats2023"].encode(classes), LayerKind.PREDICTION
    layer = labels_layer(case, stored, SCHEMES["brats2023"], "prediction", kind=kind)
    return Prediction(case, layer, "")


def test_an_updated_prediction_does_not_count_as_an_edit(folder):
    opened = Opened(folder)
    for voxels in (2, 4, 0):
        layer = show_prediction(opened.viewer, prediction_of(opened.case, voxels))
        opened.save()
        assert opened.files == []
    layer.data_setitem((np.array([3]), np.array([4]), np.array([2])), 1)
    opened.save()
    assert len(opened.files) == 1


def test_nothing_is_saved_while_autosave_is_disabled(folder):
    settings.put("autosave", False)
    opened = Opened(folder).segmented()
    opened.paint()
    opened.save()
    opened.viewer.layers.clear()
    assert opened.files == []
