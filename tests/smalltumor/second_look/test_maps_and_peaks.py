"""Maps at half resolution and peaks: the fast ways give what the plain ones do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from second_look_cases import Spot, case_with, output_for
from smalltumor.data.brain.background_removal import remove_background
from smalltumor.labels.regions import TissueClass
from smalltumor.second_look.coarse_maps import coarse_maps, halve
from smalltumor.second_look.features import features_of
from smalltumor.second_look.peaks import find_peaks, log_odds

SPOTS = (Spot((42, 30, 32), 4, 500), Spot((24, 42, 28), 5, 500, logit=8))


@given(
    st.sampled_from([np.int16, np.uint16, np.int8, np.bool_]).flatmap(
        lambda dtype: hnp.arrays(dtype, (4, 6, 8))
    ),
    st.sampled_from("CF"),
)
def test_integers_are_halved_as_floats_are(volume, order):
    volume = np.asarray(volume, order=order)
    for view in (volume, volume[::-1].transpose(2, 0, 1)):
        halved = halve(view)
        assert halved.dtype == np.float32
        assert halved.flags.c_contiguous
        np.testing.assert_array_equal(halved, halve(view.astype(np.float32)))


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_the_maps_are_the_same_for_integers_and_for_floats(dtype):
    case = case_with(*SPOTS)
    volumes = {name: np.rint(v).astype(np.int16) for name, v in case.volumes.items()}
    cropped = output_for(case, *SPOTS)
    case.volumes = volumes
    whole = coarse_maps(case, cropped)
    case.volumes = {name: volume.astype(dtype) for name, volume in volumes.items()}
    maps = coarse_maps(case, cropped)
    assert whole is not None
    assert maps is not None
    stored = replace(case, volumes={"t1": volumes["t1"]})
    assert remove_background(stored.volumes, stored.coarse)[0].dtype == np.int16
    for name in ("enhancement", "t1", "flair", "brain"):
        np.testing.assert_array_equal(getattr(maps, name), getattr(whole, name))


def test_peaks_are_those_of_scipys_filters():
    case = case_with(*SPOTS)
    maps = coarse_maps(case, output_for(case, *SPOTS))
    assert maps is not None
    peaks = find_peaks(maps)
    assert len(peaks.voxels)
    for values in (peaks.blob, log_odds(maps.probabilities)):
        largest = ndimage.maximum_filter(values, 3)
        at_peak = values[tuple(peaks.voxels.T)] == largest[tuple(peaks.voxels.T)]
        assert at_peak.any()
    of_largest = maps.probabilities.argmax(axis=0) == TissueClass.ET
    np.testing.assert_array_equal(maps.et, of_largest)


@given(hnp.arrays(np.float32, (3, 4, 5), elements=st.floats(-3, 3, width=16)))
def test_the_maximum_of_neighbours_is_that_of_scipys_filter(values):
    from smalltumor.second_look import peaks

    np.testing.assert_array_equal(
        peaks._neighbourhood_maximum(values), ndimage.maximum_filter(values, 3)
    )


@given(hnp.arrays(np.float32, (3, 4, 5, 2), elements=st.integers(0, 2)))
def test_the_first_of_equal_volumes_is_the_largest(volumes):
    from smalltumor.second_look import peaks

    number, value = peaks._largest(list(volumes))
    np.testing.assert_array_equal(number, np.argmax(volumes, axis=0))
    np.testing.assert_array_equal(value, volumes.max(axis=0))


@pytest.mark.parametrize("margin", [1, 2, 6])
def test_peaks_and_features_are_those_of_filters_over_the_whole_maps(margin, monkeypatch):
    case = case_with(*SPOTS)
    found = coarse_maps(case, output_for(case, *SPOTS))
    assert found is not None
    nothing = found.brain.copy()
    nothing[:margin] = nothing[:, -margin:] = 0  # the brain is not in the middle
    maps = replace(
        found, brain=nothing, enhancement=np.where(nothing > 0, found.enhancement, np.float32(0))
    )
    in_box = find_peaks(maps)
    whole = tuple(slice(0, n) for n in maps.brain.shape)
    monkeypatch.setattr("smalltumor.second_look.peaks._around_brain", lambda maps: whole)
    of_whole = find_peaks(maps)
    assert len(in_box.voxels)
    np.testing.assert_array_equal(in_box.voxels, of_whole.voxels)
    np.testing.assert_array_equal(features_of(maps, in_box), features_of(maps, of_whole))
