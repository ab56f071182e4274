"""What is to be done with each case of a cohort."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smalltumor.cohort.lock import LockedFolder
    from smalltumor.cohort.results.results_folder import ResultsFolder
    from smalltumor.cohort.settings import CohortSettings
    from smalltumor.data.naming.case_files import CaseFiles

Task = Literal["segment", "measure", "find candidates"]


@dataclass(frozen=True)
class Job:
    """One case, and what is to be done with it.

    Parameters
    ----------
    files : CaseFiles
    task : {"segment", "measure", "find candidates"}
        Measure: the mask is reused, and only what is missing beside it is written. Find candidates:
        it is reused, and the network runs for the candidates alone.
    missing : tuple of str
        Modalities without which an existing mask was made, if it has no record.
    """

    files: CaseFiles
    task: Task = "segment"
    missing: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the case."""
        return self.files.name


def jobs_of(
    cases: Sequence[CaseFiles],
    folder: ResultsFolder,
    locked: LockedFolder,
    settings: CohortSettings,
) -> list[Job]:
    """Decide what is to be done with each case."""
    return [_job(files, folder, locked, settings) for files in cases]


def _job(
    files: CaseFiles, folder: ResultsFolder, locked: LockedFolder, settings: CohortSettings
) -> Job:
    if not locked.is_current(files.name):
        return Job(files)
    lacks = settings.candidates and not folder.has(folder.candidates(files.name))
    return Job(files, "find candidates" if lacks else "measure", locked.missing(files.name))
