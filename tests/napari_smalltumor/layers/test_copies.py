"""A duplicate, a copy or a conversion of a layer is a plain layer; the original keeps its role."""

from __future__ import annotations

import copy

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels, Layer
from napari.layers._layer_actions import _convert_to_image, _duplicate_layer
from napari_cases import case_along
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region

from napari_smalltumor.autosave.mask_files import read_masks
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.export.case_export import case_to_export, export_case
from napari_smalltumor.layers.metadata import region_layers
from napari_smalltumor.lesions.search.viewer_segmentation import lesion_sources

VOXEL = (5, 5, 7)


def duplicate(viewer: ViewerModel, layer: Layer) -> Layer:
    """Layers > Duplicate."""
    viewer.layers.selection = {layer}
    _duplicate_layer(viewer.layers)
    return viewer.layers[viewer.layers.index(layer) + 1]


def copy_by_tuple(viewer: ViewerModel, layer: Layer) -> Layer:
    """A copy as scripts and other plugins create it."""
    return viewer.add_layer(Layer.create(*layer.as_layer_data_tuple()))


def shallow_copy(viewer: ViewerModel, layer: Layer) -> Layer:
    return viewer.add_layer(copy.copy(layer))


COPIES = (duplicate, copy_by_tuple, shallow_copy)


@pytest.fixture
def case():
    return case_along("RAS")


@pytest.fixture
def regions(viewer: ViewerModel, case):
    ensure_autosave(viewer)
    classes = np.zeros(case.grid.shape, np.uint8)
    classes[3:5, 3:5, 3:5] = 3
    return dict(show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid)))


def paint(layer: Labels) -> None:
    layer.data_setitem(tuple(np.array([n]) for n in VOXEL), 1)


@pytest.mark.parametrize("copied", COPIES)
def test_strokes_on_the_original_are_exported_nested_listed_and_autosaved(
    copied, viewer, case, regions, tmp_path
):
    original = regions[Region.ET]
    data = np.array(original.data)
    duplicated = copied(viewer, original)
    duplicated.data = data
    paint(original)

    assert region_layers(viewer.layers, case)[Region.ET] is original
    assert regions[Region.TC].data[VOXEL] == 1
    (written,) = export_case(viewer, case, tmp_path / "out.nii.gz", scheme="brats2018")
    assert np.count_nonzero(nib.load(written).dataobj) == 9
    (source,) = (s for s in lesion_sources(viewer.layers) if s.holds(original))
    assert source.layers[Region.ET] is original
    autosave = ensure_autosave(viewer).autosave
    autosave.save()
    autosave.wait()
    masks = {mask.region: mask for mask in read_masks(autosave.folder.file_of(case))}
    assert masks.keys() == set(Region)
    assert np.count_nonzero(masks[Region.ET].values) == 9


@pytest.mark.parametrize("copied", COPIES)
def test_strokes_on_a_copy_do_not_change_the_case(copied, viewer, case, regions, tmp_path):
    duplicated = copied(viewer, regions[Region.ET])
    duplicated.data = np.array(duplicated.data)
    paint(duplicated)
    assert regions[Region.TC].data[VOXEL] == 0
    (written,) = export_case(viewer, case, tmp_path / "out.nii.gz", scheme="brats2018")
    assert np.count_nonzero(nib.load(written).dataobj) == 8
    autosave = ensure_autosave(viewer).autosave
    autosave.save()
    autosave.wait()
    assert not autosave.folder.file_of(case).exists()


def test_a_copy_does_not_inherit_the_role_of_a_deleted_original(viewer, case, regions):
    duplicate(viewer, regions[Region.ET])
    viewer.layers.remove(regions[Region.ET])
    assert set(region_layers(viewer.layers, case)) == {Region.TC, Region.WT}


def test_a_region_converted_to_an_image_has_no_role(viewer, case, regions):
    viewer.layers.selection = {regions[Region.ET]}
    _convert_to_image(viewer.layers)
    assert set(region_layers(viewer.layers, case)) == {Region.TC, Region.WT}
    viewer.layers.remove(regions[Region.TC])
    viewer.layers.remove(regions[Region.WT])
    assert case_to_export(viewer) is None
