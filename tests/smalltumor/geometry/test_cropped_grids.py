"""Images that were cropped or padded are resampled at the same places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from smalltumor.geometry.boxes import bounding_box
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.network_grid import SPACING_TOLERANCE, NetworkGrid, network_grid_of
from smalltumor.geometry.resampling import interpolate
from synthetic import ORIENTATIONS, grid_along

HEAD = (7, 9, 6)
ANCHOR = np.array((3, 4, 2))
"""A voxel of the head."""

Voxels = tuple[int, int, int]
Volume = npt.NDArray[np.generic]

voxels = st.tuples(*[st.integers(0, 5)] * 3)
sizes = st.one_of(st.sampled_from([0.5, 0.9, 1.0, 1.2, 3.0]), st.floats(0.4, 3.5))


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """A grid of the head, resampled unless its voxels are 1 mm."""
    spacing = draw(st.tuples(*[sizes] * 3))
    degrees = draw(st.sampled_from([0.0, 7.0, 25.0, -40.0]))
    return grid_along(draw(st.sampled_from(ORIENTATIONS)), HEAD, spacing, degrees)


def around(grid: Grid, before: Voxels, after: Voxels) -> NetworkGrid:
    """The network's grid of a file with more voxels at its ends, rounded as files are."""
    affine = grid.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ before
    shape = tuple(int(n) for n in np.add(np.add(grid.shape, before), after))
    rounded = affine.astype(np.float32).astype(np.float64)
    rounded[:3, :3] = grid.affine[:3, :3]
    return network_grid_of(Grid((shape[0], shape[1], shape[2]), rounded), ANCHOR + before)


def padded(volume: Volume, before: Voxels, after: Voxels) -> Volume:
    return np.pad(volume, list(zip(before, after, strict=True)))


def anchor_of(network: NetworkGrid, before: Voxels) -> npt.NDArray[np.intp]:
    """The anchor on the network's grid."""
    place = network.source_to_network @ [*(ANCHOR + before), 1]
    return np.rint(place[:3]).astype(np.intp)


def without_zeros(volume: Volume, anchor: Sequence[int]) -> tuple[Volume, list[int]]:
    """The box that is not zero, and its first voxel counted from the anchor."""
    box = bounding_box(volume != 0)
    return volume[box], [span.start - n for span, n in zip(box, anchor, strict=True)]


@settings(max_examples=25)
@given(grids(), voxels, voxels)
@example(grid_along("LPS", HEAD, (0.9, 0.9, 1.2)), (0, 0, 0), (0, 0, 0))
@example(grid_along("RAS", HEAD, (0.9, 0.9, 0.9)), (1, 2, 3), (0, 0, 0))
@example(grid_along("LPS", HEAD, (1, 1, 3)), (0, 0, 1), (0, 0, 5))
@example(grid_along("PIR", HEAD, (0.4, 0.5, 3), 25), (5, 5, 5), (5, 0, 0))
def test_the_image_is_the_same_to_the_last_bit(grid: Grid, before: Voxels, after: Voxels) -> None:
    rng = np.random.default_rng(0)
    image = rng.uniform(1, 3000, HEAD).astype(np.float32)
    labels = rng.integers(1, 4, HEAD).astype(np.uint8)
    seen = []
    for first, last in ((0, 0, 0), (0, 0, 0)), (before, after):
        network = around(grid, first, last)
        anchor = anchor_of(network, first)
        image_seen = network.volume_to_network(padded(image, first, last))
        labels_seen = network.labels_to_network(padded(labels, first, last))
        seen += [without_zeros(image_seen, anchor), without_zeros(labels_seen, anchor)]
    for (expected, start), (got, other) in zip(seen[:2], seen[2:], strict=True):
        assert start == other
        np.testing.assert_array_equal(got, expected)


@settings(max_examples=25)
@given(grids(), voxels, voxels)
@example(grid_along("LPS", HEAD, (0.9, 0.9, 1.2)), (1, 2, 3), (0, 0, 0))
@example(grid_along("LPS", HEAD, (1, 1, 3)), (0, 0, 1), (0, 0, 5))
def test_probabilities_come_back_the_same_to_the_last_bit(
    grid: Grid, before: Voxels, after: Voxels
) -> None:
    values = np.random.default_rng(0).random((4, 12, 11, 13)).astype(np.float32)
    expected, got = (
        network.probabilities_to_source(values, anchor_of(network, first) - (5, 6, 4))
        for network, first in (
            (around(grid, (0, 0, 0), (0, 0, 0)), (0, 0, 0)),
            (around(grid, before, after), before),
        )
    )
    own = tuple(slice(n, n + size) for n, size in zip(before, HEAD, strict=True))
    np.testing.assert_array_equal(got[(slice(None), *own)], expected)


@settings(max_examples=25)
@given(grids())
def test_both_transforms_are_those_of_the_affines(grid: Grid) -> None:
    network = network_grid_of(grid)
    corners = np.array([(i, j, k) for i in (0, 9) for j in (0, 7) for k in (0, 5)])
    for transform, own, other in (
        (network.source_to_network, grid, network.grid),
        (network.network_to_source, network.grid, grid),
    ):
        places = corners @ transform[:3, :3].T + transform[:3, 3]
        np.testing.assert_allclose(other.to_patient(places), own.to_patient(corners), atol=1e-4)
    lengths = np.linalg.norm(network.grid.affine[:3, :3], axis=0)
    np.testing.assert_allclose(lengths, 1, atol=SPACING_TOLERANCE + 1e-6)


@pytest.mark.parametrize("thickness", [3, 4.8, 0.7])
def test_voxels_outside_the_brain_stay_zero_along_axes_of_1_mm(thickness: float) -> None:
    image = np.random.default_rng(0).uniform(1, 9, HEAD).astype(np.float32)
    image[0] = image[:, -1] = 0
    seen = network_grid_of(grid_along("LPS", HEAD, (1, 1, thickness))).volume_to_network(image)
    np.testing.assert_array_equal(seen.any(axis=2), image.any(axis=2))


def test_a_slice_at_the_centre_of_another_is_not_mixed_with_its_neighbours() -> None:
    image = np.random.default_rng(0).uniform(1, 9, HEAD).astype(np.float32)
    image[:, :, [0, 4]] = 0
    network = network_grid_of(grid_along("LPS", HEAD, (1, 1, 3)))
    seen = network.volume_to_network(image)
    at = np.rint(
        network.source_to_network[2, 3] + network.source_to_network[2, 2] * np.arange(HEAD[2])
    )
    np.testing.assert_allclose(seen[:, :, at.astype(int)], image, rtol=1e-6)


@settings(max_examples=25)
@given(grids(), voxels, voxels)
@example(grid_along("PIR", HEAD, (0.4, 0.5, 3), 25), (5, 5, 5), (5, 0, 0))
def test_only_what_sees_the_image_is_interpolated(
    grid: Grid, before: Voxels, after: Voxels
) -> None:
    image = padded(np.random.default_rng(0).uniform(1, 9, HEAD).astype(np.float32), before, after)
    network = around(grid, before, after)
    wide = np.pad(image, 20)
    to_wide = network.network_to_source.copy()
    to_wide[:3, 3] += 20
    seen, weight = (interpolate(v, to_wide, network.grid.shape) for v in (wide, wide != 0))
    expected = np.divide(seen, weight, out=np.zeros_like(seen), where=weight >= 0.5)
    np.testing.assert_array_equal(network.volume_to_network(image), expected)


@pytest.mark.parametrize("spacing", [(0.9, 0.9, 0.9), (1, 1, 5), (0.5, 0.5, 2.2)])
@pytest.mark.parametrize("cut_off", [True, False])
def test_an_image_does_not_fade_where_it_or_its_file_ends(spacing, cut_off: bool) -> None:
    image = np.full((40, 36, 30), 700.0, np.float32)
    if not cut_off:
        image[0] = image[-1] = image[:, 0] = image[..., -1] = 0
    seen = network_grid_of(grid_along("LPS", image.shape, spacing)).volume_to_network(image)
    np.testing.assert_allclose(seen[seen != 0], 700, rtol=1e-5)
    mm3 = np.count_nonzero(image) * np.prod(spacing)
    assert np.count_nonzero(seen) == pytest.approx(mm3, rel=0.2)


def test_a_voxel_that_is_a_million_times_brighter_leaves_the_others() -> None:
    image = np.full((40, 36, 30), 200.0, np.float32)
    image[3, 4, 2] = 1e9
    seen = network_grid_of(grid_along("LPS", image.shape, (1.1, 1.1, 1.1))).volume_to_network(image)
    mm3 = image.size * 1.1**3
    assert np.count_nonzero(seen > 100) == pytest.approx(mm3, rel=0.2)


@pytest.mark.parametrize("spacing", [(0.9, 0.9, 0.9), (1, 1, 3), (0.5, 0.5, 5)])
def test_the_grid_is_hardly_larger_than_the_image(spacing) -> None:
    grid = grid_along("LPS", (240, 200, 40), spacing)
    extent = np.multiply(np.add(grid.shape, 1), spacing)
    assert np.all(network_grid_of(grid).grid.shape <= extent + 3)
