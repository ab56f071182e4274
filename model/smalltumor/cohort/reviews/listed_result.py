"""Whether what a worklist lists of a case is still true of its mask."""

from __future__ import annotations

from pathlib import Path

from smalltumor.cohort.lock import is_current
from smalltumor.cohort.results.records import CohortCaseRecord
from smalltumor.cohort.results.results import (
    CaseResult,
    read_result,
    read_settings,
    result_of_row,
)
from smalltumor.cohort.results.results_folder import ResultsFolder
from smalltumor.cohort.results.rows import CohortRow, numbers_of
from smalltumor.cohort.results.stored_mask import read_stored_mask
from smalltumor.errors import CaseError
from smalltumor.lesions import find_lesions


def check_listed(folder: Path, listed: CaseResult) -> None:
    """Check that a case of a cohort has the lesions and volumes that were listed.

    While a run is under way, and after it was interrupted, the table of the cohort has only the
    cases that this run has reached. Of others, the files of the case tell.

    Parameters
    ----------
    folder : Path
        The results.
    listed : CaseResult
        As the folder was read before.

    Raises
    ------
    SmalltumorError
        If it was segmented again or corrected since, is about to be segmented, or cannot be read.
    """
    result = read_result(folder, listed.name) or _result_of_mask(folder, listed.name)
    if not result.tells_the_same(listed):
        raise CaseError(
            f"{listed.name} was segmented again, or its mask corrected, since the worklist was "
            "read; open the results again"
        )


def _result_of_mask(folder: Path, case: str) -> CaseResult:
    results, settings = ResultsFolder(folder), read_settings(folder)
    if not results.has(results.mask(case)) or not is_current(results, settings, case):
        raise CaseError(
            f"{case} has no mask of the present run, which is under way or was interrupted; open "
            "the case when the run has ended"
        )
    mask = read_stored_mask(results.mask(case), case, settings.info.scheme)
    record = CohortCaseRecord.read(results.record(case))
    digest = "" if record is None else record.digest
    row = CohortRow(case, "kept", *numbers_of(mask, find_lesions(mask)), digest=digest)
    return result_of_row(row, results)
