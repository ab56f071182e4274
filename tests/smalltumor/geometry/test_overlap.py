"""The part of a box that is inside a volume."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.geometry.overlap import overlap

SIZES = st.tuples(*[st.integers(1, 6)] * 3)


@given(start=st.tuples(*[st.integers(-9, 9)] * 3), size=SIZES, shape=SIZES)
def test_both_parts_are_the_same_voxels(
    start: tuple[int, int, int], size: tuple[int, int, int], shape: tuple[int, int, int]
) -> None:
    in_box, in_volume = overlap(start, size, shape)
    places = np.indices(size).reshape(3, -1).T
    inside = np.all((places + start >= 0) & (places + start < shape), axis=1)
    counted = np.indices(size)[(slice(None), *in_box)].reshape(3, -1).T
    np.testing.assert_array_equal(counted, places[inside])
    there = np.indices(shape)[(slice(None), *in_volume)].reshape(3, -1).T
    np.testing.assert_array_equal(there, places[inside] + start)
