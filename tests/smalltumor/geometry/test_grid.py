"""Grids, axes, and the transforms to the network's grid and back."""

from __future__ import annotations

import re
from itertools import product

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalltumor.errors import CaseError
from smalltumor.geometry.field_of_view import check_field_of_view
from smalltumor.geometry.grid import Grid, from_axes, reoriented, to_axes
from smalltumor.geometry.network_grid import network_grid_of
from smalltumor.geometry.resampling import resample
from synthetic import ORIENTATIONS, grid_along


def ball(grid: Grid, voxels: int) -> np.ndarray:
    """A ball of about `voxels` mm3 around a point next to the grid's centre."""
    centre = grid.to_patient(np.array(grid.shape) * (0.45, 0.5, 0.55))
    places = grid.to_patient(np.stack(np.indices(grid.shape), axis=-1))
    radius = (voxels * 3 / 4 / np.pi) ** (1 / 3)
    return (np.linalg.norm(places - centre, axis=-1) <= radius).astype(np.uint8)


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * np.count_nonzero((a > 0) & (b > 0)) / (np.count_nonzero(a) + np.count_nonzero(b))


def test_there_are_48_orientations():
    assert len(set(ORIENTATIONS)) == 48


@pytest.mark.parametrize("axcodes", ORIENTATIONS)
def test_every_voxel_keeps_its_patient_coordinates(axcodes):
    grid = grid_along(axcodes)
    network = network_grid_of(grid)
    assert network.lossless
    assert network.grid.axcodes == "LPS"
    # Each voxel's value is its own patient coordinate, so that every exchange of axes is found.
    for axis in range(3):
        coordinate = grid.to_patient(np.stack(np.indices(grid.shape), axis=-1))[..., axis]
        seen = network.volume_to_network(coordinate)
        places = np.stack(np.indices(network.grid.shape), axis=-1)
        np.testing.assert_allclose(seen, network.grid.to_patient(places)[..., axis], atol=1e-9)


@pytest.mark.parametrize("axcodes", ORIENTATIONS)
def test_labels_are_identical_after_lossless_transforms(axcodes):
    grid = grid_along(axcodes)
    network = network_grid_of(grid)
    labels = np.random.default_rng(1).integers(0, 4, network.grid.shape).astype(np.uint8)
    back = network.labels_to_source(labels)
    assert back.shape == grid.shape
    np.testing.assert_array_equal(network.labels_to_network(back), labels)
    probabilities = np.stack([labels == c for c in range(4)]).astype(np.float32)
    np.testing.assert_array_equal(
        network.probabilities_to_source(probabilities).argmax(axis=0), back
    )


@pytest.mark.parametrize("axcodes", ["LPS", "RAS", "SAR", "PIL", "AIR"])
@pytest.mark.parametrize(
    ("spacing", "degrees"),
    [((0.9, 0.9, 1.5), 0), ((1, 1, 1), 20), ((1, 1, 1), 40), ((0.9, 0.9, 1.5), 25)],
)
def test_a_ball_of_2000_voxels_is_preserved_by_both_transforms(axcodes, spacing, degrees):
    grid = grid_along(axcodes, shape=(44, 46, 42), spacing=spacing, degrees=degrees)
    network = network_grid_of(grid)
    assert not network.lossless
    on_network = ball(network.grid, 2000)
    back = network.labels_to_source(on_network)
    assert back.shape == grid.shape
    assert dice(network.labels_to_network(back), on_network) > 0.97
    # The expected ball is computed on the source grid, so that a mirrored mask fails.
    places = grid.to_patient(np.argwhere(back).mean(axis=0))
    expected = network.grid.to_patient(np.argwhere(on_network).mean(axis=0))
    np.testing.assert_allclose(places, expected, atol=0.2)


def test_a_small_rotation_is_not_resampled():
    assert network_grid_of(grid_along("LPS", degrees=7)).lossless


def test_a_sheared_grid_is_resampled_along_the_patients_axes():
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    affine[0, 1] = 0.4
    network = network_grid_of(Grid((20, 20, 20), affine))
    assert not network.lossless
    np.testing.assert_allclose(network.grid.affine[:3, :3], np.diag([-1, -1, 1]), atol=1e-8)


def test_outside_the_networks_grid_everything_is_background():
    grid = grid_along("RAS", shape=(20, 22, 24), spacing=(0.9, 0.9, 1.5), degrees=30)
    network = network_grid_of(grid)
    probabilities = np.zeros((4, *network.grid.shape), dtype=np.float32)
    probabilities[0] = 1
    back = network.probabilities_to_source(probabilities)
    assert back.shape == (4, *grid.shape)
    np.testing.assert_allclose(back[0], 1)
    np.testing.assert_allclose(back.sum(axis=0), 1, atol=1e-6)


def test_resampled_probabilities_add_up_to_one():
    grid = grid_along("RAS", shape=(20, 22, 24), spacing=(0.9, 0.9, 1.5))
    network = network_grid_of(grid)
    probabilities = np.zeros((4, *network.grid.shape), dtype=np.float32)
    probabilities[3] = ball(network.grid, 900) * 0.75
    probabilities[0] = 1 - probabilities[3]
    back = network.probabilities_to_source(probabilities)
    np.testing.assert_allclose(back.sum(axis=0), 1, atol=1e-6)
    middle = np.argwhere(network.labels_to_source(ball(network.grid, 900))).mean(axis=0)
    i, j, k = np.rint(middle).astype(int)
    np.testing.assert_allclose(back[:, i, j, k], (0.25, 0, 0, 0.75), atol=1e-6)


def test_a_resampled_image_keeps_its_patient_coordinates():
    grid = grid_along("PIR", shape=(24, 20, 22), spacing=(0.9, 1.4, 1.1), degrees=25)
    network = network_grid_of(grid)
    anterior = grid.to_patient(np.stack(np.indices(grid.shape), axis=-1))[..., 1] + 200
    seen = network.volume_to_network(anterior)
    places = network.grid.to_patient(np.stack(np.indices(network.grid.shape), axis=-1))
    whole = seen > 150  # at the edge the image is interpolated with zeros
    assert np.count_nonzero(whole) > 5000
    apart = np.abs(seen - 200 - places[..., 1])[whole]
    assert np.median(apart) < 0.01


def test_a_field_of_view_too_large_for_a_head_is_refused():
    with pytest.raises(CaseError) as refused:
        network_grid_of(Grid((240, 240, 155), np.diag([1000.0, 1000.0, 500.0, 1.0])))
    assert str(refused.value) == (
        "a field of view of 2.41e+05 x 2.41e+05 x 7.8e+04 mm is too large for a head; check the "
        "voxel sizes in the header (240 x 240 x 155 voxels of 1000 x 1000 x 500 mm, axes RAS, "
        "first voxel at (0, 0, 0) mm)"
    )


@pytest.mark.parametrize(
    ("size", "refused"),
    [
        (0.001, "0.24 x 0.24 x 0.155 mm is too small"),
        (0.1, "24 x 24 x 15.5 mm is too small"),
        (1000, "2.4e+05 x 2.4e+05 x 1.55e+05 mm is too large"),
    ],
)
def test_a_head_in_the_wrong_unit_is_refused(size: float, refused: str) -> None:
    with pytest.raises(CaseError, match=re.escape(f"a field of view of {refused} for a head")):
        check_field_of_view(grid_along("LPS", (240, 240, 155), (size, size, size)))


def test_a_slab_and_a_crop_are_fields_of_view_of_a_head() -> None:
    check_field_of_view(grid_along("LPS", (240, 240, 1)))
    check_field_of_view(grid_along("LPS", (20, 24, 18)))


@given(
    st.sampled_from(ORIENTATIONS),
    st.sampled_from(ORIENTATIONS),
    st.tuples(*[st.integers(1, 5)] * 3),
    st.tuples(*[st.floats(0.3, 4)] * 3),
    st.floats(-40, 40),
)
@settings(deadline=None)
def test_to_axes_and_from_axes_are_inverse(start, end, shape, spacing, degrees):
    grid = grid_along(start, shape, spacing, degrees)
    volume = np.arange(np.prod(shape)).reshape(shape)
    turned = to_axes(volume, grid, end)
    assert np.shares_memory(turned, volume)
    np.testing.assert_array_equal(from_axes(turned, grid, end), volume)
    # Axes and affine equal nibabel's.
    image = nib.Nifti1Image(volume.astype(np.int32), grid.affine)
    ours = nib.orientations.axcodes2ornt(tuple(end))
    theirs = image.as_reoriented(
        nib.orientations.ornt_transform(nib.io_orientation(grid.affine), ours)
    )
    np.testing.assert_array_equal(turned, np.asarray(theirs.dataobj))
    np.testing.assert_allclose(reoriented(grid, end).affine, theirs.affine, atol=1e-9)


@pytest.mark.slow
@given(st.tuples(*[st.floats(0.4, 3)] * 3), st.floats(-45, 45))
@settings(deadline=None)
def test_the_networks_grid_contains_every_source_voxel(spacing, degrees):
    grid = grid_along("PIR", (6, 9, 12), spacing, degrees)
    network = network_grid_of(grid)
    corners = grid.to_patient(list(product(*[(0, n - 1) for n in grid.shape])))
    voxels = nib.affines.apply_affine(np.linalg.inv(network.grid.affine), corners)
    assert voxels.min() >= -0.51
    assert np.all(voxels.max(axis=0) <= np.array(network.grid.shape) - 0.49)


def test_resampling_preserves_a_gradient_and_a_background_of_zeros():
    source = grid_along("LPS", (30, 30, 30), (0.8, 1.3, 1.0))
    x = source.to_patient(np.stack(np.indices(source.shape), axis=-1))[..., 0] + 100
    target = grid_along("LPS", (20, 30, 20))
    inside = resample(x, source, target)[2:-2, 2:-2, 2:-2]
    places = np.stack(np.indices(target.shape), axis=-1)[2:-2, 2:-2, 2:-2]
    np.testing.assert_allclose(inside, target.to_patient(places)[..., 0] + 100, atol=0.01)
    assert not resample(np.zeros(source.shape), source, target).any()


@pytest.mark.parametrize(
    "affine",
    [np.zeros((4, 4)), np.full((4, 4), np.nan), np.diag([1, 1, 0, 1.0]), np.eye(3)],
)
def test_an_invalid_affine_is_refused(affine):
    with pytest.raises(CaseError):
        Grid((4, 4, 4), affine)


def test_grids_match_up_to_rounding_errors():
    grid = grid_along("LPS", (240, 240, 155))
    rounded = Grid(grid.shape, grid.affine.astype(np.float32))
    assert grid.matches(rounded)
    moved = grid.affine.copy()
    moved[0, 3] += 0.2
    assert not grid.matches(Grid(grid.shape, moved))
    flipped = grid_along("RPS", (240, 240, 155))
    assert not grid.matches(flipped)
    assert not grid.matches(grid_along("LPS", (240, 240, 154)))


@pytest.mark.parametrize(("edge", "same"), [(4.0, True), (0.25, False)])
def test_the_tolerance_of_matching_is_relative_to_the_voxel_size(edge, same):
    grid = grid_along("LPS", spacing=(edge, 5, 6))
    moved = grid.affine.copy()
    moved[1, 3] += 0.1
    assert grid.matches(Grid(grid.shape, moved)) is same


def test_the_voxel_volume_of_a_sheared_grid_is_its_determinant():
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    affine[0, 1] = 1.0
    assert Grid((2, 2, 2), affine).voxel_volume == pytest.approx(24)


def test_the_description_has_shape_spacing_axes_and_origin():
    assert grid_along("LPS", (240, 240, 155), (1, 1, 1.5)).describe() == (
        "240 x 240 x 155 voxels of 1 x 1 x 1.5 mm, axes LPS, first voxel at (31.5, -20.25, 7) mm"
    )


def test_a_voxel_that_is_thinner_than_any_scanner_makes_is_refused():
    """The grid of the network would have billions of voxels along this axis."""
    with pytest.raises(CaseError, match=r"4e-08 x 44 x 38 mm is too small for a head"):
        check_field_of_view(grid_along("LPS", (40, 44, 38), (1e-9, 1, 1)))
