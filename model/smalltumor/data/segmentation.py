"""Segmentations: tissue classes on a case's grid, and their files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.data.case import Case
from smalltumor.data.identity.image_digests import comment_of, digests_of_images
from smalltumor.data.input_checks import Finding, FindingKind
from smalltumor.data.made_by import SEEN_IN_TRAINING, MadeBy, made_by_comment
from smalltumor.data.naming.export_names import region_paths
from smalltumor.data.probabilities.cropped import CroppedProbabilities
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.errors import OutputError
from smalltumor.files.atomic import check_output
from smalltumor.files.transactions.recovery import check_outputs
from smalltumor.files.transactions.replacement import write_together
from smalltumor.geometry.grid import Grid
from smalltumor.labels.masks import Classes, Mask, class_mask, region_mask
from smalltumor.labels.regions import REGION_CLASSES, Region, TissueClass
from smalltumor.labels.schemes import DEFAULT_SCHEME, SCHEMES, with_classes
from smalltumor.version import software_version

if TYPE_CHECKING:
    import nibabel as nib


@dataclass(frozen=True)
class InferenceRun:
    """How a segmentation was computed.

    Parameters
    ----------
    seconds : float
        Wall time from the images in memory to the tissue classes.
    device : str
        Such as ``cpu`` or ``cuda:0 (NVIDIA ...)``.
    backend : str
        ``torch`` or ``openvino``.
    weights : str
        Name of the checkpoint.
    warnings : tuple of str
        Differences from what was requested, such as a fallback to the CPU.
    findings : tuple of Finding
        Ways in which the images are unlike those that the network was trained on.
    modalities : tuple of str
        Images that the network saw, in the order of its channels.
    digest : str
        Of the checkpoint, see `smalltumor.models.checkpoint.Checkpoint`; empty if not known.
    seen_in_training : bool
        Whether the network is known to have been trained on the patient.
    """

    seconds: float
    device: str
    backend: str
    weights: str
    warnings: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    modalities: tuple[str, ...] = ()
    digest: str = ""
    seen_in_training: bool = False

    @property
    def all_warnings(self) -> tuple[str, ...]:
        """`warnings`, and one if the network was trained on the patient."""
        return (*self.warnings, *([SEEN_IN_TRAINING] if self.seen_in_training else []))

    @property
    def missing(self) -> tuple[str, ...]:
        """Modalities that the network was trained on and did not see."""
        missing = (f.modalities for f in self.findings if f.kind is FindingKind.MISSING)
        return next(missing, ())

    @property
    def made_by(self) -> MadeBy:
        """What files of its segmentation record, as long as nobody has edited it."""
        return MadeBy.network(
            self.weights,
            self.digest,
            software_version(),
            self.missing,
            seen_in_training=self.seen_in_training,
        )


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Tissue classes on a case's grid.

    Parameters
    ----------
    name : str
        Name of the case.
    classes : (i, j, k) uint8 array
        Tissue classes, values of `TissueClass`.
    grid : Grid
    header : nibabel header, optional
        Header of the source image.
    sources : tuple of Path
        The case's files, which must never be replaced.
    cropped : CroppedProbabilities, optional
        None for a segmentation that was drawn or read.
    run : InferenceRun, optional
        None for a segmentation that was drawn or read.
    made_of : mapping of str to str
        Digests of the images, which files of the segmentation record; see
        `smalltumor.data.identity.image_digests`.
    made_by : MadeBy, optional
        What made the mask, which files record, too; that of `run` by default, None if it is not
        known.
    known : tuple of TissueClass
        Classes that the mask tells apart.
    stored : tuple of TissueClass
        Classes that a label file names in its header, see `with_classes`: those that are known, or
        all of a mask that no file without a class could keep, such as WT without TC.
    """

    name: str
    classes: Classes
    grid: Grid
    header: nib.Nifti1Header | None = None
    sources: tuple[Path, ...] = ()
    cropped: CroppedProbabilities | None = field(default=None, repr=False)
    run: InferenceRun | None = None
    made_of: Mapping[str, str] = field(default_factory=dict, repr=False)
    made_by: MadeBy | None = None
    known: tuple[TissueClass, ...] = tuple(TissueClass)
    stored: tuple[TissueClass, ...] = tuple(TissueClass)

    def __post_init__(self) -> None:
        if self.made_by is None and self.run is not None:
            object.__setattr__(self, "made_by", self.run.made_by)

    @classmethod
    def from_probabilities(cls, case: Case, cropped: CroppedProbabilities) -> Segmentation:
        """Create a segmentation of the most probable classes, on the case's grid."""
        return cls(
            name=case.name,
            classes=cropped.to_classes(),
            grid=case.grid,
            header=case.header,
            sources=tuple(case.sources),
            cropped=cropped,
            made_of=digests_of_images(case),
        )

    def probabilities(self) -> npt.NDArray[np.float32] | None:
        """Class probabilities on the source grid, (class, i, j, k) float32, or None.

        Computed at each call: 143 MB for a BraTS case.
        """
        return None if self.cropped is None else self.cropped.on_source()

    def mask(self, region: Region | str) -> Mask:
        """Voxels of a region, ``"et"``, ``"tc"`` or ``"wt"``, (i, j, k) bool."""
        return region_mask(self.classes, region)

    def volume_ml(self, region: Region | str) -> float:
        """Volume of a region, ``"et"``, ``"tc"`` or ``"wt"``, in ml."""
        return self._in_ml(int(np.count_nonzero(self.mask(region))))

    def volumes_ml(self) -> dict[Region, float]:
        """Volume of each region in ml; each class is counted once."""
        counts = {
            tissue: int(np.count_nonzero(class_mask(self.classes, tissue)))
            for tissue in REGION_CLASSES[Region.WT]
        }
        return {
            region: self._in_ml(sum(counts[c] for c in classes))
            for region, classes in REGION_CLASSES.items()
        }

    def _in_ml(self, voxels: int) -> float:
        return voxels * self.grid.voxel_volume / 1000


def write_segmentation(
    segmentation: Segmentation,
    path: str | Path,
    *,
    scheme: str = DEFAULT_SCHEME,
    overwrite: bool = False,
) -> Path:
    """Write a label file on the source's grid, with the source's header.

    Its header names the label scheme and, of a mask that tells only some classes, these.

    Parameters
    ----------
    segmentation : Segmentation
    path : path
        Ending in .nii.gz or .nii.
    scheme : str
        Name of a label scheme, see `SCHEMES`.
    overwrite : bool
        Whether an existing file may be replaced; source files never are.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written, exists and may not be replaced, or is a source.
    """
    if scheme not in SCHEMES:
        raise OutputError(f"{scheme} is not a label scheme; known are {', '.join(SCHEMES)}")
    written_in = with_classes(SCHEMES[scheme], segmentation.stored)
    labels = written_in.encode(segmentation.classes)
    return _write(segmentation, Path(path), labels, overwrite, written_in.name)


def write_regions(
    segmentation: Segmentation, path: str | Path, *, overwrite: bool = False
) -> list[Path]:
    """Write ET, TC and WT as three masks of 0 and 1: ``NAME_et.nii.gz`` and so on.

    Parameters and errors as for `write_segmentation`; after an error, all three are as before.
    """
    contents = region_contents(segmentation, Path(path))
    check_outputs(contents, overwrite=overwrite, sources=segmentation.sources)
    return write_together(contents, overwrite=overwrite)


def region_contents(segmentation: Segmentation, path: Path) -> dict[Path, Callable[[Path], object]]:
    """The files of `write_regions`, and functions that write them under a name, see
    `write_together`.
    """

    def write(region: Region, path: Path) -> None:
        _write(segmentation, path, segmentation.mask(region).astype(np.uint8), overwrite=False)

    return {path: partial(write, region) for region, path in region_paths(path).items()}


def write_probabilities(
    segmentation: Segmentation, path: str | Path, *, overwrite: bool = False
) -> Path:
    """Write class probabilities as a 4D float32 file (i, j, k, class): background, NCR, ED, ET.

    Raises
    ------
    OutputError
        If the segmentation has no probabilities, or the file cannot be written.
    """
    probabilities = segmentation.probabilities()
    if probabilities is None:
        raise OutputError(f"{segmentation.name} has no class probabilities to write")
    return _write(segmentation, Path(path), np.moveaxis(probabilities, 0, -1), overwrite)


def _write(
    segmentation: Segmentation,
    path: Path,
    data: npt.NDArray[np.generic],
    overwrite: bool,
    scheme: str = "",
) -> Path:
    check_output(path, overwrite=overwrite, sources=segmentation.sources)
    write_volume(
        path,
        data,
        segmentation.grid,
        segmentation.header,
        label_scheme=scheme,
        comments=[
            comment_of(segmentation.made_of),
            made_by_comment(segmentation.made_by, data, segmentation.grid, scheme),
        ],
        overwrite=overwrite,
    )
    return path
