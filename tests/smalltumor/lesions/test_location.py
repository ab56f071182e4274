"""Side and slice numbers of a lesion, whatever the axes of its file."""

from __future__ import annotations

import numpy as np
import pytest
from smalltumor.data.case import Case, read_case
from smalltumor.geometry.grid import Grid, reoriented, to_axes
from smalltumor.lesions import brain_midline, csv_text, find_lesions, grid_midline
from smalltumor.lesions.location import MIDLINE_MM, Side, side_of, upright_slices
from synthetic import ORIENTATIONS, grid_along

SHAPE = (20, 22, 18)


def brain_at(column: int) -> Case:
    """A case in LPS whose brain, a ball, has its centre in a column from right to left."""
    grid = grid_along("LPS", SHAPE, (4.0, 4.0, 4.0))
    distance = np.linalg.norm(np.indices(SHAPE).T - (column, 11, 9), axis=-1).T
    intensities = np.random.default_rng(3).integers(100, 900, SHAPE)
    volume = np.where(distance < 6, intensities, 0).astype(np.int16)
    return Case("Pat", {"t1ce": volume, "flair": volume}, grid)


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
    assert side_of(20.0, 0.0) is Side.RIGHT
    assert side_of(-20.0, 0.0) is Side.LEFT
    assert side_of(-120.0, -119.0) is Side.MIDLINE
    assert side_of(MIDLINE_MM, 0.0) is Side.RIGHT


@pytest.mark.parametrize("column", [8, 12])
def test_the_midline_is_that_of_the_brain_not_of_the_grid(column):
    case = brain_at(column)
    expected = case.grid.to_patient(np.array([column, 11.0, 9.0]))[0]
    assert brain_midline(case) == pytest.approx(expected, abs=0.5)
    assert abs(grid_midline(case.grid) - expected) > 4


def test_the_midline_is_the_same_in_every_orientation():
    case = brain_at(8)
    for axcodes in ("RAS", "PSR", "ILA"):
        volumes = {m: to_axes(v, case.grid, axcodes) for m, v in case.volumes.items()}
        turned = Case("Pat", volumes, reoriented(case.grid, axcodes))
        assert brain_midline(turned) == pytest.approx(brain_midline(case), abs=0.5)


def test_images_without_a_brain_have_the_midline_of_their_grid():
    grid = grid_along("LPS", SHAPE)
    assert brain_midline(Case("Pat", {"t1ce": np.zeros(SHAPE)}, grid)) == grid_midline(grid)


def test_the_sample_case_has_its_small_lesion_on_the_patients_left(sample_folder):
    case = read_case(sample_folder)
    midline = brain_midline(case)
    assert midline == pytest.approx(-119.5, abs=2)  # of the atlas that BraTS cases lie in
    mask = np.zeros(case.grid.shape, bool)
    mask[151:163, 91:103, 71:81] = True
    (lesion,) = find_lesions(mask, case.grid, midline_mm=midline)
    assert lesion.side is Side.LEFT
    assert lesion.slices == (78, 96, 156)


def test_the_table_has_side_and_slices_and_an_unknown_side_is_empty():
    mask = np.zeros((5, 6, 7), bool)
    mask[1, 2, 3] = True
    grid = Grid(mask.shape, np.diag([-1.0, -1.0, 1.0, 1.0]))
    header, row = csv_text(find_lesions(mask, grid, midline_mm=10.0)).splitlines()
    assert ",accepted,side,axial_slice,coronal_slice,sagittal_slice," in header
    assert ",left,3,2,1," in row
    assert csv_text(find_lesions(mask, grid)).splitlines()[1].count(",,3,2,1,") == 1
