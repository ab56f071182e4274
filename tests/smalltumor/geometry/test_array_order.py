"""Arrays whose first axis is fastest in memory."""

from __future__ import annotations

import numpy as np
from smalltumor.geometry.array_order import empty_in_file_order, lies_in_file_order, turned


def test_the_last_axis_comes_first_and_back() -> None:
    array = np.random.default_rng(0).random((2, 3, 4, 5), dtype=np.float32)
    there = turned(array)
    assert there.shape == (2, 5, 4, 3)
    assert there[1, 4, 2, 0] == array[1, 0, 2, 4]
    np.testing.assert_array_equal(turned(there), array)


def test_what_lies_as_files_do_is_told_from_what_does_not() -> None:
    array = empty_in_file_order((2, 3, 4, 5))
    assert (array.shape, array.dtype) == ((2, 3, 4, 5), np.float32)
    assert turned(array).flags.c_contiguous
    assert lies_in_file_order(array)
    assert not lies_in_file_order(turned(array))
    assert not lies_in_file_order(np.zeros((2, 1, 1, 1), np.float32))  # either way round
    assert not lies_in_file_order(array[:, ::2])
