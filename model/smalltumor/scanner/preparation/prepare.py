"""From a scanner's series to a case: co-registered, skull-stripped, on the grid of T1CE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from smalltumor.data.case import REFERENCE
from smalltumor.data.naming.case_files import MODALITIES, MODALITY_TITLES, modality_titles
from smalltumor.data.volumes.header_checks import check_sides, header_problems
from smalltumor.data.volumes.nifti import Volume
from smalltumor.errors import CaseError
from smalltumor.geometry.field_of_view import check_field_of_view
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.resampling import resample
from smalltumor.progress import CancelCallback, ProgressCallback, ProgressReporter
from smalltumor.scanner.deidentification.deidentified_title import deidentified_titles
from smalltumor.scanner.preparation.brain_extraction import (
    Probabilities,
    brain_probability,
    is_stripped,
    mask_of,
    placed_mask,
)
from smalltumor.scanner.preparation.quality import (
    brain_overlap,
    brain_warnings,
    coverage,
    foreground,
    registration_warnings,
)
from smalltumor.scanner.preparation.steps import SeriesImage, check_registrable
from smalltumor.scanner.prepared.applied_steps import BIAS_FIELD_STEP, AppliedStep, StepKind
from smalltumor.scanner.prepared.preparation_warning import PreparationWarning, WarningKind
from smalltumor.scanner.prepared.prepared_case import PreparedCase, PreparedSequence
from smalltumor.scanner.registration.registration import (
    MIN_DISPLACEMENT_MM,
    Registration,
    on_grid,
    register,
    registered_grid,
)
from smalltumor.text import list_text

if TYPE_CHECKING:
    from smalltumor.labels.masks import Mask
    from smalltumor.scanner.source import Source

BrainExtraction = Literal["auto", "always", "never"]

_IMAGE_READ, _BRAIN_FOUND, _REGISTERED = 0.08, 0.3, 0.9


@dataclass
class _SequenceImage:
    """A series with its voxels."""

    volume: Volume
    stripped: bool
    steps: list[AppliedStep] = field(default_factory=list)
    registration: Registration | None = None
    overlap: float | None = None

    @property
    def series_image(self) -> SeriesImage:
        volume = self.volume
        return SeriesImage(volume.grid, self.stripped, volume.header, volume.path)


class _Brain(NamedTuple):
    """The brain on the grid of T1CE, how it was found, and its probability if it was extracted.

    Of a T1CE with the head, and no brain extraction, it is all that T1CE shows, not `is_brain`.
    """

    mask: Mask
    step: str
    probability: Probabilities | None = None
    is_brain: bool = True


def prepare(
    source: Source,
    *,
    brain_extraction: BrainExtraction = "auto",
    brain_mask: Volume | None = None,
    bias_field: bool = False,
    progress: ProgressCallback | None = None,
    cancelled: CancelCallback | None = None,
) -> PreparedCase:
    """Register, skull-strip and resample the series of a case; each step only where it is needed.

    Sequences are registered to T1CE unless all are skull-stripped and on one grid. The brain is
    the mean of the probabilities on T1CE and T1, or what a stripped T1CE shows.

    Parameters
    ----------
    source : Source
    brain_extraction : {"auto", "always", "never"}
        ``auto`` extracts the brain unless T1CE is skull-stripped.
    brain_mask : Volume, optional
        The brain in T1CE as another tool found it, on any grid; used instead of an extraction.
    bias_field : bool
        Correct the bias field of each sequence (N4), within the brain.
    progress, cancelled : callable, optional
        As in `smalltumor.segment`.

    Returns
    -------
    PreparedCase

    Raises
    ------
    CaseError
        If a series cannot be read, two are the same image, no brain is found, `brain_mask` is
        empty on T1CE, or an image that has to be registered has sheared axes or may be mirrored,
        see `check_registrable`.
    MissingPackageError
        If a package of the extra ``raw`` is needed and not installed.
    Cancelled
    """
    reporter = ProgressReporter(progress, cancelled)
    images = _read(source, reporter)
    reporter.update(_IMAGE_READ, "extracting the brain")
    brain = _find_brain(images[REFERENCE], brain_extraction, brain_mask)
    reporter.update(_BRAIN_FOUND, "registering")
    warnings = _missing_warnings(images) + _header_warnings(images)
    warnings += brain_warnings(brain.mask, images[REFERENCE].volume.grid)
    warnings += _register_all(images, brain.mask, reporter)
    brain = _with_t1(brain, images, reporter)
    images[REFERENCE].steps.append(AppliedStep(StepKind.BRAIN, brain.step))
    reporter.update(_REGISTERED, "resampling")
    case = _assemble(source, images, brain.mask if brain.is_brain else None)
    if bias_field:
        case = _without_bias(case, reporter)
    reporter.update(1.0, "done")
    return replace(case, warnings=tuple(warnings), scan_warnings=source.warnings)


def _read(source: Source, reporter: ProgressReporter) -> dict[str, _SequenceImage]:
    images: dict[str, _SequenceImage] = {}
    chosen = source.assignment.chosen
    for index, modality in enumerate(m for m in MODALITIES if m in chosen):
        reporter.update(_IMAGE_READ * index / len(chosen), f"reading {MODALITY_TITLES[modality]}")
        volume = chosen[modality].read()
        _check_field_of_view(chosen[modality].title, volume.grid)
        _refuse_copies(modality, volume, images, source)
        images[modality] = _SequenceImage(volume, is_stripped(volume.data, volume.grid))
    check_registrable({m: image.series_image for m, image in images.items()})
    return images


def _check_field_of_view(title: str, grid: Grid) -> None:
    try:
        check_field_of_view(grid)
    except CaseError as error:
        raise error.prefixed(title) from error


def _refuse_copies(
    modality: str, volume: Volume, images: Mapping[str, _SequenceImage], source: Source
) -> None:
    for other, image in images.items():
        if np.array_equal(image.volume.data, volume.data):
            pair = other, modality
            titles = list_text(source.assignment.chosen[m].title for m in pair)
            raise CaseError(f"{modality_titles(pair)} are the same image: {titles}")


def _find_brain(fixed: _SequenceImage, extraction: BrainExtraction, given: Volume | None) -> _Brain:
    """The brain in T1CE: as it was given, extracted, or what T1CE shows."""
    volume = fixed.volume
    if given is not None:
        if not given.grid.matches(volume.grid):
            check_sides(given, volume)
        return _Brain(placed_mask(given, volume.grid), "brain mask given by the user")
    if extraction == "always" or (extraction == "auto" and not fixed.stripped):
        probability = brain_probability(volume.data, volume.grid)
        return _Brain(mask_of(probability), "brain extracted with deepbet", probability)
    step = "skull-stripped already" if fixed.stripped else "not skull-stripped"
    return _Brain(foreground(volume), step, is_brain=fixed.stripped)


def _register_all(
    images: Mapping[str, _SequenceImage], brain: Mask, reporter: ProgressReporter
) -> list[PreparationWarning]:
    fixed = images[REFERENCE]
    others = [m for m in images if m != REFERENCE]
    warnings: list[PreparationWarning] = []
    for index, modality in enumerate(others):
        span = (_REGISTERED - _BRAIN_FOUND) / len(others)
        title = MODALITY_TITLES[modality]
        reporter.update(_BRAIN_FOUND + span * index, f"registering {title}")
        moving = images[modality]
        if moving.series_image.is_registered_to(fixed.series_image):
            text = "on the grid of T1CE and skull-stripped: taken as registered"
            moving.steps.append(AppliedStep(StepKind.REGISTRATION, text))
            continue
        found = register(fixed.volume, moving.volume, brain, reporter.raise_if_cancelled)
        _accept(found, moving, fixed)
        grid, placed = fixed.volume.grid, _grid_in_t1ce(moving)
        moving.overlap = brain_overlap(moving.volume, moving.stripped, placed, brain, grid)
        covered = coverage(placed, brain, grid)
        warnings += registration_warnings(modality, moving.overlap, covered, moving.registration)
    return warnings


def _accept(found: Registration, moving: _SequenceImage, fixed: _SequenceImage) -> None:
    """Keep a registration, or the image as it is if it lies on the grid of T1CE and in place."""
    small = found.displacement_mm < MIN_DISPLACEMENT_MM
    if small and moving.volume.grid.matches(fixed.volume.grid):
        text = f"left as it is: it lies within {found.displacement_mm:.1f} mm of T1CE"
        moving.steps.append(AppliedStep(StepKind.REGISTRATION, text))
        return
    moving.registration = found
    text = (
        f"registered to T1CE: displaced by up to {found.displacement_mm:.1f} mm, mutual "
        f"information from {found.information_before:.3f} to {found.information_after:.3f}"
    )
    moving.steps.append(AppliedStep(StepKind.REGISTRATION, text))


def _grid_in_t1ce(image: _SequenceImage) -> Grid:
    grid = image.volume.grid
    return grid if image.registration is None else registered_grid(grid, image.registration.matrix)


def _with_t1(
    brain: _Brain, images: Mapping[str, _SequenceImage], reporter: ProgressReporter
) -> _Brain:
    """An extracted brain by the mean probability of T1CE and T1, where both show something."""
    fixed, t1 = images[REFERENCE], images.get("t1")
    if brain.probability is None or t1 is None or t1.stripped:
        return brain
    reporter.update(_REGISTERED, "extracting the brain in T1")
    of_t1 = brain_probability(t1.volume.data, t1.volume.grid)
    placed, grid = _grid_in_t1ce(t1), fixed.volume.grid
    covered = resample(np.ones(of_t1.shape, np.float32), placed, grid) > 0.99
    mean = (brain.probability + resample(of_t1, placed, grid)) / 2
    mask = mask_of(np.where(covered, mean, brain.probability))
    return _Brain(mask, f"{brain.step}, mean of T1CE and T1")


def _assemble(
    source: Source, images: Mapping[str, _SequenceImage], brain: Mask | None
) -> PreparedCase:
    volume = images[REFERENCE].volume
    sequences = {}
    for modality, image in images.items():
        series = source.assignment.chosen[modality]
        data = on_grid(image.volume, _grid_in_t1ce(image), volume.grid)
        if brain is not None and not (image.stripped and data is image.volume.data):
            data = np.where(brain, data, 0)
        sequences[modality] = PreparedSequence(
            image=data,
            native_grid=image.volume.grid,
            series=series.title,
            uid=series.uid,
            reason=source.assignment.reasons[modality].text,
            steps=tuple(image.steps),
            registration=image.registration,
            overlap=image.overlap,
            files=series.files,
            frames=series.frames,
        )
    if brain is None:
        brain = np.ones(volume.grid.shape, dtype=bool)
    listed = (series for series, _ in source.assignment.classified)
    titles = deidentified_titles((*listed, *source.assignment.chosen.values()))
    return PreparedCase(
        name=source.name,
        grid=volume.grid,
        header=volume.header,
        sequences=sequences,
        brain=brain,
        deidentified_titles=titles,
    )


def _without_bias(case: PreparedCase, reporter: ProgressReporter) -> PreparedCase:
    from smalltumor.scanner.preparation.bias_field import correct_bias_field

    sequences = {}
    for modality, sequence in case.sequences.items():
        reporter.update(_REGISTERED, f"bias field of {MODALITY_TITLES[modality]}")
        image = correct_bias_field(sequence.image, case.brain, case.grid)
        steps = (*sequence.steps, BIAS_FIELD_STEP)
        sequences[modality] = replace(sequence, image=image, steps=steps)
    return replace(case, sequences=sequences)


def _header_warnings(images: Mapping[str, _SequenceImage]) -> list[PreparationWarning]:
    """What is wrong with headers, of which sequence: files and folders may be named after patients.

    Sequences with the same problem share a sentence.
    """
    modalities: dict[str, list[str]] = {}
    for modality, image in images.items():
        for problem in header_problems(image.volume.header, image.volume.grid):
            modalities.setdefault(problem, []).append(modality)
    return [
        PreparationWarning(WarningKind.HEADER, f"{modality_titles(found)}: {problem}")
        for problem, found in modalities.items()
    ]


def _missing_warnings(images: Mapping[str, _SequenceImage]) -> list[PreparationWarning]:
    missing = [m for m in MODALITIES if m not in images]
    if not missing:
        return []
    text = f"without {modality_titles(missing)}: results are less reliable"
    return [PreparationWarning(WarningKind.MISSING_SEQUENCES, text)]
