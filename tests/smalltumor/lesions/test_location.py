"""Side and slice numbers of a lesion, whatever the axes of its file."""

from __future__ import annotations

import numpy as np
import pytest
from report_cases import ball, brain_case
from smalltumor.data.midsagittal_plane import MidsagittalPlane, midsagittal_plane
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation
from smalltumor.geometry.grid import Grid, to_axes
from smalltumor.lesions import csv_text, find_lesions
from smalltumor.lesions.location import MIDLINE_MM, Side, side_at, upright_slices
from smalltumor.measures import measure_case
from synthetic import ORIENTATIONS, grid_along


@pytest.mark.parametrize("axcodes", ORIENTATIONS)
def test_slices_are_those_of_the_upright_volume(axcodes):
    grid = grid_along(axcodes)
    numbered = np.arange(np.prod(grid.shape)).reshape(grid.shape)
    upright = to_axes(numbered, grid, "IPL")
    for voxel in ((1, 2, 3), (6, 0, 8)):
        assert upright[upright_slices(grid, voxel)] == numbered[voxel]


def test_slices_between_two_voxels_do_not_depend_on_a_rotation_of_the_grid():
    for degrees in (0.0, 0.3, 7.0, 20.0):
        grid = grid_along("RAS", (60, 60, 60), (0.7, 1.1, 3.3), degrees)
        assert upright_slices(grid, (10.5, 20.5, 30.5)) == (28, 38, 48)


def test_the_side_is_the_patients_and_the_midline_has_a_width():
    assert side_at(20.0) is Side.RIGHT
    assert side_at(-20.0) is Side.LEFT
    assert side_at(-1.0) is Side.MIDLINE
    assert side_at(MIDLINE_MM) is Side.RIGHT


def test_the_sample_case_has_its_small_lesion_on_the_patients_left(sample_folder):
    case = read_case(sample_folder)
    plane = midsagittal_plane(case)
    mask = np.zeros(case.grid.shape, bool)
    mask[151:163, 91:103, 71:81] = True
    (lesion,) = find_lesions(mask, case.grid, plane=plane)
    assert lesion.side is Side.LEFT
    assert lesion.slices == (78, 96, 156)


def test_in_a_turned_head_the_table_and_the_report_say_the_same_side():
    """The side is that of the plane: a coordinate of the scanner is on the other one here."""
    a = np.radians(10)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
    grid = Grid((76, 92, 50), turn @ np.diag([-2.0, -2.0, 3.0, 1.0]))
    case = brain_case("turned", grid)
    for centre in ((35, 8, 25), (41, 84, 25)):
        classes = ball(np.zeros(grid.shape, np.uint8), centre, 1.5)
        segmentation = Segmentation("turned", classes, grid)
        (listed,) = find_lesions(segmentation, plane=midsagittal_plane(case))
        (reported,) = measure_case(case, segmentation).lesions
        assert listed.side is reported.lesion.side is not None
        right_of_middle = grid.to_patient(centre)[0] > grid.to_patient((37.5, 45.5, 24.5))[0]
        assert listed.side is not (Side.RIGHT if right_of_middle else Side.LEFT)


def test_the_table_has_side_and_slices_and_an_unknown_side_is_empty():
    mask = np.zeros((5, 6, 7), bool)
    mask[1, 2, 3] = True
    grid = Grid(mask.shape, np.diag([-1.0, -1.0, 1.0, 1.0]))
    header, row = csv_text(
        find_lesions(mask, grid, plane=MidsagittalPlane((1.0, 0.0, 0.0), 10.0, 1.0))
    ).splitlines()
    assert ",accepted,side,axial_slice,coronal_slice,sagittal_slice," in header
    assert ",left,3,2,1," in row
    assert csv_text(find_lesions(mask, grid)).splitlines()[1].count(",,3,2,1,") == 1
