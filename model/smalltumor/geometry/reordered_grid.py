"""The network's grid of a source whose voxels it has, in another order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from smalltumor.geometry.boxes import overlap
from smalltumor.geometry.grid import (
    NETWORK_AXES,
    Affine,
    Grid,
    from_axes,
    index_transform,
    reoriented,
    to_axes,
)


class ReorderedGrid:
    """A `smalltumor.geometry.network_grid.NetworkGrid` whose transforms only move voxels.

    Parameters
    ----------
    source : Grid
    """

    lossless = True

    def __init__(self, source: Grid) -> None:
        self.source, self.grid = source, reoriented(source)
        self.source_to_network: Affine = index_transform(source, NETWORK_AXES)
        self.network_to_source: Affine = np.rint(np.linalg.inv(self.source_to_network))

    def volume_to_network(self, volume: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """See `NetworkGrid`; a view."""
        return to_axes(volume, self.source)

    def labels_to_network(self, labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """See `NetworkGrid`."""
        return np.ascontiguousarray(to_axes(labels, self.source))

    def labels_to_source(self, labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """See `NetworkGrid`; a copy with the same memory layout."""
        return from_axes(labels, self.source).copy(order="K")

    def probabilities_to_source(
        self, probabilities: npt.NDArray[np.float32], start: Sequence[int] = (0, 0, 0)
    ) -> npt.NDArray[np.float32]:
        """See `NetworkGrid`."""
        whole = self._placed(probabilities, start)
        return np.stack([from_axes(of_class, self.source) for of_class in whole])

    def _placed(
        self, probabilities: npt.NDArray[np.float32], start: Sequence[int]
    ) -> npt.NDArray[np.float32]:
        """Class probabilities of a box, on the whole of the network's grid."""
        in_box, in_grid = overlap(start, probabilities.shape[1:], self.grid.shape)
        whole = np.zeros((len(probabilities), *self.grid.shape), dtype=np.float32)
        whole[0] = 1
        whole[(slice(None), *in_grid)] = probabilities[(slice(None), *in_box)]
        return whole
