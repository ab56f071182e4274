"""Measures of phantoms that can be measured by hand, and of a real case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.midsagittal_plane import MidsagittalPlane
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import GridMismatchError
from smalltumor.geometry.grid import Grid
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.lesions import find_lesions
from smalltumor.measures import TARGET_LESIONS, measure_case, measure_classes
from synthetic import grid_along

SHAPE = (80, 80, 48)
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
GRID = Grid(SHAPE, LPS)
PLANE = MidsagittalPlane((1.0, 0.0, 0.0), -39.5, 1.0)


def box(*spans, value=TissueClass.ET, classes=None, shape=SHAPE):
    classes = np.zeros(shape, np.uint8) if classes is None else classes
    classes[tuple(slice(*span) for span in spans)] = value
    return classes


def ball(radius_mm, centre, spacing=(1.0, 1.0, 1.0), shape=SHAPE):
    where = (np.stack(np.indices(shape), axis=-1) - np.array(centre)) * spacing
    return np.where(np.square(where).sum(axis=-1) <= radius_mm**2, 3, 0).astype(np.uint8)


@settings(max_examples=15)
@given(
    st.floats(6, 14),
    st.sampled_from(["LPS", "RAS", "SPL", "IAR"]),
    st.sampled_from([1.0, 0.7, 3.0]),
    st.sampled_from([0.0, 15.0]),
)
def test_a_ball_has_its_volume_and_diameters_on_any_grid(radius, axes, thickness, degrees):
    spacing = np.ones(3)
    along = next(n for n, code in enumerate(axes) if code in "SI")
    spacing[along] = thickness
    shape = tuple(int(n) for n in np.ceil(34 / spacing))
    grid = grid_along(axes, shape, spacing, degrees)
    classes = ball(radius, np.array(shape) / 2, spacing, shape)
    found = measure_classes(classes, grid)
    volume = 4 / 3 * np.pi * radius**3
    shell = volume - 4 / 3 * np.pi * max(radius - 1, 0) ** 3  # a voxel's depth
    assert found.volumes_ml["et"] * 1000 == pytest.approx(volume, abs=shell)
    (lesion,) = found.lesions
    assert lesion.equivalent_diameter_mm == pytest.approx(2 * radius, abs=1)
    axial = lesion.lesion.axial
    assert axial.longest_mm == pytest.approx(2 * radius, abs=1.5)
    assert axial.perpendicular_mm == pytest.approx(2 * radius, abs=1.5)


def test_volumes_are_those_of_the_classes():
    classes = box((0, 10), (0, 10), (0, 10))
    box((10, 20), (0, 10), (0, 10), value=TissueClass.NCR, classes=classes)
    box((20, 40), (0, 10), (0, 10), value=TissueClass.ED, classes=classes)
    found = measure_classes(classes, GRID)
    assert found.volumes_ml == {"et": 1.0, "tc": 2.0, "wt": 4.0, "ncr": 1.0, "ed": 2.0}


def test_what_a_mask_does_not_tell_apart_is_absent():
    known = (TissueClass.BACKGROUND, TissueClass.ED, TissueClass.ET)
    found = measure_classes(box((0, 10), (0, 10), (0, 10)), GRID, known=known)
    assert found.volumes_ml == {"et": 1.0, "tc": None, "wt": None, "ncr": None, "ed": 0.0}
    assert found.regions[Region.TC] is None
    assert found.foci is None
    assert found.regions[Region.ET].side is None  # no midsagittal plane


def test_an_empty_mask_has_volumes_but_no_diameters():
    found = measure_classes(np.zeros(SHAPE, np.uint8), GRID, plane=PLANE)
    assert set(found.volumes_ml.values()) == {0.0}
    assert found.regions == dict.fromkeys(Region)
    assert (found.lesions, found.sums, found.foci, found.foci_distance_mm) == ((), None, 0, None)


def test_a_lesion_is_on_the_side_of_its_centre_and_as_far_from_the_plane_as_its_nearest_voxel():
    right = measure_classes(box((5, 15), (0, 9), (0, 9)), GRID, plane=PLANE).lesions[0]
    assert (right.lesion.side, right.midline_mm) == ("right", pytest.approx(39.5 - 14))
    left = measure_classes(box((60, 70), (0, 9), (0, 9)), GRID, plane=PLANE).lesions[0]
    assert (left.lesion.side, left.midline_mm) == ("left", pytest.approx(60 - 39.5))
    both = measure_classes(box((38, 60), (0, 9), (0, 9)), GRID, plane=PLANE).lesions[0]
    assert (both.lesion.side, both.midline_mm) == ("left", 0.0)


def test_a_region_on_both_sides_does_not_cross_the_plane_unless_a_part_does():
    classes = box((5, 15), (0, 9), (0, 9))
    box((60, 70), (0, 9), (0, 9), classes=classes)
    region = measure_classes(classes, GRID, plane=PLANE).regions[Region.ET]
    assert (region.side, region.midline_mm) == ("both", pytest.approx(60 - 39.5))
    box((38, 42), (20, 29), (0, 9), classes=classes)
    region = measure_classes(classes, GRID, plane=PLANE).regions[Region.ET]
    assert (region.side, region.midline_mm) == ("both", 0.0)


def test_foci_are_cores_and_their_greatest_distance_is_between_centres():
    classes = box((0, 5), (0, 5), (0, 5))
    box((5, 8), (0, 5), (0, 5), value=TissueClass.NCR, classes=classes)
    box((8, 13), (0, 5), (0, 5), classes=classes)  # two parts of ET, one core
    box((40, 45), (0, 5), (0, 5), classes=classes)
    box((40, 45), (30, 35), (0, 5), classes=classes)
    found = measure_classes(classes, GRID)
    assert len(found.lesions) == 4
    assert found.foci == 3
    assert found.foci_distance_mm == pytest.approx(np.hypot(42 - 6, 30))


def test_sums_are_over_the_five_largest_measurable_lesions():
    classes = np.zeros(SHAPE, np.uint8)
    for n, width in enumerate((10, 11, 12, 13, 14, 15)):
        box(
            (n * 13 % 65, n * 13 % 65 + 11),
            (n // 5 * 20, n // 5 * 20 + width),
            (0, 3),
            classes=classes,
        )
    box((70, 79), (60, 66), (0, 9), classes=classes)  # less than 10 mm across
    found = measure_classes(classes, GRID)
    assert len(found.measurable) == 6
    assert len(found.sums.lesions) == TARGET_LESIONS
    products = sorted(x.lesion.axial.product_mm2 for x in found.measurable)[1:]
    assert found.sums.product_mm2 == pytest.approx(sum(products))
    assert found.sums.lesions[0] == found.lesions[0].lesion.id


def test_of_a_rim_around_necrosis_the_core_is_measured_with_it_and_the_lesion_without():
    classes = box((10, 50), (10, 50), (4, 40))
    box((16, 44), (16, 44), (10, 34), value=TissueClass.NCR, classes=classes)
    found = measure_classes(classes, GRID)
    core, rim = found.regions[Region.TC].axial, found.regions[Region.ET].axial
    assert core.longest_mm == pytest.approx(40 * np.sqrt(2), abs=1) and core.measurable
    assert rim.has_cavity and rim.perpendicular_mm < 10
    assert found.lesions[0].lesion.axial == rim and found.sums is None


def test_small_lesions_are_those_below_the_threshold_in_mm3():
    classes = box((0, 10), (0, 10), (0, 10))
    box((30, 50), (30, 50), (0, 10), classes=classes)
    assert len(measure_classes(classes, GRID).small_lesions) == 1
    assert not measure_classes(classes, GRID, threshold=1000).small_lesions
    assert len(measure_classes(classes, Grid(SHAPE, np.diag([1, 1, 0.5, 1]))).small_lesions) == 1


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(GridMismatchError, match="shape"):
        measure_classes(np.zeros((2, 2, 2), np.uint8), GRID)


def test_lesions_of_the_real_case_are_those_of_the_table(sample_folder):
    case = read_case(sample_folder)
    segmentation = Segmentation(case.name, read_labels(case)[0], case.grid)
    found = measure_case(case, segmentation)
    table = find_lesions(segmentation)
    assert [each.lesion.id for each in found.lesions] == [x.id for x in reversed(table)]
    for each, row in zip(found.lesions, reversed(table), strict=True):
        assert (each.lesion.mm3, each.lesion.axial) == (row.mm3, row.axial)
    assert all(found.volumes_ml[r] == segmentation.volume_ml(r) for r in Region)


def test_scores_are_those_that_are_given():
    classes = box((0, 10), (0, 10), (0, 10))
    box((30, 33), (30, 33), (0, 3), classes=classes)
    found = measure_classes(
        classes, GRID, give_scores=lambda lesions: [replace(x, score=1 / x.id) for x in lesions]
    )
    assert [each.lesion.score for each in found.lesions] == [0.5, 1.0]
    assert all(each.lesion.score is None for each in measure_classes(classes, GRID).lesions)


def test_a_lesion_that_was_painted_has_no_probability():
    classes = box((0, 10), (0, 10), (0, 10))
    box((30, 33), (30, 33), (0, 3), classes=classes)

    def lookup(voxels):
        et = np.where(voxels[:, 0] < 20, 0.9, 0.1)
        return np.stack([1 - et, 0 * et, 0 * et, et])

    large, small = measure_classes(classes, GRID, lookup=lookup).lesions
    assert large.lesion.mean_probability == pytest.approx(0.9)
    assert small.lesion.mean_probability is None


def test_the_share_that_a_reader_added_is_that_of_voxels_which_the_network_gave_another_class():
    classes = box((0, 10), (0, 10), (0, 10))

    def lookup(voxels):
        et = np.where(voxels[:, 0] < 8, 0.6, 0.1)
        return np.stack([1 - et, 0 * et, 0 * et, et])

    (lesion,) = measure_classes(classes, GRID, lookup=lookup).lesions
    assert lesion.added_share == pytest.approx(0.2)
    assert measure_classes(classes, GRID).lesions[0].added_share is None
