"""Masks that are written from the mask of a case: of its regions, and in the BIDS dataset.

The record of the case has their digests, so that work of people in them is told from copies of the
mask, which may itself be the work of people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from smalltumor.cohort.results.records import CohortCaseRecord
from smalltumor.cohort.results.stored_mask import digest_of_file
from smalltumor.errors import SmalltumorError

if TYPE_CHECKING:
    from pathlib import Path

    from smalltumor.cohort.results.results_folder import ResultsFolder


def mask_in_dataset(case: str, dataset: Path) -> Path:
    """The mask of a case in a BIDS dataset, whether it exists or not."""
    from smalltumor.data.bids.names import bids_paths

    return bids_paths(case, dataset)[0]


def derived_masks(case: str, folder: ResultsFolder, dataset: Path | None) -> list[Path]:
    """Those that exist, of the regions first.

    Raises
    ------
    OutputError
        If that cannot be told.
    """
    paths = folder.regions(case)
    if dataset is not None:
        paths.append(mask_in_dataset(case, dataset))
    return [path for path in paths if folder.has(path)]


def digests_of_masks(paths: list[Path]) -> dict[str, str]:
    """SHA-256 of files by their names, for `CohortCaseRecord.derived`."""
    return {path.name: digest_of_file(path) for path in paths}


def was_edited_apart(path: Path, recorded: Mapping[str, str]) -> bool:
    """Whether a derived mask may hold work of people: it is no unchanged copy, and was corrected.

    Parameters
    ----------
    path : Path
    recorded : mapping of str to str
        `recorded_digests`.
    """
    from smalltumor.data.masks.corrected_masks import was_corrected

    return not _is_recorded(path, recorded) and was_corrected(path, is_result=True)


def corrected_masks(case: str, folder: ResultsFolder, dataset: Path | None) -> list[Path]:
    """The masks of a case that hold work of people, which a new result is not to replace.

    Unchanged copies of a mask hold none of their own, although the mask may have been corrected,
    unless the mask is damaged and they are all that is left of it.
    """
    from smalltumor.data.masks.corrected_masks import was_corrected

    mask = folder.mask(case)
    is_damaged = folder.has(mask) and not _can_be_read(mask)
    recorded = {} if is_damaged else recorded_digests(case, folder)
    derived = derived_masks(case, folder, dataset)
    own = [mask] if was_corrected(mask, is_result=True) else []
    return own + [path for path in derived if was_edited_apart(path, recorded)]


def check_replaceable(case: str, folder: ResultsFolder, dataset: Path | None) -> None:
    """Check that a new result may replace the masks of a case.

    Raises
    ------
    CaseError
        If people have corrected some, all of which are named.
    """
    from smalltumor.data.masks.corrected_masks import corrected_error

    found = corrected_masks(case, folder, dataset)
    if found:
        raise corrected_error(found)


def recorded_digests(case: str, folder: ResultsFolder) -> Mapping[str, str]:
    """Those of the derived masks as they were written; none if no sound record has them."""
    try:
        record = CohortCaseRecord.read(folder.record(case))
    except SmalltumorError:
        return {}
    return {} if record is None else record.derived


def _is_recorded(path: Path, recorded: Mapping[str, str]) -> bool:
    try:
        return path.name in recorded and digest_of_file(path) == recorded[path.name]
    except SmalltumorError:  # it cannot be read
        return False


def _can_be_read(path: Path) -> bool:
    from smalltumor.data.volumes.nifti import read_nifti

    try:
        read_nifti(path)
    except SmalltumorError:
        return False
    return True
