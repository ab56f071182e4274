"""Class probabilities of the part of a volume that was segmented."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smalltumor.data.probabilities.network_output import NetworkOutput, most_probable_classes
from smalltumor.geometry.boxes import overlap
from smalltumor.geometry.network_grid import NetworkGrid
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
        """The most probable class of each voxel of the source grid, uint8.

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
        grid = self.network_grid
        places = voxels @ grid.to_network[:3, :3].T + grid.to_network[:3, 3] - self.start
        if grid.lossless:
            tumour = self._take(np.rint(places).astype(np.intp))
        else:
            tumour = self._interpolate(places)
        return np.stack([1 - np.sum(tumour, axis=0), *tumour]).astype(np.float32)

    def _take(self, voxels: npt.NDArray[np.intp]) -> list[npt.NDArray[np.float32]]:
        """The tumour's classes at voxels (n, 3) of the crop; zero outside it."""
        inside = np.all((voxels >= 0) & (voxels < self.output.shape), axis=1)
        found = self.output.at(voxels[inside])
        taken = np.zeros((len(found) - 1, len(voxels)), dtype=np.float32)
        taken[:, inside] = found[1:]
        return list(taken)

    def _interpolate(self, places: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float32]]:
        """The tumour's classes between voxels of the crop, at (n, 3); zero outside it."""
        from scipy.ndimage import map_coordinates

        last = np.array(self.output.shape) - 1
        low = np.clip(np.floor(places.min(axis=0)), 0, last).astype(np.intp)
        high = np.clip(np.ceil(places.max(axis=0)), 0, last).astype(np.intp)
        i, j, k = (slice(a, b + 1) for a, b in zip(low, high, strict=True))
        return [
            map_coordinates(v, (places - low).T, order=1, mode="grid-constant", prefilter=False)
            for v in self.output.probabilities((i, j, k))[1:]
        ]

    def on_source(self) -> npt.NDArray[np.float32]:
        """Class probabilities on the source grid, (class, i, j, k) float32."""
        return self.network_grid.probabilities_to_source(self.output.probabilities(), self.start)
