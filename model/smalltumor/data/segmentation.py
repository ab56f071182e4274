"""What the network says about a case: classes on the case's own grid, and files of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt

from smalltumor.data.case import Case
from smalltumor.data.nifti import SUFFIXES, stem, write_volume
from smalltumor.data.probabilities import CroppedProbabilities
from smalltumor.errors import OutputError
from smalltumor.files.atomic import check_output
from smalltumor.geometry.grid import Grid
from smalltumor.labels.masks import Classes, Mask, region_mask
from smalltumor.labels.regions import DEFAULT_SCHEME, Region
from smalltumor.labels.schemes import SCHEMES


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
