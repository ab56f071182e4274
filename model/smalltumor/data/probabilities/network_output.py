"""The output of a network for a crop: class probabilities, or logits at half resolution.

The network's last step doubles the resolution of its logits. Most voxels need no doubling: where
background has the largest logit in all eight voxels that a doubled one is interpolated from, it has
the largest logit there too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from smalltumor.geometry.array_order import is_fortran_ordered, reverse_axes
from smalltumor.geometry.boxes import Box, bounding_box
from smalltumor.labels.masks import Classes, Mask

Array = npt.NDArray[np.float32]
Shape = tuple[int, int, int]

SLAB = 8
"""Planes at half resolution that are doubled at once."""


class NetworkOutput(Protocol):
    """What a network computes for a crop (l, p, s): class probabilities in some form."""

    @property
    def shape(self) -> Shape:
        """Voxels along l, p, s."""
        ...

    def are_finite(self) -> bool:
        """Whether no value is NaN or infinite."""
        ...

    def classes(self) -> Classes:
        """The most probable class of each voxel, (l, p, s) uint8."""
        ...

    def at(self, voxels: npt.NDArray[np.intp]) -> Array:
        """Class probabilities (class, n) at voxels (n, 3) of the crop."""
        ...

    def probabilities(self, box: Box | None = None) -> Array:
        """Class probabilities (class, l, p, s) of the crop, or of a box in it."""
        ...


@dataclass(frozen=True)
class Probabilities:
    """Class probabilities at full resolution.

    Parameters
    ----------
    values : (class, l, p, s) float32 array
        Sums to 1 over the classes.
    """

    values: Array

    @property
    def shape(self) -> Shape:
        """See `NetworkOutput`."""
        _, i, j, k = self.values.shape
        return i, j, k

    def are_finite(self) -> bool:
        """See `NetworkOutput`."""
        return bool(np.isfinite(self.values[0].sum()))  # NaN in one class makes all classes NaN

    def classes(self) -> Classes:
        """See `NetworkOutput`."""
        return most_probable_classes(self.values)

    def at(self, voxels: npt.NDArray[np.intp]) -> Array:
        """See `NetworkOutput`."""
        i, j, k = voxels.T
        return self.values[:, i, j, k]

    def probabilities(self, box: Box | None = None) -> Array:
        """See `NetworkOutput`; a view."""
        return self.values if box is None else self.values[(slice(None), *box)]


@dataclass(frozen=True)
class HalfResolutionLogits:
    """The network's output before its last step, which doubles the resolution.

    Parameters
    ----------
    logits : (class, l / 2, p / 2, s / 2) float32 array
    shape : (3,) int
        Voxels of the crop at full resolution; at most twice those of the logits, which is the
        default.
    """

    logits: Array
    shape: Shape = (0, 0, 0)

    def __post_init__(self) -> None:
        if not any(self.shape):
            _, i, j, k = self.logits.shape
            object.__setattr__(self, "shape", (2 * i, 2 * j, 2 * k))

    def crop(self, shape: Shape) -> HalfResolutionLogits:
        """The output for the first voxels along each axis."""
        return HalfResolutionLogits(self.logits, shape)

    def are_finite(self) -> bool:
        """See `NetworkOutput`."""
        return bool(np.isfinite(self.logits).all())

    def classes(self) -> Classes:
        """See `NetworkOutput`."""
        if is_fortran_ordered(self.logits):  # visit memory in order
            return HalfResolutionLogits(reverse_axes(self.logits), self.shape[::-1]).classes().T
        result = np.zeros(self.shape, dtype=np.uint8)
        for box in self._boxes_with_tumour():
            result[box] = most_probable_classes(self._double(box))
        return result

    def at(self, voxels: npt.NDArray[np.intp]) -> Array:
        """See `NetworkOutput`."""
        total = np.zeros((len(self.logits), len(voxels)), dtype=np.float32)
        near = voxels // 2
        limit = np.array(self.logits.shape[1:]) - 1
        far = np.clip(near + np.where(voxels % 2, 1, -1), 0, limit)
        for corner in np.ndindex(2, 2, 2):
            i, j, k = np.where(corner, far, near).T
            weight = np.float32(0.75 ** (3 - sum(corner)) * 0.25 ** sum(corner))
            total += weight * self.logits[:, i, j, k]
        return softmax(total)

    def probabilities(self, box: Box | None = None) -> Array:
        """See `NetworkOutput`; computed at each call."""
        i, j, k = self.shape
        return softmax(self._double(box or (slice(0, i), slice(0, j), slice(0, k))))

    def _boxes_with_tumour(self) -> Iterator[Box]:
        """Boxes at full resolution; every voxel outside them is background."""
        ahead: Mask = (self.logits[1:] > self.logits[0]).any(axis=0)
        for first in range(0, len(ahead), SLAB):
            around = slice(max(first - 1, 0), first + SLAB + 1)  # neighbours influence a voxel
            _, across, up = bounding_box(ahead[around])
            if across.stop:
                rows = slice(2 * first, min(2 * (first + SLAB), self.shape[0]))
                yield (
                    rows,
                    _span_at_full_resolution(across, self.shape[1]),
                    _span_at_full_resolution(up, self.shape[2]),
                )

    def _double(self, box: Box) -> Array:
        """The logits of a box at full resolution, (class, l, p, s)."""
        part = self.logits
        for axis, span in enumerate(box, start=1):
            part = _double_axis(part, axis, span)
        return part


def most_probable_classes(values: Array) -> Classes:
    """The class of the largest value; the first one of equals.

    Parameters
    ----------
    values : (class, l, p, s) array
    """
    # Comparing channel by channel is several times faster than argmax over the first axis.
    classes = np.zeros(values.shape[1:], dtype=np.uint8)
    best = values[0].copy()
    for tissue in range(1, len(values)):
        wins = values[tissue] > best
        classes[wins] = tissue
        np.maximum(best, values[tissue], out=best)
    return classes


def softmax(logits: Array) -> Array:
    """Probabilities (class, ...) from logits (class, ...), which are overwritten."""
    logits -= logits.max(axis=0)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=0)
    return logits


def _span_at_full_resolution(span: slice, size: int) -> slice:
    """The voxels at full resolution that a span at half resolution influences."""
    return slice(max(2 * span.start - 1, 0), min(2 * span.stop + 1, size))


def _double_axis(x: Array, axis: int, span: slice) -> Array:
    """Interpolate linearly to twice the resolution, and keep a span of the result.

    Each voxel becomes two, whose centres are a quarter of a voxel from its own, towards one
    neighbour each. At the border the voxel itself takes the place of the missing neighbour.
    """
    last = x.shape[axis] - 1
    places = np.arange(span.start, span.stop)
    near = places // 2
    far = np.clip(near + np.where(places % 2, 1, -1), 0, last)
    result = np.take(x, near, axis)
    result *= np.float32(0.75)
    other = np.take(x, far, axis)
    other *= np.float32(0.25)
    result += other
    return result
