"""Masks from the window record the weights that made them, and whether they were edited there."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Layer
from napari_cases import case_along
from shown_layers import show_segmentation
from smalltumor.data.made_by import MadeBy, recorded_made_by
from smalltumor.data.masks.label_files import read_label_volume
from smalltumor.data.naming.export_names import RegionFile
from smalltumor.data.segmentation import InferenceRun, Segmentation
from smalltumor.labels.regions import Region
from smalltumor.version import software_version

from napari_smalltumor.autosave.mask_copies import MaskCopy
from napari_smalltumor.autosave.mask_files import read_masks, write_masks
from napari_smalltumor.autosave.restore import restore
from napari_smalltumor.export.case_export import export_case
from napari_smalltumor.export.layer_files import write_layer, write_region_layers
from napari_smalltumor.export.region_files import layers_of_masks, read_regions
from napari_smalltumor.layers.masks.region_masks import segmentation_of
from napari_smalltumor.layers.masks.regions import region_layer
from napari_smalltumor.layers.metadata import add_provenance, region_layers

DIGEST = "0123456789abcdef" * 4
RUN = InferenceRun(1.0, "cpu", "torch", "fifty patients", digest=DIGEST)
MADE = MadeBy("AUTOMATIC", "fifty patients", DIGEST[:16], software_version())


def shown(viewer, case):
    classes = np.random.default_rng(2).integers(0, 4, case.grid.shape).astype(np.uint8)
    return show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid, run=RUN))


def paint(layer) -> None:
    layer.data[tuple(np.argwhere(layer.data == 0)[0])] = 1


def exported(viewer, case, path) -> MadeBy | None:
    export_case(viewer, case, path, scheme="brats2018", overwrite=True)
    return recorded_made_by(read_label_volume(path))


def opened_again(viewer, case, path) -> None:
    viewer.layers.clear()
    masks, volume = read_regions(RegionFile(path, "Pat", None), case, is_chosen=True)
    for data in layers_of_masks(case, masks, [volume]):
        viewer.add_layer(Layer.create(*data))


def test_an_export_says_whether_the_result_was_edited_also_after_it_was_opened_again(
    viewer, tmp_path
):
    case, path = case_along(), tmp_path / "mask.nii.gz"
    shown(viewer, case)
    assert exported(viewer, case, path) == MADE
    opened_again(viewer, case, path)
    assert exported(viewer, case, path) == MADE
    paint(region_layers(viewer.layers, case)[Region.WT])
    assert exported(viewer, case, path) == MADE.edited
    opened_again(viewer, case, path)
    assert exported(viewer, case, path) == MADE.edited


def test_a_region_that_was_painted_or_removed_is_an_edit(viewer, tmp_path):
    case = case_along()
    layers = shown(viewer, case)
    viewer.layers.remove(layers[Region.ET])
    assert segmentation_of(viewer.layers, case).made_by == MADE.edited
    layers = shown(viewer, case)
    assert segmentation_of(viewer.layers, case).made_by == MADE
    paint(layers[Region.TC])
    assert segmentation_of(viewer.layers, case).made_by == MADE.edited


def test_regions_of_several_networks_are_not_said_to_be_of_one(viewer, tmp_path):
    case, path = case_along(), tmp_path / "mask.nii.gz"
    layers = shown(viewer, case)
    mask = segmentation_of(viewer.layers, case).mask(Region.ET)
    viewer.layers.remove(layers[Region.ET])
    other = MadeBy.network("other", "f" * 64, "1")
    viewer.add_layer(Layer.create(*region_layer(case, Region.ET, mask, made_by=other)))
    assert exported(viewer, case, path) == MadeBy("SEMIAUTOMATIC")


def test_napari_s_writers_record_it_too(viewer, tmp_path):
    case = case_along()
    layers = shown(viewer, case)
    data = [layer.as_layer_data_tuple() for layer in layers.values()]
    et = layers[Region.ET].as_layer_data_tuple()
    options = {"scheme": "brats2018", "overwrite": True, "layers": list(viewer.layers)}
    for edit, expected in ((lambda layer: None, MADE), (paint, MADE.edited)):
        edit(layers[Region.ET])
        path = write_layer(tmp_path / "et.nii.gz", et, **options)
        assert recorded_made_by(read_label_volume(path)) == expected
        path = write_region_layers(tmp_path / "mask.nii.gz", data, **options)
        assert recorded_made_by(read_label_volume(path)) == expected


def test_labels_drawn_in_a_new_layer_are_said_to_be_drawn_and_a_copy_of_a_region_is_not(
    viewer, tmp_path
):
    case = case_along()
    layers = shown(viewer, case)
    options = {"scheme": "brats2018", "overwrite": True}
    copied = viewer.add_labels(layers[Region.ET].data.copy(), metadata=layers[Region.ET].metadata)
    options["layers"] = list(viewer.layers)
    path = write_layer(tmp_path / "copy.nii.gz", copied.as_layer_data_tuple(), **options)
    assert recorded_made_by(read_label_volume(path)) is None
    data, attributes, _ = layers[Region.ET].as_layer_data_tuple()
    placed = {key: attributes[key] for key in ("scale", "translate", "units", "axis_labels")}
    drawn = viewer.add_labels(np.zeros_like(data), **placed)
    add_provenance(drawn, case, MadeBy("MANUAL"))
    drawn.data[1, 1, 1] = 1
    options["layers"] = list(viewer.layers)
    path = write_layer(tmp_path / "drawn.nii.gz", drawn.as_layer_data_tuple(), **options)
    assert recorded_made_by(read_label_volume(path)) == MadeBy("MANUAL")


@pytest.mark.parametrize("edited", [False, True])
def test_restored_edits_keep_the_weights(viewer, tmp_path, edited):
    case, path = case_along(), tmp_path / "saved.safetensors"
    layers = shown(viewer, case)
    if edited:
        paint(layers[Region.WT])
    copies = [MaskCopy(layer, 0, None) for layer in layers.values()]
    write_masks(path, case, [copy.cropped() for copy in copies])
    viewer.layers.clear()
    restore(viewer, case, read_masks(path))
    made_by = segmentation_of(viewer.layers, case).made_by
    assert made_by == (MADE.edited if edited else MADE)
