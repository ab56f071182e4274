"""A case made of a scanner's series, and what was done to each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.data.case import Case
from smalltumor.geometry.grid import Affine, Grid
from smalltumor.scanner.deidentification.deidentified_title import with_deidentified_titles
from smalltumor.scanner.deidentification.scan_warning import ScanWarning
from smalltumor.scanner.prepared.applied_steps import AppliedStep, StepKind
from smalltumor.scanner.prepared.preparation_warning import PreparationWarning
from smalltumor.scanner.registration.registration import Registration
from smalltumor.scanner.series import StoredFrame

if TYPE_CHECKING:
    import nibabel as nib

    from smalltumor.labels.masks import Mask


@dataclass(frozen=True)
class PreparedSequence:
    """One sequence of a prepared case.

    Parameters
    ----------
    image : (i, j, k) array
        On the grid of T1CE; 0 outside the brain.
    native_grid : Grid
        Of the series.
    series, uid, reason : str
        Title of the series, its Series Instance UID, and why it was chosen.
    steps : tuple of AppliedStep
        What was done to it, and what was not needed.
    registration : Registration, optional
        None for T1CE, and for images that were registered already.
    overlap : float, optional
        Dice of its brain with that of T1CE after registration.
    automatic : (4, 4) float64, optional
        If the registration was corrected by hand, the matrix before the first correction; the
        identity if the images were registered already.
    automatic_overlap : float, optional
        If the registration was corrected by hand, `overlap` before the first correction.
    files : tuple of Path
    frames : tuple of StoredFrame
        Of the series, as in `Series`.
    """

    image: npt.NDArray[np.generic]
    native_grid: Grid
    series: str
    uid: str
    reason: str
    steps: tuple[AppliedStep, ...]
    registration: Registration | None = None
    overlap: float | None = None
    automatic: Affine | None = None
    automatic_overlap: float | None = None
    files: tuple[Path, ...] = ()
    frames: tuple[StoredFrame, ...] = ()

    @property
    def has_corrected_bias_field(self) -> bool:
        """Whether its bias field was corrected."""
        return any(step.kind is StepKind.BIAS_FIELD for step in self.steps)


@dataclass(frozen=True)
class PreparedCase:
    """A case made of a scanner's series.

    Parameters
    ----------
    name : str
    grid : Grid
        Native grid of T1CE.
    header : nibabel header
        Of T1CE.
    sequences : mapping of str to PreparedSequence
        By modality.
    brain : (i, j, k) bool array
    warnings : tuple of PreparationWarning
        Reasons to look at a step before the case is used.
    scan_warnings : tuple of ScanWarning
        What is to be said about the scan. In a case that was read from its files, they no longer
        have what tells who the patient is.
    deidentified_titles : mapping of str to str
        Titles of series that may tell who the patient is, and what stands in their place in the
        record.
    """

    name: str
    grid: Grid
    header: nib.Nifti1Header
    sequences: Mapping[str, PreparedSequence]
    brain: Mask
    warnings: tuple[PreparationWarning, ...] = ()
    scan_warnings: tuple[ScanWarning, ...] = ()
    deidentified_titles: Mapping[str, str] = field(default_factory=dict)

    @property
    def shown_warnings(self) -> tuple[str, ...]:
        """All sentences for the user, first those about the scan."""
        return (*map(str, self.scan_warnings), *map(str, self.warnings))

    @property
    def deidentified_scan_warnings(self) -> tuple[str, ...]:
        """The sentences about the scan without what tells who the patient is."""
        return tuple(self.deidentified_text(warning.deidentified) for warning in self.scan_warnings)

    def deidentified_text(self, text: str) -> str:
        """A text without titles of series that may tell who the patient is."""
        return with_deidentified_titles(text, self.deidentified_titles)

    @property
    def brain_ml(self) -> float:
        """Volume of the brain in ml."""
        return float(np.count_nonzero(self.brain)) * self.grid.voxel_volume / 1000

    @cached_property
    def brain_centre(self) -> npt.NDArray[np.float64]:
        """Centre of the brain in mm, (3,): patient coordinates, RAS."""
        centre = []
        for axis, size in enumerate(self.brain.shape):
            others = tuple(other for other in range(3) if other != axis)
            counts = np.count_nonzero(self.brain, axis=others)
            centre.append(float(counts @ np.arange(size)) / max(1, int(counts.sum())))
        return self.grid.to_patient(np.array(centre))

    def to_case(self) -> Case:
        """The case, as if it had been read from files."""
        return Case(
            name=self.name,
            volumes={m: s.image for m, s in self.sequences.items()},
            grid=self.grid,
            header=self.header,
            warnings=[
                *self.deidentified_scan_warnings,
                *(self.deidentified_text(warning.text) for warning in self.warnings),
            ],
        )
