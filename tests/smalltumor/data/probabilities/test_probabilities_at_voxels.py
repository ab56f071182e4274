"""Probabilities at voxels, as of a lesion, are those of the file of probabilities."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from smalltumor.data.case import Case
from smalltumor.data.probabilities.cropped import CroppedProbabilities
from smalltumor.data.probabilities.network_output import (
    HalfResolutionLogits,
    NetworkOutput,
    Probabilities,
    softmax,
)
from smalltumor.data.segmentation import Segmentation, write_probabilities
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.network_grid import network_grid_of
from smalltumor.lesions import find_lesions
from synthetic import ORIENTATIONS, grid_along

ROUNDING = 1e-6
"""Of sums of float32 numbers up to 1."""

SHEARED = Grid(
    (9, 11, 7), np.array([[-0.9, 0.4, 0, 3], [0, -1, 0.2, 5], [0, 0, 2.5, 1], [0, 0, 0, 1]])
)

sizes = st.one_of(st.sampled_from([0.5, 0.9, 1.0, 1.1, 3.0]), st.floats(0.4, 6.0))


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    spacing = draw(st.tuples(*[sizes] * 3))
    degrees = draw(st.sampled_from([0.0, 7.0, 25.0, -40.0]))
    return grid_along(draw(st.sampled_from(ORIENTATIONS)), (9, 11, 7), spacing, degrees)


def segmentation_on(grid: Grid, start: tuple[int, int, int], *, half: bool) -> Segmentation:
    """A segmentation by a network whose output changes from voxel to voxel."""
    logits = np.random.default_rng(5).normal(0, 3, (4, 8, 7, 9)).astype(np.float32)
    output: NetworkOutput = (
        HalfResolutionLogits(logits, (15, 14, 17)) if half else Probabilities(softmax(logits))
    )
    cropped = CroppedProbabilities(output, start, network_grid_of(grid))
    return Segmentation.from_probabilities(Case("case", {}, grid), cropped)


@settings(max_examples=25)
@given(
    grids(),
    st.tuples(*[st.integers(-4, 4)] * 3),
    st.booleans(),
    st.lists(st.integers(0, 9 * 11 * 7 - 1), min_size=1),
)
@example(grid_along("LPS", (9, 11, 7), (0.9, 1.1, 3)), (0, 0, 0), True, [400])
@example(SHEARED, (-1, 0, 2), False, [0, 692])
def test_they_are_those_of_the_whole_volume(grid, start, half, chosen):
    segmentation = segmentation_on(grid, start, half=half)
    assert segmentation.cropped is not None
    whole = segmentation.probabilities()
    every = np.argwhere(np.ones(grid.shape))
    for voxels in (every, every[chosen]):
        at = segmentation.cropped.at(voxels)
        np.testing.assert_allclose(at, whole[:, *voxels.T], rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("spacing", [(1, 1, 1), (0.9, 1.1, 3), (0.5, 0.5, 6), (2, 2, 2)])
def test_those_of_lesions_are_read_from_the_file_too(tmp_path, spacing):
    grid = grid_along("RAS", (9, 11, 7), spacing)
    segmentation = segmentation_on(grid, (0, 0, 0), half=True)
    path = write_probabilities(segmentation, tmp_path / "p.nii.gz")
    of_et = np.asarray(nib.load(path).dataobj)[..., 3]
    lesions = find_lesions(segmentation)
    assert lesions
    for lesion in lesions:
        assert lesion.indices is not None
        inside = of_et[*lesion.indices.T].astype(np.float64)
        assert lesion.mean_probability == pytest.approx(inside.mean(), abs=ROUNDING)
        assert lesion.max_probability == pytest.approx(inside.max(), abs=ROUNDING)
