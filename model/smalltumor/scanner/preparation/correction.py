"""Corrections of a prepared case by hand: of its brain mask, and of registrations.

The images are made again from the scan, so that nothing is resampled twice, and what an earlier
brain mask removed returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.data.case import REFERENCE
from smalltumor.data.naming.case_files import MODALITY_TITLES
from smalltumor.data.volumes.nifti import Volume
from smalltumor.errors import CaseError
from smalltumor.geometry.grid import Affine, Grid
from smalltumor.progress import CancelCallback, ProgressCallback, ProgressReporter
from smalltumor.scanner.preparation.bias_field import correct_bias_field
from smalltumor.scanner.preparation.brain_extraction import is_stripped
from smalltumor.scanner.preparation.quality import (
    brain_overlap,
    brain_warnings,
    coverage,
    fallen_information,
    registration_warnings,
    without_registration_warnings,
)
from smalltumor.scanner.prepared.applied_steps import AppliedStep, StepKind
from smalltumor.scanner.prepared.preparation_warning import PreparationWarning, WarningKind
from smalltumor.scanner.prepared.prepared_case import PreparedCase, PreparedSequence
from smalltumor.scanner.prepared.series_of_case import on_grid_of_case, read_series
from smalltumor.scanner.registration.registration import (
    Registration,
    displacement,
    mutual_information,
    registered_grid,
)
from smalltumor.scanner.series import Series

if TYPE_CHECKING:
    from smalltumor.labels.masks import Mask

_BRAIN_STEP = AppliedStep(StepKind.BRAIN_CORRECTION, "brain mask corrected by hand")


@dataclass(frozen=True)
class Correction:
    """What a user corrected.

    Parameters
    ----------
    brain : (i, j, k) bool array, optional
        The brain mask on the grid of T1CE; None if it stays.
    matrices : mapping of str to (4, 4) float64
        By modality, the matrix of its `Registration`, where it was changed. That of
        `PreparedSequence.automatic` takes all corrections of it back.
    """

    brain: Mask | None = None
    matrices: Mapping[str, Affine] = field(default_factory=dict)


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
        If the brain mask is empty, or a series cannot be read or is not the one of which its
        sequence was made.
    MissingPackageError
        If a sequence is registered, or its brain is found, and SimpleITK or deepbet is missing.
    Cancelled
    """
    brain = case.brain if correction.brain is None else correction.brain
    if not brain.any():
        raise CaseError("the brain mask is empty")
    changed = correction.matrices if correction.brain is None else case.sequences
    reporter = ProgressReporter(progress, cancelled)
    reference = read_series(series[REFERENCE], REFERENCE, case)
    sequences, warnings = dict(case.sequences), list(case.warnings)
    for index, modality in enumerate(changed):
        title = MODALITY_TITLES[modality]
        reporter.update(index / len(changed), f"making {title} again")
        sequence, volume = sequences[modality], reference
        if modality != REFERENCE:
            volume = read_series(series[modality], modality, case)
            moving = _Moving(modality, volume, reference, brain)
            matrix = correction.matrices.get(modality)
            sequence, texts = (
                moving.measured(sequence) if matrix is None else moving.moved(sequence, matrix)
            )
            kept = without_registration_warnings(warnings, modality, fallen=matrix is not None)
            warnings = [*kept, *texts]
        image = _stripped(volume, sequence, brain, case.grid)
        sequences[modality] = replace(sequence, image=image)
    if correction.brain is not None:
        sequences[REFERENCE] = _with_step(sequences[REFERENCE], _BRAIN_STEP)
        kept = [warning for warning in warnings if warning.kind is not WarningKind.BRAIN]
        warnings = [*kept, *brain_warnings(brain, case.grid)]
    reporter.update(1.0, "done")
    return replace(case, sequences=sequences, brain=brain, warnings=tuple(warnings))


@dataclass(frozen=True)
class _Moving:
    """A sequence that is registered to T1CE, both as they were scanned.

    Parameters
    ----------
    modality : str
        Of the sequence.
    volume, reference : Volume
        The sequence and T1CE.
    brain : (i, j, k) bool array
        On the grid of T1CE; by it the registration is measured.
    """

    modality: str
    volume: Volume
    reference: Volume
    brain: Mask

    def moved(
        self, sequence: PreparedSequence, matrix: Affine
    ) -> tuple[PreparedSequence, list[PreparationWarning]]:
        """The sequence with another registration, its figures, and the warnings about it."""
        before = np.eye(4) if sequence.registration is None else sequence.registration.matrix
        at_start = self._information(before)
        if sequence.automatic is not None and np.allclose(matrix, sequence.automatic):
            return self._returned(sequence, sequence.automatic)
        sequence = replace(
            _with_automatic(sequence, before), registration=Registration(matrix, 0, at_start, 0)
        )
        sequence, warnings = self.measured(sequence, overlap=True)
        measured = sequence.registration
        assert measured is not None
        warnings += fallen_information(self.modality, at_start, measured.information_after)
        text = f"corrected by hand: displaced by up to {measured.displacement_mm:.1f} mm"
        step = AppliedStep(StepKind.REGISTRATION_CORRECTION, f"registration {text}")
        return _with_step(sequence, step), warnings

    def _returned(
        self, sequence: PreparedSequence, automatic: Affine
    ) -> tuple[PreparedSequence, list[PreparationWarning]]:
        """The sequence as it was registered before all corrections, measured anew.

        One that was registered already has no registration again, and an overlap only if it had
        one.
        """
        needed = not np.allclose(automatic, np.eye(4))
        sequence = replace(
            sequence,
            registration=Registration(automatic, 0, 0, 0) if needed else None,
            overlap=sequence.automatic_overlap,
            automatic=None,
            automatic_overlap=None,
            steps=_steps_without(sequence, StepKind.REGISTRATION_CORRECTION),
        )
        return self.measured(sequence, overlap=needed)

    def measured(
        self, sequence: PreparedSequence, *, overlap: bool = False
    ) -> tuple[PreparedSequence, list[PreparationWarning]]:
        """The sequence with the figures of its registration, and the warnings about it.

        The overlap is computed if there was one, or if `overlap` is true.
        """
        volume, brain, grid = self.volume, self.brain, self.reference.grid
        placed, found = volume.grid, sequence.registration
        if found is not None:
            placed = registered_grid(volume.grid, found.matrix)
            found = Registration(
                matrix=found.matrix,
                displacement_mm=displacement(found.matrix, brain, grid),
                information_before=self._information(np.eye(4)),
                information_after=self._information(found.matrix),
            )
        dice = None
        if overlap or sequence.overlap is not None:
            stripped = is_stripped(volume.data, volume.grid)
            dice = brain_overlap(volume, stripped, placed, brain, grid)
        warnings = registration_warnings(self.modality, dice, coverage(placed, brain, grid), found)
        return replace(sequence, registration=found, overlap=dice), warnings

    def _information(self, matrix: Affine) -> float:
        return mutual_information(self.reference, self.volume, self.brain, matrix)


def _with_automatic(sequence: PreparedSequence, matrix: Affine) -> PreparedSequence:
    """Keep what was there before the first correction."""
    if sequence.automatic is not None:
        return sequence
    return replace(sequence, automatic=matrix, automatic_overlap=sequence.overlap)


def _stripped(
    volume: Volume, sequence: PreparedSequence, brain: Mask, grid: Grid
) -> npt.NDArray[np.generic]:
    image = np.where(brain, on_grid_of_case(volume, sequence, grid), 0)
    return correct_bias_field(image, brain, grid) if sequence.has_corrected_bias_field else image


def _with_step(sequence: PreparedSequence, step: AppliedStep) -> PreparedSequence:
    """The step at the end, in place of an earlier correction of the same kind."""
    return replace(sequence, steps=(*_steps_without(sequence, step.kind), step))


def _steps_without(sequence: PreparedSequence, kind: StepKind) -> tuple[AppliedStep, ...]:
    return tuple(step for step in sequence.steps if step.kind is not kind)
