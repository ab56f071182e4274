"""Growing a lesion from a seed."""

from __future__ import annotations

import numpy as np
import pytest
from second_look_cases import CENTRE, Spot, ball, case_with, output_for
from smalltumor.geometry.grid import Grid
from smalltumor.labels.regions import TissueClass
from smalltumor.second_look.coarse_maps import coarse_maps
from smalltumor.second_look.region_growing import REACH_MM, grow

SPOT = Spot((40, 30, 32), 4)


def maps_of(case, *spots):
    maps = coarse_maps(case, output_for(case, *spots))
    assert maps is not None
    return maps


def overlap(voxels, truth):
    grown = np.zeros(truth.shape, bool)
    grown[tuple(voxels.T)] = True
    return 2 * np.count_nonzero(grown & truth) / (len(voxels) + np.count_nonzero(truth))


@pytest.mark.parametrize("seed", [(40, 30, 32), (42, 31, 32)])
def test_a_spot_is_grown_from_its_centre_and_from_its_side(seed):
    case = case_with(SPOT)
    voxels = grow(case, maps_of(case), seed)
    assert overlap(voxels, ball(SPOT.centre, SPOT.radius)) > 0.9


def test_voxels_of_the_mask_are_not_grown_into():
    case = case_with(SPOT)
    taken = ball(SPOT.centre, SPOT.radius)
    taken[40:] = False
    voxels = grow(case, maps_of(case), (42, 30, 32), taken)
    assert len(voxels) and voxels[:, 0].min() >= 40


def test_what_reaches_too_far_is_grown_at_a_higher_threshold():
    large, bright = Spot((36, 36, 30), 16, 150), Spot((36, 36, 30), 4, 300)
    case = case_with(large, bright)
    voxels = grow(case, maps_of(case, Spot((36, 36, 30), 16, logit=2)), (36, 36, 30))
    assert overlap(voxels, ball(bright.centre, bright.radius)) > 0.85
    assert np.linalg.norm(voxels - np.array((36, 36, 30)), axis=1).max() < REACH_MM


def test_nothing_is_grown_in_normal_brain():
    case = case_with(SPOT)
    maps = maps_of(case)
    grown = [len(grow(case, maps, seed)) for seed in ((24, 42, 28), (30, 50, 34), (20, 30, 30))]
    assert grown == [0, 0, 0]


def test_nothing_is_grown_outside_the_brain_or_the_image():
    case = case_with(SPOT)
    maps = maps_of(case)
    for seed in ((2, 2, 2), (-40, 0, 0), (500, 30, 30)):
        assert len(grow(case, maps, seed)) == 0


def test_a_spot_at_the_brains_edge_stays_in_the_brain():
    edge = Spot((CENTRE[0] + 25, CENTRE[1], CENTRE[2]), 4)
    case = case_with(edge)
    voxels = grow(case, maps_of(case), (56, 36, 30))
    assert len(voxels)
    assert np.all(case.volumes["t1ce"][tuple(voxels.T)] > 0)


@pytest.mark.parametrize(("probable", "joins"), [((44, 30, 32), False), ((42, 30, 32), True)])
def test_probable_voxels_join_only_if_they_are_of_the_same_lesion(probable, joins):
    """Else one candidate would be two components of the mask."""
    spot = Spot((40, 30, 32), 1.5)
    case, seed = case_with(spot), (42, 30, 32)

    def lookup(voxels):
        probabilities = np.zeros((4, len(voxels)), np.float32)
        probabilities[TissueClass.ET] = np.all(voxels == probable, axis=1)
        return probabilities

    by_enhancement = {tuple(voxel) for voxel in grow(case, maps_of(case), seed)}
    by_both = {tuple(voxel) for voxel in grow(case, maps_of(case), seed, lookup=lookup)}
    assert by_enhancement and probable not in by_enhancement
    assert by_both == by_enhancement | ({probable} if joins else set())


def test_distances_are_in_mm_on_a_turned_grid_with_other_voxels():
    spot = Spot((40, 30, 32), 3)
    lps = case_with(spot)
    affine = np.array([[0, 0, 2.0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
    volumes = {name: v[:, :, ::2] for name, v in lps.volumes.items()}
    case = type(lps)("Pat", volumes, Grid((64, 72, 30), affine))
    maps = coarse_maps(case, output_for_resampled(case))
    voxels = grow(case, maps, (40, 30, 16))
    assert overlap(voxels, ball(spot.centre, spot.radius)[:, :, ::2]) > 0.8


def output_for_resampled(case):
    """Background everywhere, on the network's grid of a case that is resampled."""
    from smalltumor.data.probabilities.cropped import CroppedProbabilities
    from smalltumor.data.probabilities.network_output import HalfResolutionLogits
    from smalltumor.geometry.network_grid import network_grid_of

    grid = network_grid_of(case.grid)
    logits = np.full((4, *(-(-n // 2) for n in grid.grid.shape)), -6, dtype=np.float32)
    logits[0] = 4
    return CroppedProbabilities(HalfResolutionLogits(logits).crop(grid.grid.shape), (0, 0, 0), grid)
