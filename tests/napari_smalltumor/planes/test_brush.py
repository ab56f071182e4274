"""The brush paints in every plane as napari's does on its canvas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion_layers import show_regions, synthetic_case
from napari.components import Dims
from napari.layers import Labels
from napari_cases import write_case_along
from smalltumor.labels.regions import Region

from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.planes.brush import Stroke, layer_to_paint
from napari_smalltumor.planes.plane import AXIAL, CORONAL, PLANES

ORDERS = {0: (0, 1, 2), 1: (1, 0, 2), 2: (2, 0, 1)}


@settings(max_examples=40, deadline=None)
@given(
    size=st.integers(1, 9),
    plane=st.sampled_from(PLANES),
    scale=st.tuples(*[st.sampled_from([1.0, 1.5, 2.0, 3.0])] * 3),
    voxel=st.tuples(*[st.integers(0, 11)] * 3),
    dimensions=st.sampled_from([2, 3]),
)
def test_one_dab_paints_the_voxels_of_naparis_brush(size, plane, scale, voxel, dimensions):
    layers = []
    for _ in range(2):
        layer = Labels(np.zeros((12, 12, 12), np.uint8), scale=scale)
        layer.brush_size, layer.n_edit_dimensions, layer.mode = size, dimensions, "paint"
        layers.append(layer)
    ours, naparis = layers
    stroke = Stroke(ours, plane)
    stroke.continue_to(tuple(ours.data_to_world(voxel)))
    stroke.end()
    dims = Dims(ndim=3, order=ORDERS[plane.sliced])
    dims.set_range([0, 1, 2], [(0, 12 * s, s) for s in scale])
    dims.point = tuple(naparis.data_to_world(voxel))
    naparis._slice_dims(dims)
    naparis.paint(voxel, 1)
    assert np.array_equal(ours.data, naparis.data)


@pytest.fixture
def regions(viewer):
    show_regions(viewer, synthetic_case())
    active_patient(viewer)
    return {region_of(layer): layer for layer in viewer.layers}


def select(viewer, layer, mode="paint"):
    viewer.layers.selection.active = layer
    layer.mode, layer.brush_size = mode, 3


def stroke(viewer, plane, *voxels):
    layer = layer_to_paint(viewer)
    drawn = Stroke(layer, plane)
    for voxel in voxels:
        drawn.continue_to(tuple(layer.data_to_world(voxel)))
    drawn.end()


def test_a_stroke_without_gaps_is_one_step_of_undo_and_nested(viewer, regions):
    before = {region: np.array(layer.data) for region, layer in regions.items()}
    et = regions[Region.ET]
    select(viewer, et)
    stroke(viewer, CORONAL, (3, 3, 3), (3, 3, 15), (12, 3, 15))
    assert et.data[3, 3, 3:16].all()
    assert et.data[3:13, 3, 15].all()
    assert not np.any(et.data[:, 4] != before[Region.ET][:, 4]), "the brush is one voxel thick"
    for outer in (Region.TC, Region.WT):
        assert not np.any((et.data > 0) & (regions[outer].data == 0))
    et.undo()
    for region, layer in regions.items():
        assert np.array_equal(layer.data, before[region])
    et.redo()
    assert et.data[12, 3, 15]


def test_the_eraser_erases_and_labels_can_be_preserved(viewer, regions):
    wt = regions[Region.WT]
    wt.data = np.ones_like(wt.data)
    select(viewer, wt, "erase")
    stroke(viewer, AXIAL, (2, 20, 20))
    assert wt.data[2, 20, 20] == 0
    select(viewer, wt, "paint")
    wt.preserve_labels = True
    wt.data[2, 18, 20] = 2
    stroke(viewer, AXIAL, (2, 19, 20))
    assert wt.data[2, 20, 20] == 1
    assert wt.data[2, 18, 20] == 2


def test_a_stroke_that_leaves_the_image_paints_inside_only(viewer, regions):
    select(viewer, et := regions[Region.ET])
    et.data = np.zeros_like(et.data)
    stroke(viewer, AXIAL, (2, 0, 0), (2, -6, -6))
    assert 0 < et.data.sum() == et.data[2, :2, :2].sum()


def test_nothing_hidden_unselected_or_of_another_patient_is_painted(viewer, tmp_path):
    for name in ("A", "B"):
        open_case(viewer, write_case_along(tmp_path / name))
    patients = active_patient(viewer)
    first, second = patients.patients
    labels = {
        p: next(x for x in viewer.layers if x.name == f"{p.name} labels") for p in (first, second)
    }
    select(viewer, labels[second])
    assert layer_to_paint(viewer) is labels[second]
    labels[second].mode = "pan_zoom"
    assert layer_to_paint(viewer) is None
    labels[second].mode = "paint"
    labels[second].visible = False
    assert layer_to_paint(viewer) is None
    labels[second].visible = True
    select(viewer, labels[first])
    assert layer_to_paint(viewer) is None
    with labels[first].events.visible.blocker():
        labels[first].visible = True
    assert layer_to_paint(viewer) is None
