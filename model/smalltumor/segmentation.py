"""What the network says about a case: classes on the case's own grid, and files of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt

from smalltumor.atomic import check_output
from smalltumor.case import Case
from smalltumor.errors import OutputError
from smalltumor.geometry import Grid, NetworkGrid
from smalltumor.labels import SCHEMES, Classes, Mask, Region, TissueClass, region_mask
from smalltumor.nifti import SUFFIXES, stem, write_volume
from smalltumor.scores import Scores, strongest
from smalltumor.tumour import DEFAULT_SCHEME


@dataclass(frozen=True)
class Run:
    """How a segmentation came about.

    Parameters
    ----------
    seconds : float
        Wall time from the volumes in memory to the classes.
    device : str
        Such as ``cpu`` or ``cuda:0 (NVIDIA ...)``.
    backend : str
        ``torch`` or ``openvino``.
    weights : str
        Name of the checkpoint.
    warnings : tuple of str
        What went otherwise than asked, such as a fall back to the CPU.
    """

    seconds: float
    device: str
    backend: str
    weights: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class CroppedProbabilities:
    """Class probabilities where the brain is; all else is background.

    Parameters
    ----------
    scores : Scores
        Of the crop, cut to what lies on the network's grid.
    start : (3,) int
        First voxel of the crop on the network's grid.
    network_grid : NetworkGrid
    """

    scores: Scores
    start: tuple[int, int, int]
    network_grid: NetworkGrid

    @property
    def values(self) -> npt.NDArray[np.float32]:
        """Class probabilities of the crop, (class, l, p, s); may be made anew at each call."""
        return self.scores.probabilities()

    def to_classes(self) -> Classes:
        """The most probable class of each voxel of the source grid, uint8.

        First axis fastest, as files and the viewer's layers have them, unless it was resampled.
        """
        if self.network_grid.lossless:
            classes = np.zeros(self.network_grid.grid.shape, dtype=np.uint8, order="F")
            classes[self._box] = self.scores.classes()
            return self.network_grid.labels_to_source(classes)
        return strongest(self.on_source())

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
        way = self.network_grid
        to_network = np.linalg.inv(way.grid.affine) @ way.source.affine
        places = voxels @ to_network[:3, :3].T + to_network[:3, 3] - self.start
        if way.lossless:
            tumour = self._take(np.rint(places).astype(np.intp))
        else:
            tumour = self._interpolate(places)
        return np.stack([1 - np.sum(tumour, axis=0), *tumour]).astype(np.float32)

    def _take(self, voxels: npt.NDArray[np.intp]) -> list[npt.NDArray[np.float32]]:
        """The tumour's classes at voxels (n, 3) of the crop; zero outside it."""
        inside = np.all((voxels >= 0) & (voxels < self.scores.shape), axis=1)
        found = self.scores.at(voxels[inside])
        taken = np.zeros((len(found) - 1, len(voxels)), dtype=np.float32)
        taken[:, inside] = found[1:]
        return list(taken)

    def _interpolate(self, places: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float32]]:
        """The tumour's classes between voxels of the crop, at (n, 3); zero outside it."""
        from scipy.ndimage import map_coordinates

        last = np.array(self.scores.shape) - 1
        low = np.clip(np.floor(places.min(axis=0)), 0, last).astype(np.intp)
        high = np.clip(np.ceil(places.max(axis=0)), 0, last).astype(np.intp)
        i, j, k = (slice(a, b + 1) for a, b in zip(low, high, strict=True))
        return [
            map_coordinates(v, (places - low).T, order=1, mode="grid-constant", prefilter=False)
            for v in self.scores.probabilities((i, j, k))[1:]
        ]

    def on_source(self) -> npt.NDArray[np.float32]:
        """Class probabilities on the source grid, (class, i, j, k) float32."""
        values = self.values
        whole = np.zeros((len(values), *self.network_grid.grid.shape), dtype=np.float32)
        whole[TissueClass.BACKGROUND] = 1
        whole[(slice(None), *self._box)] = values
        return self.network_grid.probabilities_to_source(whole)

    @property
    def _box(self) -> tuple[slice, ...]:
        extent = zip(self.start, self.scores.shape, strict=True)
        return tuple(slice(first, first + size) for first, size in extent)


@dataclass(frozen=True)
class Segmentation:
    """Tissue classes on a case's grid.

    Parameters
    ----------
    name : str
        Of the case.
    classes : (i, j, k) uint8 array
        Values of `TissueClass`.
    grid : Grid
    header : nibabel header, optional
        The source's.
    sources : tuple of Path
        Files it was made from, never to be written to.
    cropped : CroppedProbabilities, optional
        Absent for one that was drawn or read.
    run : Run, optional
        Likewise.
    """

    name: str
    classes: Classes
    grid: Grid
    header: nib.Nifti1Header | None = None
    sources: tuple[Path, ...] = ()
    cropped: CroppedProbabilities | None = field(default=None, repr=False)
    run: Run | None = None

    @classmethod
    def from_probabilities(
        cls, case: Case, cropped: CroppedProbabilities, run: Run | None = None
    ) -> Segmentation:
        """The most probable classes, on the case's grid."""
        return cls(
            name=case.name,
            classes=cropped.to_classes(),
            grid=case.grid,
            header=case.header,
            sources=tuple(case.sources),
            cropped=cropped,
            run=run,
        )

    def probabilities(self) -> npt.NDArray[np.float32] | None:
        """Class probabilities (class, i, j, k) on the source grid, or None if it has none.

        Made anew at each call: 143 MB for a BraTS case.
        """
        return None if self.cropped is None else self.cropped.on_source()

    def mask(self, region: Region) -> Mask:
        """Voxels of a region, (i, j, k) bool."""
        return region_mask(self.classes, region)

    def volume_ml(self, region: Region) -> float:
        """Volume of a region in ml."""
        return int(np.count_nonzero(self.mask(region))) * self.grid.voxel_volume / 1000


def write_segmentation(
    segmentation: Segmentation,
    path: str | Path,
    *,
    scheme: str = DEFAULT_SCHEME,
    overwrite: bool = False,
) -> Path:
    """Write one label file on the source's grid, with its header.

    Parameters
    ----------
    segmentation : Segmentation
    path : path
        Ending in .nii.gz or .nii.
    scheme : str
        Name of a label scheme, see `SCHEMES`.
    overwrite : bool
        Whether an existing file may be replaced; a source image never is.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        Nothing was written.
    """
    if scheme not in SCHEMES:
        raise OutputError(f"{scheme} is not a label scheme; known are {', '.join(SCHEMES)}")
    labels = SCHEMES[scheme].encode(segmentation.classes)
    return _write(segmentation, Path(path), labels, overwrite)


def write_regions(
    segmentation: Segmentation, path: str | Path, *, overwrite: bool = False
) -> list[Path]:
    """Write ET, TC and WT as three files of 0 and 1: ``NAME_et.nii.gz`` and so on.

    Parameters and errors as for `write_segmentation`; all three names are checked before the
    first file is written.
    """
    paths = region_paths(Path(path))
    for region_path in paths.values():
        check_output(region_path, overwrite=overwrite, sources=segmentation.sources)
    return [
        _write(segmentation, region_path, segmentation.mask(region).astype(np.uint8), overwrite)
        for region, region_path in paths.items()
    ]


def region_paths(path: Path) -> Mapping[Region, Path]:
    """Names of the three region files that go with a label file's name."""
    suffix = path.name[len(stem(path)) :] or SUFFIXES[-1]
    return {region: path.with_name(f"{stem(path)}_{region}{suffix}") for region in Region}


def write_probabilities(
    segmentation: Segmentation, path: str | Path, *, overwrite: bool = False
) -> Path:
    """Write class probabilities as a 4D float32 file: background, NCR, ED, ET.

    Raises
    ------
    OutputError
        If the segmentation has no probabilities, or nothing could be written.
    """
    probabilities = segmentation.probabilities()
    if probabilities is None:
        raise OutputError(f"{segmentation.name} has no class probabilities to write")
    return _write(segmentation, Path(path), np.moveaxis(probabilities, 0, -1), overwrite)


def _write(
    segmentation: Segmentation, path: Path, data: npt.NDArray[np.generic], overwrite: bool
) -> Path:
    check_output(path, overwrite=overwrite, sources=segmentation.sources)
    write_volume(path, data, segmentation.grid, segmentation.header, overwrite=overwrite)
    return path
