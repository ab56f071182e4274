"""Deleting a lesion, and undoing the deletion."""

from __future__ import annotations

import numpy as np
import pytest
from lesion_layers import show_classes, show_regions, synthetic_case
from napari.components import ViewerModel
from smalltumor.labels.regions import REGION_CLASSES, Region, TissueClass
from smalltumor.labels.schemes import SCHEMES

from napari_smalltumor.lesions.edits.changes import undo
from napari_smalltumor.lesions.edits.deletion import delete_lesions
from napari_smalltumor.lesions.search.viewer_segmentation import lesion_sources


def sizes(source) -> dict[Region, int]:
    return {region: int(source.mask(region).sum()) for region in Region}


def lesion_of(source, region, size):
    return next(x for x in source.snapshot(region).lesions(99) if x.voxels == size)


@pytest.fixture(params=[show_regions, show_classes])
def source(viewer, request):
    request.param(viewer, synthetic_case("RPI"))
    (source,) = lesion_sources(viewer.layers)
    return source


@pytest.mark.parametrize(
    ("region", "size", "deleted"),
    [
        (Region.ET, 2, {Region.ET: 2, Region.TC: 2, Region.WT: 2}),  # in healthy brain
        (
            Region.ET,
            12,
            {Region.ET: 12, Region.TC: 12, Region.WT: 0},
        ),  # the edema around it remains
        (
            Region.ET,
            216,
            {Region.ET: 216, Region.TC: 0, Region.WT: 0},
        ),  # the core around it remains
        (Region.TC, 720, {Region.ET: 216, Region.TC: 720, Region.WT: 0}),
        (Region.WT, 1320, {Region.ET: 216, Region.TC: 720, Region.WT: 1320}),
    ],
)
def test_a_lesion_is_deleted_with_inner_regions_and_outer_ones_that_contain_only_it(
    source, region, size, deleted
):
    before = sizes(source)
    _, changes = delete_lesions(source, region, [lesion_of(source, region, size)])
    assert {r: before[r] - n for r, n in sizes(source).items()} == deleted
    undo(changes)
    assert sizes(source) == before


def test_a_deleted_lesion_gets_the_class_of_the_tissue_around_it(viewer):
    show_classes(viewer, synthetic_case(), "brats2023")
    (source,) = lesion_sources(viewer.layers)
    layer = source.any_layer
    stored = SCHEMES["brats2023"].values
    for size, tissue in ((216, TissueClass.NCR), (12, TissueClass.ED), (2, TissueClass.BACKGROUND)):
        lesion = lesion_of(source, Region.ET, size)
        _, (change,) = delete_lesions(source, Region.ET, [lesion])
        assert np.unique(layer.data[change.indices]).tolist() == [stored[tissue]]


def test_a_deletion_can_be_undone_with_the_layers_own_undo(viewer):
    show_regions(viewer, synthetic_case())
    (source,) = lesion_sources(viewer.layers)
    before = sizes(source)
    delete_lesions(source, Region.ET, [lesion_of(source, Region.ET, 216)])
    source.layers[Region.ET].undo()
    assert sizes(source) == before


def test_a_lesion_edited_after_it_was_listed_is_not_deleted(source):
    lesion = lesion_of(source, Region.ET, 12)
    box = source.box_in_data(lesion)
    corner = tuple(span.start for span in box)
    source.layers[Region.ET].data[corner] = 0
    before = sizes(source)
    assert delete_lesions(source, Region.ET, [lesion]) == ([], [])
    assert sizes(source) == before


def test_a_lesion_is_deleted_from_a_layer_that_the_user_drew(viewer):
    data = np.zeros((10, 11, 12), np.uint8)
    data[3, 4, 5:8] = 1
    data[8, 4, 5] = 3
    viewer.add_labels(data)
    (source,) = lesion_sources(viewer.layers)
    _, changes = delete_lesions(source, Region.WT, [lesion_of(source, Region.WT, 1)])
    assert (len(changes), data.sum()) == (1, 3)
    undo(changes)
    assert data[8, 4, 5] == 3


@pytest.mark.parametrize("show", [show_regions, show_classes])
@pytest.mark.parametrize("seed", range(2))
def test_lesions_deleted_at_once_leave_what_they_leave_one_by_one(show, seed):
    """Random classes: lesions of a few voxels that touch cores, edema and each other's tissue."""
    rng = np.random.default_rng(seed)
    tissues = rng.choice(4, size=(24, 26, 28), p=(0.7, 0.1, 0.1, 0.1)).astype(np.uint8)
    left = []
    for at_once in (True, False):
        viewer = ViewerModel()
        show(viewer, synthetic_case())
        (source,) = lesion_sources(viewer.layers)
        if source.scheme is None:
            for region, layer in source.layers.items():
                layer.data = np.isin(tissues, list(REGION_CLASSES[region])).astype(np.uint8)
        else:
            source.any_layer.data = SCHEMES[source.scheme].encode(tissues)
        lesions = source.snapshot(Region.ET).lesions(99)
        # napari's undo history holds 100 steps
        chosen = [x for x in lesions if x.voxels < 5][:90]
        before = sizes(source)
        groups = [chosen] if at_once else [[lesion] for lesion in reversed(chosen)]
        changes = [delete_lesions(source, Region.ET, group)[1] for group in groups]
        left.append([source.mask(region).copy() for region in Region])
        for each in reversed(changes):
            undo(each)
        assert sizes(source) == before and len(chosen) > 20
    assert all(map(np.array_equal, *left))
