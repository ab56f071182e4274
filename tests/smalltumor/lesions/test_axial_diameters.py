"""Axial diameters of phantoms that can be measured by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation
from smalltumor.geometry.grid import Grid, reoriented, to_axes
from smalltumor.lesions import find_lesions, lesion_row, sort_lesions
from smalltumor.lesions.axial_diameters import axial_diameters

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
AXES = ["".join(codes) for order in permutations(("LR", "PA", "SI")) for codes in product(*order)]


def measured(mask, affine=LPS, **options):
    return axial_diameters(np.argwhere(mask), Grid(mask.shape, affine), **options)


def ellipsoid(semi_axes_mm, angle=0.0, spacing=(1.0, 1.0, 1.0), shape=(64, 64, 40)):
    """Mask of an ellipsoid that is turned about the long axis of the body."""
    where = (np.stack(np.indices(shape), axis=-1) - np.array(shape) / 2 + 0.5) * spacing
    cos, sin = np.cos(angle), np.sin(angle)
    where = where @ np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    return (np.square(where / semi_axes_mm).sum(axis=-1)) <= 1


@pytest.mark.slow
@given(
    st.floats(6, 28), st.floats(4, 28), st.floats(0, np.pi), st.sampled_from([(1, 1), (0.7, 1.2)])
)
def test_an_ellipsoids_diameters_are_its_axes(a, b, angle, size):
    spacing = np.array([*size, 3.0])
    shape = (*np.ceil(62 / spacing[:2]).astype(int), 13)
    mask = ellipsoid((a, b, 15.0), angle, spacing, shape)
    found = measured(mask, np.diag([*(spacing * (-1, -1, 1)), 1]))
    voxel = spacing[:2].max()  # a voxel belongs to the mask if its centre does
    assert found.longest_mm == pytest.approx(2 * max(a, b), abs=1.5 * voxel)
    if max(a, b) > 1.5 * min(a, b):  # else the direction of the longest is not defined
        assert found.perpendicular_mm == pytest.approx(2 * min(a, b), abs=1.5 * voxel)
    assert found.product_mm2 == found.longest_mm * found.perpendicular_mm


@pytest.mark.parametrize("axes", AXES)
def test_they_do_not_depend_on_the_order_of_the_axes(axes):
    mask = ellipsoid((20.0, 9.0, 14.0), 0.4)
    grid = Grid(mask.shape, LPS)
    turned = np.argwhere(to_axes(mask, grid, axes))
    found = axial_diameters(turned, reoriented(grid, axes))
    expected = measured(mask)
    assert found.longest_mm == pytest.approx(expected.longest_mm)
    assert found.perpendicular_mm == pytest.approx(expected.perpendicular_mm, abs=0.2)
    assert found.slices == expected.slices


@st.composite
def ragged(draw) -> np.ndarray:
    """A blob with a ragged outline and holes, or a shape that is symmetrical."""
    shape = draw(st.tuples(st.integers(1, 14), st.integers(1, 14)))
    noise = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).random((*shape, 2))
    mask = gaussian_filter(noise, draw(st.sampled_from([0, 0.7, 1.2]))) > draw(
        st.sampled_from([0.4, 0.5, -1])
    )
    mask[shape[0] // 2, shape[1] // 2] = True
    return mask


@pytest.mark.slow
@given(ragged(), st.sampled_from([(1, 1, 1), (0.5, 0.9, 3), (1.1, 0.6, 2)]), st.sampled_from(AXES))
def test_no_diameter_changes_if_axes_are_exchanged_or_reversed(mask, spacing, axes):
    grid = Grid(mask.shape, LPS * [*spacing, 1])
    found = axial_diameters(np.argwhere(to_axes(mask, grid, axes)), reoriented(grid, axes))
    expected = axial_diameters(np.argwhere(mask), grid)
    assert found.longest_mm == pytest.approx(expected.longest_mm, abs=1e-6)
    assert found.perpendicular_mm == pytest.approx(expected.perpendicular_mm, abs=1e-6)


@given(ragged(), st.sampled_from([(1, 1, 1), (0.5, 0.9, 3), (1.1, 0.6, 2)]))
def test_the_perpendicular_is_not_the_longer_one(mask, spacing):
    found = measured(mask, LPS * [*spacing, 1])
    assert 0 < found.perpendicular_mm <= found.longest_mm


@pytest.mark.parametrize("spacing", [(1, 1), (0.5, 0.5), (0.8, 1.1)])
@pytest.mark.parametrize("diameter", [6.3, 10.0, 17.2, 31.0])
def test_discs_are_measured_within_a_voxel(diameter, spacing):
    rng, found = np.random.default_rng(0), []
    for _ in range(20):
        shape = np.ceil((diameter + 4) / np.array(spacing)).astype(int)
        i, j = (
            (np.arange(n) - (n - 1) / 2 + rng.uniform(-0.5, 0.5)) * size
            for n, size in zip(shape, spacing, strict=True)
        )
        disc = (i[:, None] ** 2 + j**2 <= diameter**2 / 4)[..., None]
        axial = measured(disc, np.diag([-spacing[0], -spacing[1], 3.0, 1.0]))
        found.append((axial.longest_mm, axial.perpendicular_mm))
    errors = np.array(found) - diameter  # a voxel belongs to the disc if its centre does
    assert np.abs(errors).max() < 1.1 * max(spacing)


def test_only_axial_slices_count():
    mask = np.zeros((30, 30, 80), bool)
    mask[10:16, 10:18, 4:70] = True
    found = measured(mask)
    assert found.longest_mm == pytest.approx(np.hypot(6, 8), abs=1)
    assert found.slices == 66


def test_an_oblique_scan_is_measured_in_its_own_slices():
    angle = np.radians(20)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    mask = ellipsoid((20.0, 9.0, 14.0), 0.4)
    assert measured(mask, turn @ LPS) == measured(mask)


def test_a_line_stays_within_an_l():
    mask = np.zeros((60, 60, 3), bool)
    mask[5:45, 5:15] = True
    mask[5:15, 5:45] = True
    assert measured(mask).longest_mm == pytest.approx(np.hypot(40, 10), abs=1)


def test_the_perpendicular_of_a_rectangle_crosses_its_diagonal():
    mask = np.zeros((60, 60, 3), bool)
    mask[5:45, 5:15] = True
    found = measured(mask)
    assert found.longest_mm == pytest.approx(np.hypot(40, 10), abs=1)
    assert found.perpendicular_mm == pytest.approx(10 / np.cos(np.arctan2(10, 40)), abs=1)


def ball(diameter, centre=(0, 0, 0)):
    """Mask of a ball in mm, from the middle of a cube of 64 mm."""
    where = np.stack(np.indices((64, 64, 64)), axis=-1) - 31.5 - np.array(centre)
    return np.square(where).sum(axis=-1) <= diameter**2 / 4


CAVITY = ball(30)
THIN_RIM = ball(34) & ~CAVITY


def test_a_thin_rim_around_a_cavity_is_not_measurable():
    found = measured(THIN_RIM)
    assert found.has_cavity and found.is_rim and not found.measurable
    assert found.longest_mm < 20 and found.perpendicular_mm < 3


@pytest.mark.parametrize("thickness", [3.0, 5.0])
def test_nor_is_it_in_thick_slices(thickness):
    slices = THIN_RIM[..., int(thickness) // 2 :: int(thickness)]
    found = measured(slices, np.diag([-1.0, -1.0, thickness, 1.0]))
    assert found.is_rim and not found.measurable


def test_a_rim_with_a_narrow_gap_is_one_too():
    rim = THIN_RIM.copy()
    rim[30:34, :32] = False
    found = measured(rim)
    assert found.is_rim and not found.measurable


def test_the_second_diameter_of_a_rim_is_its_thickness():
    found = measured(ball(40) & ~ball(24))
    assert found.is_rim and found.longest_mm == pytest.approx(32, abs=2)
    assert found.perpendicular_mm == pytest.approx(8, abs=1)


@pytest.mark.parametrize("slices", [1, 2, 5, 6])
@pytest.mark.parametrize("mm", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("in_plane", [1.0, 4.0])
def test_a_flat_rim_is_as_thick_as_its_slices_are_high(slices, mm, in_plane):
    """To half a slice, also where slices are much thinner than voxels are wide."""
    rim = np.zeros((40, 40, slices + 4), dtype=bool)
    rim[4:-4, 4:-4, 2 : 2 + slices] = True
    rim[16:-16, 16:-16] = False
    found = measured(rim, np.diag([-in_plane, -in_plane, mm, 1.0]))
    assert found.is_rim
    assert found.perpendicular_mm == pytest.approx(slices * mm, abs=mm / 2 + 1e-3)


@pytest.mark.parametrize("side", [1, -1])
def test_of_a_nodule_on_a_rim_the_nodule_is_measured(side):
    found = measured((THIN_RIM | ball(15, (19 * side, 0, 0))) & ~CAVITY)
    inside = 15 - 3.5  # the cavity takes a part of the nodule
    assert found.has_cavity and not found.is_rim and found.measurable
    assert found.longest_mm == pytest.approx(15, abs=1.5)
    assert inside - 1.5 <= found.perpendicular_mm <= 15


def test_a_thick_rim_is_measured_beside_its_cavity():
    found = measured(ball(44) & ~ball(20))
    beside = 2 * np.sqrt(22**2 - 10**2)
    assert found.measurable and found.has_cavity
    assert found.longest_mm == pytest.approx(beside, abs=2)
    assert found.perpendicular_mm == pytest.approx(beside, abs=3)


def test_a_hole_narrower_than_a_cavity_belongs_to_the_lesion():
    whole = ball(24)
    found = measured(whole & ~ball(4))
    assert found == measured(whole) and not found.has_cavity


def test_an_outline_is_measured_with_what_it_encloses():
    whole = ellipsoid((20.0, 15.0, 15.0))
    rim = whole & ~ellipsoid((17.0, 12.0, 12.0))
    assert measured(rim, of_outline=True) == measured(whole)


@pytest.mark.parametrize("factor", [1 - 1.2e-7, 1 + 1.2e-7, 1 - 1e-6, 1 + 1e-6])
@pytest.mark.parametrize("degrees", [0, 5, 30])
def test_rounding_errors_of_the_affine_change_no_diameter(factor, degrees):
    outer, inner = (ellipsoid((r, r + 2, 14.0), 0.4) for r in (17.0, 8.0))
    mask = outer & ~inner
    square = np.zeros_like(mask)
    square[20:30, 20:40, 20:30] = True
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("z", degrees, degrees=True).as_matrix()
    for lesion in (mask, square):
        expected = measured(lesion)
        found = measured(lesion, turn @ LPS * factor)
        assert found.longest_mm == pytest.approx(expected.longest_mm, abs=0.01)
        assert found.perpendicular_mm == pytest.approx(expected.perpendicular_mm, abs=0.01)
        assert found.measurable == expected.measurable
        assert found.has_cavity == expected.has_cavity


def test_the_perpendicular_crosses_the_longest_line():
    arc = np.zeros((64, 64, 4), bool)
    arc[...] = (ball(40) & ~ball(30))[..., 32:33]
    arc[:20] = False  # open to one side, so that it encloses nothing
    found = measured(arc)
    assert not found.has_cavity and found.longest_mm > 20
    assert found.perpendicular_mm < 10 and not found.measurable


@pytest.mark.parametrize(
    ("width", "slices", "measurable"), [(10, 2, True), (9, 5, False), (20, 1, False)]
)
def test_a_lesion_is_measurable_from_ten_millimetres_on_two_slices(width, slices, measurable):
    mask = np.zeros((40, 40, 10), bool)
    mask[5:35, 5 : 5 + width, 2 : 2 + slices] = True
    assert measured(mask).measurable is measurable


@pytest.mark.parametrize(
    ("thickness", "width", "measurable"), [(5, 11, True), (6, 11, False), (6, 12, True)]
)
def test_in_thick_slices_a_measurable_lesion_has_twice_their_thickness(
    thickness, width, measurable
):
    mask = np.zeros((40, 40, 4), bool)
    mask[5 : 5 + width, 5:35, 1:3] = True
    assert measured(mask, np.diag([-1.0, -1.0, thickness, 1.0])).measurable is measurable


def test_a_single_voxel_has_the_size_of_the_voxel():
    found = measured(np.ones((1, 1, 1), bool), np.diag([-0.5, -0.8, 4.0, 1.0]))
    assert found.longest_mm == pytest.approx(0.8)
    assert found.perpendicular_mm == pytest.approx(0.5, abs=0.05)


@given(st.integers(0, 2**32 - 1))
def test_any_lesion_has_diameters_within_its_box(seed):
    mask = np.random.default_rng(seed).random((6, 7, 4)) < 0.3
    mask[2, 3, 1] = True
    found = measured(mask)
    assert 1 <= found.longest_mm <= np.hypot(6, 7)
    assert 0 < found.perpendicular_mm <= np.hypot(6, 7)


def test_the_lesion_table_has_both_diameters_and_their_slice(tmp_path):
    mask = np.zeros((40, 40, 10), bool)
    mask[5:35, 5:17, 2:6] = True
    (lesion,) = find_lesions(mask, Grid(mask.shape, LPS))
    row = lesion_row(lesion)
    assert row["axial_diameter_mm"] == pytest.approx(np.hypot(30, 12), abs=1)
    assert 12 <= row["axial_perpendicular_mm"] < 14
    assert row["measurable"] is True
    assert row["diameters_slice"] in range(10 - 6, 10 - 2)
    assert sort_lesions([lesion], "axial_diameter_mm") == [lesion]
    made = replace(lesion, indices=None)
    row = lesion_row(made)
    names = ("axial_diameter_mm", "axial_perpendicular_mm", "measurable", "diameters_slice")
    assert [row[x] for x in names] == [None] * 4


def test_their_slice_is_the_one_with_the_longest_line_as_napari_numbers_it():
    mask = np.zeros((40, 40, 10), bool)
    mask[10:20, 10:20, 2:6] = True
    mask[5:35, 5:17, 4] = True
    assert measured(mask).slice_number == 10 - 1 - 4
    grid = Grid(mask.shape, LPS)
    turned = np.argwhere(to_axes(mask, grid, "SRP"))
    assert axial_diameters(turned, reoriented(grid, "SRP")).slice_number == 10 - 1 - 4


def test_a_mask_of_noise_is_measured_too():
    """Of its 2,500 edges in a slice, too few lines are within it to try them all."""
    mask = np.random.default_rng(0).random((60, 60, 1)) < 0.3
    found = measured(mask)
    assert 1 < found.longest_mm < np.hypot(60, 60)
    assert found.slices == 1


@pytest.mark.parametrize(
    ("voxels", "spacing"),
    [
        ([[0, 0, 0], [2, 0, 0]], (0.8, 5.3, 1)),
        ([[0, 1, 0], [2, 2, 0], [4, 1, 0]], (4, 1, 1)),
        ([[0, 0, 0], [1, 1, 0], [2, 2, 0]], (0.3, 8, 1)),
    ],
)
def test_thin_voxels_with_gaps_between_them_have_a_perpendicular_diameter(voxels, spacing):
    for shear in (0.0, -0.3):
        affine = np.diag([-spacing[0], -spacing[1], spacing[2], 1.0])
        affine[0, 1] = shear * spacing[1]
        found = axial_diameters(np.array(voxels), Grid((8, 8, 8), affine))
        assert found.longest_mm >= found.perpendicular_mm > 0.1


def test_every_mask_of_uneven_voxels_has_a_perpendicular_diameter():
    random = np.random.default_rng(11)
    for _ in range(300):
        grid = Grid((6, 6, 3), np.diag([*random.choice([0.3, 1.0, 4.0, 8.0], 2), 1.0, 1.0]))
        voxels = np.argwhere(random.random(grid.shape) < random.uniform(0.1, 0.6))
        if len(voxels):
            assert axial_diameters(voxels, grid).perpendicular_mm > 0.01
