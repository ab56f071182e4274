"""Arrays whose first axis is fastest in memory."""

from __future__ import annotations

import numpy as np
from smalltumor.geometry.array_order import empty_fortran_order, is_fortran_ordered, reverse_axes


def test_the_last_axis_comes_first_and_back() -> None:
    array = np.random.default_rng(0).random((2, 3, 4, 5), dtype=np.float32)
    there = reverse_axes(array)
    assert there.shape == (2, 5, 4, 3)
    assert there[1, 4, 2, 0] == array[1, 0, 2, 4]
    np.testing.assert_array_equal(reverse_axes(there), array)


def test_what_lies_as_files_do_is_told_from_what_does_not() -> None:
    array = empty_fortran_order((2, 3, 4, 5))
    assert (array.shape, array.dtype) == ((2, 3, 4, 5), np.float32)
    assert reverse_axes(array).flags.c_contiguous
    assert is_fortran_ordered(array)
    assert not is_fortran_ordered(reverse_axes(array))
    assert not is_fortran_ordered(np.zeros((2, 1, 1, 1), np.float32))  # either way round
    assert not is_fortran_ordered(array[:, ::2])
