"""Boxes of voxels."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from smalltumor.geometry.boxes import bounding_box, overlap, padded

MASKS = st.builds(  # in any memory order
    np.transpose,
    arrays(bool, array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=6)),
    st.permutations(range(3)),
)
SIZES = st.tuples(*[st.integers(1, 6)] * 3)


@given(MASKS)
def test_bounding_box_is_the_smallest(mask: np.ndarray) -> None:
    box = bounding_box(mask)
    assert mask[box].sum() == mask.sum()
    if mask.any():
        assert [(s.start, s.stop) for s in box] == [(w.min(), w.max() + 1) for w in mask.nonzero()]
    else:
        assert mask[box].size == 0


@given(MASKS.filter(np.any), st.tuples(*[st.integers(0, 4)] * 3))
def test_a_padded_box_has_the_margin_or_ends_with_the_volume(
    mask: np.ndarray, margin: tuple[int, int, int]
) -> None:
    box = bounding_box(mask)
    for span, inner, width, size in zip(
        padded(box, margin, mask.shape), box, margin, mask.shape, strict=True
    ):
        assert span.start == inner.start - width or span.start == 0 > inner.start - width
        assert span.stop == inner.stop + width or span.stop == size < inner.stop + width


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
