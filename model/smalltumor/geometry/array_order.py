"""Arrays (channel, l, p, s) in Fortran order, as in NIfTI files: l is fastest in memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Shape = tuple[int, int, int, int]


def reverse_axes(array: Array) -> Array:
    """A view of an array (channel, l, p, s) as (channel, s, p, l), or back."""
    return array.transpose(0, 3, 2, 1)


def empty_fortran_order(shape: Shape) -> Array:
    """An uninitialised array (channel, l, p, s) whose axis l is fastest in memory."""
    channels, i, j, k = shape
    return reverse_axes(np.empty((channels, k, j, i), dtype=np.float32))


def is_fortran_ordered(array: Array) -> bool:
    """Whether l is the fastest axis of an array (channel, l, p, s), and s is not."""
    order = array[0].flags
    return order.f_contiguous and not order.c_contiguous
