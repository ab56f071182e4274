"""Lesions listed from layers have the positions and sizes of the source file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lesion_layers import classes, show_classes, show_drawn_regions, show_regions, synthetic_case
from smalltumor.data.midsagittal_plane import midsagittal_plane
from smalltumor.labels.regions import Region
from smalltumor.lesions import find_lesions
from synthetic import ORIENTATIONS

from napari_smalltumor.lesions.search.viewer_segmentation import lesion_sources


def listed(viewer, region=Region.ET):
    (source,) = lesion_sources(viewer.layers)
    return source, source.snapshot(region).lesions(10)


@pytest.mark.parametrize("axcodes", ORIENTATIONS[::5])
@pytest.mark.parametrize("show", [show_drawn_regions, show_classes])
def test_layers_in_any_orientation_give_the_lesions_of_the_source_file(viewer, show, axcodes):
    case = synthetic_case(axcodes)
    show(viewer, case)
    for region in Region:
        _, lesions = listed(viewer, region)
        assert lesions == find_lesions(
            classes(), case.grid, region=region, threshold=10, plane=midsagittal_plane(case)
        )


def test_only_a_lesion_that_the_network_can_have_found_has_a_probability(viewer):
    show_regions(viewer, synthetic_case())
    source, _ = listed(viewer)
    snapshot = source.snapshot(Region.ET)

    def lookup(voxels):
        background = 1.0 - 0.1 * (len(voxels) == 2) - 0.9 * (len(voxels) == 12)
        et = 1 - background
        return np.array([[p] * len(voxels) for p in (background, 0, 0, et)], np.float32)

    lesions = replace(snapshot, lookup=lookup).lesions(10)
    found = {x.voxels: x.mean_probability for x in lesions}
    assert found == {2: None, 12: pytest.approx(0.9), 216: None}


@pytest.mark.parametrize("axcodes", ORIENTATIONS[::7])
def test_the_box_of_a_lesion_in_the_layer_contains_its_voxels(viewer, axcodes):
    show_regions(viewer, synthetic_case(axcodes))
    source, lesions = listed(viewer)
    data = source.layers[Region.ET].data
    for lesion in lesions:
        box = source.box_in_data(lesion)
        assert np.count_nonzero(data[box]) == lesion.voxels
        spans = {stop - start for start, stop in lesion.bbox}
        assert {s.stop - s.start for s in box} == spans
        centre = source.to_data(lesion.centroid_voxel)
        assert centre == pytest.approx(np.argwhere(data[box]).mean(axis=0) + [s.start for s in box])


def test_world_coordinates_agree_with_patient_coordinates(viewer):
    show_regions(viewer, synthetic_case("ILA"))
    source, lesions = listed(viewer)
    for lesion in lesions:
        down, back, left = source.any_layer.data_to_world(source.to_data(lesion.centroid_voxel))
        assert (-left, -back, -down) == pytest.approx(lesion.centroid_ras_mm)


def test_a_plain_labels_layer_is_measured_with_its_own_transform(viewer):
    data = np.zeros((10, 11, 12), np.int32)
    data[3, 4, 5:8] = 7
    data[6, 4, 5] = 2
    viewer.add_labels(data, scale=(2, 1, 0.5), translate=(10, 20, 30), name="drawn")
    source, (one, three) = listed(viewer)
    assert (source.name, one.voxels, three.voxels) == ("drawn", 1, 3)
    assert one.mm3 == pytest.approx(1)
    assert three.centroid_voxel == (3, 4, 6)
    assert three.centroid_ras_mm == pytest.approx((-(30 + 3), -(20 + 4), 10 + 6))
    assert three.diameters_slice == three.slices[0] == 3


def test_a_layer_drawn_on_a_case_has_the_coordinates_of_the_case(viewer):
    show_regions(viewer, synthetic_case())
    like = viewer.layers[0]
    data = np.zeros(like.data.shape, np.uint8)
    data[3, 4, 5] = 1
    drawn = viewer.add_labels(data, scale=like.scale, translate=like.translate, name="drawn")
    source = lesion_sources(viewer.layers)[0]
    (one,) = source.snapshot(Region.ET).lesions(10)
    down, back, left = drawn.data_to_world((3, 4, 5))
    assert one.centroid_ras_mm == pytest.approx((-left, -back, -down))


def test_sources_are_3d_labels_and_the_regions_of_a_case_are_one_source(viewer):
    viewer.add_labels(np.zeros((4, 4), np.uint8), name="flat")
    viewer.add_image(np.zeros((4, 4, 4)))
    viewer.add_labels(np.zeros((4, 4, 4), np.uint8), name="drawn")
    show_regions(viewer, synthetic_case())
    assert [source.name for source in lesion_sources(viewer.layers)] == ["drawn", "Pat"]
    assert set(lesion_sources(viewer.layers)[1].layers) == set(Region)


def test_a_snapshot_does_not_change_when_the_layer_is_painted(viewer):
    show_regions(viewer, synthetic_case())
    source, _ = listed(viewer)
    before = source.snapshot(Region.ET)
    assert source.snapshot(Region.ET).shows_the_same(before)
    source.layers[Region.ET].data[:] = 0
    assert len(before.lesions(10)) == 3
    assert not source.snapshot(Region.ET).shows_the_same(before)
