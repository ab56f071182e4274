"""Corrections of a prepared case by hand: of its brain mask, and of registrations.

The images are made again from the scan, so that nothing is resampled twice, and what an earlier
brain mask removed returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.data.case import REFERENCE
from smalltumor.data.naming.case_files import MODALITY_TITLES
from smalltumor.data.nifti import Volume
from smalltumor.errors import CaseError
from smalltumor.geometry.grid import Affine, Grid
from smalltumor.inference.progress import CancelCallback, ProgressCallback, ProgressReporter
from smalltumor.scanner.preparation.bias_field import correct_bias_field
from smalltumor.scanner.preparation.brain_extraction import is_stripped
from smalltumor.scanner.preparation.prepare import BIAS_FIELD_STEP, PreparedCase, PreparedSequence
from smalltumor.scanner.preparation.quality import (
    brain_overlap,
    coverage,
    fallen_information,
    registration_warnings,
    without_registration_warnings,
)
from smalltumor.scanner.preparation.registration import (
    Registration,
    displacement,
    mutual_information,
    on_grid,
    registered_grid,
)
from smalltumor.scanner.series import Series
from smalltumor.scanner.studies import find_studies

if TYPE_CHECKING:
    from smalltumor.labels.masks import Mask

_BRAIN_STEP = "brain mask corrected by hand"
_POSE_STEP = "registration corrected by hand"


@dataclass(frozen=True)
class Correction:
    """What a user corrected.

    Parameters
    ----------
    brain : (i, j, k) bool array, optional
        The brain mask on the grid of T1CE; None if it stays.
    matrices : mapping of str to (4, 4) float64
        By modality, the matrix of its `Registration`, where it was changed.
    """

    brain: Mask | None = None
    matrices: Mapping[str, Affine] = field(default_factory=dict)


def series_in(folder: Path, case: PreparedCase) -> dict[str, Series]:
    """Find the series of which a case was made.

    Parameters
    ----------
    folder : Path
        The scan; searched with its subfolders.
    case : PreparedCase

    Returns
    -------
    dict of str to Series
        By modality. Series are recognised by Series Instance UID, or the name of the file, and by
        shape.

    Raises
    ------
    CaseError
        If one is not in the folder.
    MissingPackageError
        If there are DICOM files and pydicom is not installed.
    """
    listed = [series for study in find_studies(folder).studies for series in study.series]
    found = {m: _only(listed, sequence) for m, sequence in case.sequences.items()}
    missing = [case.sequences[m].series for m, series in found.items() if series is None]
    if missing:
        raise CaseError(
            f"{folder} is not the scan of which {case.name} was made: it has no {missing[0]}"
        )
    return {m: series for m, series in found.items() if series is not None}


def corrected(
    case: PreparedCase,
    series: Mapping[str, Series],
    correction: Correction,
    *,
    progress: ProgressCallback | None = None,
    cancelled: CancelCallback | None = None,
) -> PreparedCase:
    """Make the images of a case again with a correction.

    Parameters
    ----------
    case : PreparedCase
    series : mapping of str to Series
        Of every sequence of the case.
    correction : Correction
    progress, cancelled : callable, optional
        As for `smalltumor.scanner.preparation.prepare.prepare`.

    Returns
    -------
    PreparedCase

    Raises
    ------
    CaseError
        If the brain mask is empty, or a series cannot be read or is another one.
    MissingPackageError
        If a registration was corrected and SimpleITK or deepbet is not installed.
    Cancelled
    """
    brain = case.brain if correction.brain is None else correction.brain
    if not brain.any():
        raise CaseError("the brain mask is empty")
    changed = correction.matrices if correction.brain is None else case.sequences
    reporter = ProgressReporter(progress, cancelled)
    reference = _read(series[REFERENCE], case.sequences[REFERENCE])
    sequences, warnings = dict(case.sequences), list(case.warnings)
    for count, modality in enumerate(changed):
        title = MODALITY_TITLES[modality]
        reporter.update(count / len(changed), f"making {title} again")
        volume = reference
        if modality != REFERENCE:
            volume = _read(series[modality], case.sequences[modality])
        sequence = sequences[modality]
        if modality in correction.matrices:
            matrix = correction.matrices[modality]
            sequence, said = _moved(title, sequence, matrix, reference, volume, brain)
            warnings = [*without_registration_warnings(warnings, title), *said]
        image = _stripped(volume, sequence, brain, case.grid)
        sequences[modality] = replace(sequence, image=image)
    if correction.brain is not None:
        sequences[REFERENCE] = _with_step(sequences[REFERENCE], _BRAIN_STEP)
    reporter.update(1.0, "done")
    return replace(case, sequences=sequences, brain=brain, warnings=tuple(warnings))


def _only(listed: Iterable[Series], sequence: PreparedSequence) -> Series | None:
    same = [
        series
        for series in listed
        if (series.uid == sequence.uid if sequence.uid else series.title == sequence.series)
        and series.shape == sequence.native_grid.shape
    ]
    named = [series for series in same if series.title == sequence.series]
    return next(iter(named or same), None)


def _read(series: Series, sequence: PreparedSequence) -> Volume:
    volume = series.read()
    if not volume.grid.matches(sequence.native_grid):
        raise CaseError(f"{series.title} is on another grid than when the case was prepared")
    return volume


def _moved(
    title: str,
    sequence: PreparedSequence,
    matrix: Affine,
    reference: Volume,
    volume: Volume,
    brain: Mask,
) -> tuple[PreparedSequence, list[str]]:
    """A sequence with another registration, its figures, and the warnings about it."""
    grid, placed = reference.grid, registered_grid(volume.grid, matrix)
    before = sequence.registration
    before_matrix = np.eye(4) if before is None else before.matrix
    at_start = mutual_information(reference, volume, brain, before_matrix)
    registration = Registration(
        matrix,
        displacement(matrix, brain, grid),
        at_start if before is None else before.information_before,
        mutual_information(reference, volume, brain, matrix),
    )
    stripped = is_stripped(volume.data, volume.grid)
    overlap = brain_overlap(volume, stripped, placed, brain, grid)
    said = registration_warnings(title, overlap, coverage(placed, brain, grid), registration)
    said += fallen_information(title, at_start, registration.information_after)
    step = f"{_POSE_STEP}: displaced by up to {registration.displacement_mm:.1f} mm"
    sequence = replace(sequence, registration=registration, overlap=overlap)
    return _with_step(sequence, step), said


def _stripped(
    volume: Volume, sequence: PreparedSequence, brain: Mask, grid: Grid
) -> npt.NDArray[np.generic]:
    found = sequence.registration
    placed = volume.grid if found is None else registered_grid(volume.grid, found.matrix)
    image = np.where(brain, on_grid(volume, placed, grid), 0)
    return correct_bias_field(image, brain, grid) if BIAS_FIELD_STEP in sequence.steps else image


def _with_step(sequence: PreparedSequence, step: str) -> PreparedSequence:
    """The step at the end, in place of an earlier correction of the same kind."""
    kind = step.partition(":")[0]
    steps = [each for each in sequence.steps if not each.startswith(kind)]
    return replace(sequence, steps=(*steps, step))
