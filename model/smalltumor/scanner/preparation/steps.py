"""The steps that series need to become a case, and why, before any of them runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.case import REFERENCE
from smalltumor.data.naming.case_files import MODALITIES, modality_titles
from smalltumor.data.volumes.header_checks import check_sides
from smalltumor.errors import CaseError
from smalltumor.geometry.grid import Grid
from smalltumor.scanner.preparation.brain_extraction import is_stripped
from smalltumor.scanner.series import Series
from smalltumor.scanner.shear import shear_problem

if TYPE_CHECKING:
    import nibabel as nib


@dataclass(frozen=True)
class SeriesImage:
    """What the voxels of a series tell about the steps that it needs.

    Parameters
    ----------
    grid : Grid
    stripped : bool
        Whether it shows the brain alone.
    header : nibabel header
    path : Path
    """

    grid: Grid
    stripped: bool
    header: nib.Nifti1Header
    path: Path

    @classmethod
    def of(cls, series: Series) -> SeriesImage:
        """Read a series; raises `CaseError`."""
        volume = series.read()
        stripped = is_stripped(volume.data, volume.grid)
        return cls(volume.grid, stripped, volume.header, volume.path)

    def is_registered_to(self, reference: SeriesImage) -> bool:
        """Whether an image is taken as registered: both show the brain alone, on one grid."""
        return self.grid.matches(reference.grid) and self.stripped and reference.stripped


@dataclass(frozen=True)
class Step:
    """A step, and why it is needed or not.

    Parameters
    ----------
    name : str
    needed : bool
    reason : str
        Sentence without a full stop.
    """

    name: str
    needed: bool
    reason: str


def planned_steps(images: Mapping[str, SeriesImage]) -> list[Step]:
    """The steps of `smalltumor.scanner.preparation.prepare.prepare`, needed or not.

    Parameters
    ----------
    images : mapping of str to SeriesImage
        By modality; T1CE is among them.
    """
    return [_brain_extraction(images[REFERENCE]), _registration(images), _resampling(images)]


def check_registrable(images: Mapping[str, SeriesImage]) -> None:
    """Check that images can be registered, and may not be mirrored, which nothing would tell.

    Parameters
    ----------
    images : mapping of str to SeriesImage
        By modality; T1CE is among them.

    Raises
    ------
    CaseError
        If the axes of one that has to be registered, or those of T1CE then, are not at right
        angles.
    GridMismatchError
        As of `check_sides`.
    """
    reference = images[REFERENCE]
    moving = [images[m] for m in _others(images) if not images[m].is_registered_to(reference)]
    for image in (reference, *moving) if moving else ():
        if problem := shear_problem(image.grid):
            raise CaseError(f"{image.path}: {problem}")
    for image in moving:
        check_sides(image, reference)


def _brain_extraction(reference: SeriesImage) -> Step:
    reason = "T1CE is skull-stripped" if reference.stripped else "T1CE shows the head"
    return Step("Brain extraction", not reference.stripped, reason)


def _registration(images: Mapping[str, SeriesImage]) -> Step:
    reference = images[REFERENCE]
    needed = [m for m in _others(images) if not images[m].is_registered_to(reference)]
    if not needed:
        return Step("Registration", False, "all images are skull-stripped, on the grid of T1CE")
    titles, those = modality_titles(needed), "they lie" if len(needed) > 1 else "it lies"
    return Step("Registration", True, f"{titles} to T1CE, unless {those} in place on its grid")


def _resampling(images: Mapping[str, SeriesImage]) -> Step:
    grid = images[REFERENCE].grid
    needed = [m for m in _others(images) if not images[m].grid.matches(grid)]
    if not needed:
        return Step("Resampling", False, "all images have the voxels of T1CE")
    return Step("Resampling", True, f"{modality_titles(needed)} to the voxels of T1CE")


def _others(images: Mapping[str, SeriesImage]) -> list[str]:
    return [m for m in MODALITIES if m in images and m != REFERENCE]
