"""Class probabilities of the part of a volume that was segmented."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smalltumor.data.probabilities.network_output import NetworkOutput, most_probable_classes
from smalltumor.geometry.boxes import overlap
from smalltumor.geometry.grid import Affine
from smalltumor.geometry.network_grid import NetworkGrid
from smalltumor.geometry.resampling import interpolate_at, seen_box, translation
from smalltumor.labels.masks import Classes


@dataclass(frozen=True)
class CroppedProbabilities:
    """Class probabilities of a crop around the brain; the rest is background.

    Parameters
    ----------
    output : NetworkOutput
    start : (3,) int
        First voxel of the crop on the network's grid; may be negative.
    network_grid : NetworkGrid
        The crop may extend beyond its ends.
    """

    output: NetworkOutput
    start: tuple[int, int, int]
    network_grid: NetworkGrid

    @property
    def values(self) -> npt.NDArray[np.float32]:
        """Class probabilities of the crop, (class, l, p, s); may be computed at each call."""
        return self.output.probabilities()

    def to_classes(self) -> Classes:
        """The most probable class of each voxel of the source grid, (i, j, k) uint8.

        In Fortran order, as files and the viewer's layers, unless it was resampled.
        """
        if self.network_grid.lossless:
            classes = np.zeros(self.network_grid.grid.shape, dtype=np.uint8, order="F")
            in_crop, in_volume = overlap(self.start, self.output.shape, classes.shape)
            classes[in_volume] = self.output.classes()[in_crop]
            return self.network_grid.labels_to_source(classes)
        return most_probable_classes(self.on_source())

    def at(self, voxels: npt.NDArray[np.integer]) -> npt.NDArray[np.float32]:
        """Class probabilities at voxels of the source grid.

        Parameters
        ----------
        voxels : (n, 3) int array
            Indices i, j, k.

        Returns
        -------
        (class, n) float32 array
        """
        tumour = self._take(voxels) if self.network_grid.lossless else self._interpolate(voxels)
        return np.stack([1 - np.sum(tumour, axis=0), *tumour]).astype(np.float32)

    @property
    def _source_to_crop(self) -> Affine:
        """From voxel indices of the source grid to those of the crop."""
        transform = self.network_grid.source_to_network.copy()
        transform[:3, 3] -= self.start
        return transform

    def _take(self, voxels: npt.NDArray[np.integer]) -> list[npt.NDArray[np.float32]]:
        """The tumour's classes at voxels (n, 3) of a source whose voxels are the network's."""
        to_crop = self._source_to_crop
        taken = np.rint(voxels @ to_crop[:3, :3].T + to_crop[:3, 3]).astype(np.intp)
        inside = np.all((taken >= 0) & (taken < self.output.shape), axis=1)
        found = self.output.at(taken[inside])
        result = np.zeros((len(found) - 1, len(voxels)), dtype=np.float32)
        result[:, inside] = found[1:]
        return list(result)

    def _interpolate(self, voxels: npt.NDArray[np.integer]) -> list[npt.NDArray[np.float32]]:
        """The tumour's classes at voxels (n, 3) of the source, as `on_source` has them."""
        to_crop = self._source_to_crop
        box = seen_box(voxels, to_crop, self.output.shape)
        to_box = translation([-span.start for span in box]) @ to_crop
        seen = self.output.probabilities(box)[1:]
        return [interpolate_at(of_class, to_box, voxels) for of_class in seen]

    def on_source(self) -> npt.NDArray[np.float32]:
        """Class probabilities on the source grid, (class, i, j, k) float32."""
        return self.network_grid.probabilities_to_source(self.output.probabilities(), self.start)
