"""The series of which a prepared case was made: found again, and recognised by their voxels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smalltumor.data.case import REFERENCE
from smalltumor.data.naming.case_files import MODALITY_TITLES
from smalltumor.data.volumes.nifti import Volume
from smalltumor.errors import CaseError
from smalltumor.files.listings import entries
from smalltumor.geometry.grid import Grid
from smalltumor.scanner.deidentification.deidentified_title import deidentified_title
from smalltumor.scanner.prepared.prepared_case import PreparedCase, PreparedSequence
from smalltumor.scanner.prepared.prepared_files import RECORD_ENDING
from smalltumor.scanner.registration.registration import on_grid, registered_grid
from smalltumor.scanner.series import Series
from smalltumor.scanner.studies import find_studies

_MAX_DIFFERENCE = 0.01
"""Mean difference from the stored image, as a share of its standard deviation within the brain."""

_ROUGHEST_BIAS = 0.5
"""Median step of the bias field from voxel to voxel, as a share of that of the stored image."""


class NotTheScanError(CaseError):
    """Images are not those of which a prepared case was made."""


def series_in(folder: Path, case: PreparedCase) -> dict[str, Series]:
    """Find the series of which a case was made.

    Files of prepared cases are left out: a registration would be applied to them twice.

    Parameters
    ----------
    folder : Path
        The scan; searched with its subfolders.
    case : PreparedCase

    Returns
    -------
    dict of str to Series
        By modality. Series are recognised by Series Instance UID, or the name of the file, and by
        shape; those without UID are of one study. T1CE shows the image of the case.

    Raises
    ------
    NotTheScanError
        If one is not in the folder, or T1CE shows another image.
    MissingPackageError
        If there are DICOM files and pydicom is not installed.
    """
    not_the_scan = f"{folder} is not the scan from which {case.name} was made"
    try:
        studies = find_studies(folder).studies
    except CaseError as error:
        raise NotTheScanError(f"{not_the_scan}: {error}") from error
    listed = [[series for series in study.series if not _is_prepared(series)] for study in studies]
    candidates = list(_candidates(listed, case))
    complete = [found for found in candidates if len(found) == len(case.sequences)]
    if not any(listed):
        raise NotTheScanError(f"{not_the_scan}: it holds images that are prepared already")
    if not complete:
        missing = [s.series for m, s in case.sequences.items() if m not in candidates[0]]
        raise NotTheScanError(f"{not_the_scan}: it has no {missing[0]}")
    problem: CaseError | None = None
    for found in complete:
        try:
            read_series(found[REFERENCE], REFERENCE, case)
        except CaseError as error:
            problem = error
        else:
            return found
    raise NotTheScanError(f"{not_the_scan}: {problem}")


def read_series(series: Series, modality: str, case: PreparedCase) -> Volume:
    """Read a series, and check that a sequence of a case was made of it.

    Parameters
    ----------
    series : Series
    modality : str
    case : PreparedCase

    Raises
    ------
    CaseError
        If it cannot be read.
    NotTheScanError
        If it lies on another grid, or shows another image within the brain.
    """
    volume, sequence = series.read(), case.sequences[modality]
    if not volume.grid.matches(sequence.native_grid):
        raise NotTheScanError(f"{series.title} is on another grid than when the case was prepared")
    if not _is_made_of(sequence, volume, case):
        raise NotTheScanError(
            f"{series.title} shows another image than {MODALITY_TITLES[modality]}"
        )
    return volume


def on_grid_of_case(
    volume: Volume, sequence: PreparedSequence, grid: Grid
) -> npt.NDArray[np.generic]:
    """A series on the grid of T1CE, (i, j, k), registered as its sequence is."""
    found = sequence.registration
    placed = volume.grid if found is None else registered_grid(volume.grid, found.matrix)
    return on_grid(volume, placed, grid)


def _is_prepared(series: Series) -> bool:
    """Whether a series is a file of a prepared case."""
    beside = (path.name for path in entries(series.location.parent))
    names = (name.removesuffix(RECORD_ENDING) for name in beside if name.endswith(RECORD_ENDING))
    return any(series.location.name.startswith(f"{name}_") for name in names)


def _candidates(
    studies: Iterable[Iterable[Series]], case: PreparedCase
) -> Iterator[dict[str, Series]]:
    """For each study, the series that may be those of the case; the one that has most first."""
    listed = [list(study) for study in studies]
    identified = [series for study in listed for series in study if series.uid]
    found = [
        {
            modality: series
            for modality, sequence in case.sequences.items()
            if (series := _series_of(identified if sequence.uid else study, sequence, case))
            is not None
        }
        for study in listed
    ]
    yield from sorted(found, key=len, reverse=True)


def _series_of(
    listed: Iterable[Series], sequence: PreparedSequence, case: PreparedCase
) -> Series | None:
    """The series of a sequence; of several volumes of one series, that which it was made of.

    What is recorded of the name of a file may be the same for several patients, so that the image
    has to be that of the sequence.
    """
    same = [
        series
        for series in listed
        if (not sequence.uid or series.uid == sequence.uid)
        and series.shape == sequence.native_grid.shape
    ]
    found = [series for series in same if series.title == sequence.series]
    if sequence.uid:
        found = found or same
    elif not found:
        recorded = [series for series in same if deidentified_title(series) == sequence.series]
        return next((series for series in recorded if _shows(series, sequence, case)), None)
    if len(found) > 1:
        found = [series for series in found if _shows(series, sequence, case)] or found
    return next(iter(found), None)


def _shows(series: Series, sequence: PreparedSequence, case: PreparedCase) -> bool:
    try:
        return _is_made_of(sequence, series.read(), case)
    except CaseError:
        return False


def _is_made_of(sequence: PreparedSequence, volume: Volume, case: PreparedCase) -> bool:
    """Whether a sequence, as it is stored, is this image within the brain of the case."""
    made = on_grid_of_case(volume, sequence, case.grid).astype(np.float32)
    stored = sequence.image.astype(np.float32)
    if sequence.has_corrected_bias_field:
        return _differ_smoothly(made, stored, case)
    within = stored[case.brain]
    difference = float(np.abs(made[case.brain] - within).mean()) if within.size else 0.0
    return difference <= _MAX_DIFFERENCE * float(within.std())


def _differ_smoothly(
    made: npt.NDArray[np.float32], stored: npt.NDArray[np.float32], case: PreparedCase
) -> bool:
    """Whether the quotient of two images is a bias field, which hardly changes between voxels."""
    brain = case.brain & (made > 0) & (stored > 0)
    made, stored = (np.log(np.where(brain, image, 1)) for image in (made, stored))
    pairs = brain[1:] & brain[:-1]
    steps = (np.abs(np.diff(image, axis=0)[pairs]) for image in (made - stored, stored))
    bias, image = (float(np.median(step)) if step.size else 0.0 for step in steps)
    return bias <= _ROUGHEST_BIAS * image
