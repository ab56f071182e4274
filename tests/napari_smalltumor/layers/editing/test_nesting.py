"""Edits keep ET inside TC inside WT, and can be undone."""

import itertools

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers._layer_actions import _convert_dtype
from napari.utils._proxies import PublicOnlyProxy
from napari_cases import case_along
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region

from napari_smalltumor.layers.coordinates import from_display
from napari_smalltumor.layers.editing.nesting import ensure_nesting
from napari_smalltumor.layers.masks.region_masks import is_edited, segmentation_of
from napari_smalltumor.layers.metadata import region_layers

INSIDE, OUTSIDE = (5, 5, 4), (5, 5, 7)


@pytest.fixture
def case():
    return case_along("RAS")


@pytest.fixture
def layers(viewer: ViewerModel, case):
    """ET of one voxel, in a TC of three, in a WT of five."""
    shown = np.zeros((11, 10, 9), np.uint8)
    shown[5, 5, 2:7], shown[5, 5, 3:6], shown[5, 5, 4] = 2, 1, 3
    classes = np.ascontiguousarray(from_display(shown, case.grid))
    segmentation = Segmentation(case.name, classes, case.grid)
    show_segmentation(viewer, case, segmentation)
    return region_layers(viewer.layers, case)


def sizes(layers) -> dict[str, int]:
    return {region.value: int(np.count_nonzero(layer.data)) for region, layer in layers.items()}


START = {"wt": 5, "tc": 3, "et": 1}


def test_the_layers_hold_the_segmentation(layers):
    assert sizes(layers) == START
    assert [layer.name for layer in layers.values()] == ["Pat WT", "Pat TC", "Pat ET"]


def test_the_regions_stay_nested_when_a_converted_one_is_painted_with_a_large_number(
    viewer, layers
):
    viewer.layers.selection.active = layers[Region.ET]
    _convert_dtype(viewer.layers, "int64")
    assert sizes(layers) == START
    layers[Region.ET].data_setitem(tuple(np.array([n]) for n in OUTSIDE), 256)
    assert sizes(layers) == {"wt": 6, "tc": 4, "et": 2}


def test_painting_et_adds_the_voxels_to_tc_and_wt(layers):
    layers[Region.ET].data_setitem(tuple(np.array([n]) for n in OUTSIDE), 1)
    assert sizes(layers) == {"wt": 6, "tc": 4, "et": 2}


def test_regions_are_nested_also_if_one_of_them_cannot_be_drawn(layers):
    def fail(event) -> None:
        raise ValueError("no memory on the card")

    layers[Region.TC].events.set_data.connect(fail)
    with pytest.raises(ValueError, match="no memory"):
        layers[Region.ET].data_setitem(tuple(np.array([n]) for n in OUTSIDE), 1)
    assert sizes(layers) == {"wt": 6, "tc": 4, "et": 2}


def test_undo_on_et_removes_the_voxels_added_to_tc_and_wt(layers):
    et = layers[Region.ET]
    et.data_setitem(tuple(np.array([n]) for n in OUTSIDE), 1)
    et.undo()
    assert sizes(layers) == START
    et.redo()
    assert sizes(layers) == {"wt": 6, "tc": 4, "et": 2}


def test_erasing_wt_does_not_erase_tc(layers):
    wt = layers[Region.WT]
    wt.brush_size = 9
    wt.paint((5, 5, 4), 0)
    assert sizes(layers) == {"wt": 3, "tc": 3, "et": 1}
    wt.undo()
    assert sizes(layers) == START


def test_erasing_et_leaves_necrosis(layers, case, viewer):
    layers[Region.ET].data_setitem(tuple(np.array([n]) for n in INSIDE), 0)
    assert sizes(layers) == {"wt": 5, "tc": 3, "et": 0}
    classes = segmentation_of(viewer.layers, case).classes
    assert np.bincount(classes.ravel(), minlength=4)[1:].tolist() == [3, 2, 0]


@pytest.mark.parametrize("outer", [Region.TC, Region.WT])
def test_erasing_an_outer_region_has_no_effect_inside_an_inner_one(layers, outer):
    layers[outer].data_setitem(tuple(np.array([n]) for n in INSIDE), 0)
    assert sizes(layers) == START
    layers[Region.ET].data_setitem(tuple(np.array([n]) for n in INSIDE), 0)
    assert sizes(layers) == {"wt": 5, "tc": 3, "et": 0}


def test_drawn_voxels_of_tc_remain_when_et_is_undone(layers):
    layers[Region.TC].data_setitem(tuple(np.array([n]) for n in OUTSIDE), 1)
    layers[Region.ET].data_setitem(tuple(np.array([n]) for n in OUTSIDE), 1)
    layers[Region.ET].undo()
    assert sizes(layers) == {"wt": 6, "tc": 4, "et": 1}


def test_any_nonzero_label_counts_as_inside(layers, case, viewer):
    layers[Region.ET].data_setitem(tuple(np.array([n]) for n in OUTSIDE), 3)
    assert sizes(layers) == {"wt": 6, "tc": 4, "et": 2}
    assert np.count_nonzero(segmentation_of(viewer.layers, case).classes == 3) == 2


def test_random_strokes_keep_the_regions_nested_and_match_the_segmentation(layers, case, viewer):
    rng = np.random.default_rng(4)
    for _ in range(60):
        layer = layers[rng.choice(list(Region))]
        match int(rng.integers(4)):
            case 0:
                layer.undo()
            case 1:
                layer.redo()
            case _:
                layer.brush_size = int(rng.integers(1, 5))
                layer.paint(tuple(rng.integers(0, 9, 3)), int(rng.integers(2)))
        et, tc, wt = (layers[r].data != 0 for r in Region)
        assert not np.any(et & ~tc)
        assert not np.any(tc & ~wt)
        classes = segmentation_of(viewer.layers, case).classes
        assert [np.count_nonzero(classes == 3), np.count_nonzero(classes % 2)] == [
            np.count_nonzero(et),
            np.count_nonzero(tc),
        ]


def test_a_new_result_replaces_masks_and_their_history(layers, case, viewer):
    layers[Region.ET].data_setitem(tuple(np.array([n]) for n in OUTSIDE), 1)
    assert is_edited(viewer.layers, case)
    empty = Segmentation(case.name, np.zeros(case.grid.shape, np.uint8), case.grid)
    updated = show_segmentation(viewer, case, empty)
    assert sizes(layers) == {"wt": 0, "tc": 0, "et": 0}
    assert len(viewer.layers) == 3
    assert all(updated[r] is layers[r] for r in Region)
    layers[Region.ET].undo()
    assert sizes(layers) == {"wt": 0, "tc": 0, "et": 0}
    assert not is_edited(viewer.layers, case)


def test_edits_of_one_case_do_not_change_another(layers, viewer):
    other = case_along("RAS", "Other")
    empty = Segmentation("Other", np.zeros(other.grid.shape, np.uint8), other.grid)
    others = show_segmentation(viewer, other, empty)
    layers[Region.ET].data_setitem(tuple(np.array([n]) for n in OUTSIDE), 1)
    assert sizes(others) == {"wt": 0, "tc": 0, "et": 0}
    assert sizes(layers) == {"wt": 6, "tc": 4, "et": 2}


def test_the_other_regions_stay_nested_when_one_layer_is_deleted(layers, viewer, case):
    viewer.layers.remove(layers.pop(Region.TC))
    layers[Region.ET].data_setitem(tuple(np.array([n]) for n in OUTSIDE), 1)
    assert sizes(layers) == {"wt": 6, "et": 2}
    assert np.count_nonzero(segmentation_of(viewer.layers, case).classes) == 6


def test_a_viewer_and_its_proxy_share_one_nesting(viewer):
    assert ensure_nesting(viewer) is ensure_nesting(viewer)
    assert ensure_nesting(PublicOnlyProxy(viewer)) is ensure_nesting(viewer)


REMOVED = [*itertools.permutations(Region, 1), *itertools.permutations(Region, 3)]


@pytest.mark.parametrize("removed", REMOVED, ids=lambda regions: " ".join(x.value for x in regions))
def test_undo_removes_what_a_stroke_added_also_after_layers_were_removed_and_restored(
    layers, viewer, removed
):
    et = layers[Region.ET]
    et.data_setitem(tuple(np.array([n]) for n in OUTSIDE), 1)
    for region in removed:
        viewer.layers.remove(layers[region])
    for region in removed:
        viewer.layers.append(layers[region])
    assert sizes(layers) == {"wt": 6, "tc": 4, "et": 2}
    et.undo()
    assert sizes(layers) == START
    et.redo()
    assert sizes(layers) == {"wt": 6, "tc": 4, "et": 2}


def test_what_is_drawn_in_tc_while_et_is_removed_stays_when_et_is_undone(layers, viewer):
    et, tc = layers[Region.ET], layers[Region.TC]
    et.data_setitem(tuple(np.array([n]) for n in OUTSIDE), 1)
    viewer.layers.remove(et)
    tc.data_setitem(tuple(np.array([n]) for n in (5, 6, 7)), 1)
    assert sizes(layers) == {"wt": 7, "tc": 5, "et": 2}
    viewer.layers.append(et)
    et.undo()
    assert sizes(layers) == {"wt": 6, "tc": 4, "et": 1}


def test_tc_keeps_what_et_added_when_tc_is_edited_while_et_is_removed(layers, viewer):
    et, tc = layers[Region.ET], layers[Region.TC]
    et.data_setitem(tuple(np.array([n]) for n in OUTSIDE), 1)
    viewer.layers.remove(et)
    tc.data_setitem((np.array([5]), np.array([4]), np.array([7])), 1)
    tc.data_setitem((np.array([5]), np.array([6]), np.array([7])), 1)
    tc.undo()
    assert tc.data[OUTSIDE] == 1 and sizes(layers) == {"wt": 7, "tc": 5, "et": 2}
