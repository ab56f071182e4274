"""The cases of a cohort as a list to review: in the order of the report, with their reviews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.cohort.results.folder_settings import CohortInfo
from smalltumor.cohort.results.results import CaseResult, read_info, read_results
from smalltumor.cohort.results.results_folder import TABLE
from smalltumor.cohort.reviews.ranking import Order, ranked
from smalltumor.cohort.reviews.review_table import Review
from smalltumor.cohort.reviews.reviews import Reviews
from smalltumor.errors import CaseError, SmalltumorError
from smalltumor.files.file_stamp import Stamp, written_stamp_of
from smalltumor.files.names import file_key

if TYPE_CHECKING:
    from smalltumor.data.naming.case_files import CaseFiles


class ImagesNotFoundError(CaseError):
    """The images of a cohort are not where they were when it was segmented."""


@dataclass(frozen=True)
class WorklistEntry:
    """A case of a worklist.

    Parameters
    ----------
    result : CaseResult
    files : CaseFiles or None
        Its images; None if they were not found.
    review : Review or None
        Its last review, by whichever reader.
    """

    result: CaseResult
    files: CaseFiles | None
    review: Review | None

    @property
    def name(self) -> str:
        """Name of the case."""
        return self.result.name

    @property
    def can_be_opened(self) -> bool:
        """Whether there are a mask and images."""
        return not self.result.failed and self.files is not None

    @property
    def awaits_review(self) -> bool:
        """Whether nobody has reviewed it, and it can be opened."""
        return self.can_be_opened and self.review is None


@dataclass(frozen=True)
class Worklist:
    """The cases of a folder of results.

    Parameters
    ----------
    folder : Path
    info : CohortInfo
    entries : sequence of WorklistEntry
        In an order of `smalltumor.cohort.reviews.ranking.ranked`, at first that of what deserves a
        look.
    problems : sequence of str
        Why readers' tables cannot be read, whose reviews are left out, and why none can be saved.
    stamp : tuple of int or None
        `written_stamp_of` the table of the cohort when it was read.
    is_outdated : bool
        Whether the cohort was run again since, so that cases may be missing here.
    """

    folder: Path
    info: CohortInfo
    entries: Sequence[WorklistEntry]
    problems: Sequence[str] = ()
    stamp: Stamp | None = None
    is_outdated: bool = False

    @property
    def reviewed(self) -> int:
        """The number of cases that somebody has reviewed, of those that can be opened."""
        return sum(entry.can_be_opened and entry.review is not None for entry in self.entries)

    def unreviewed(self, start: int, by: int) -> int | None:
        """Index of the next case that awaits a review; from the last one on, from the first.

        Parameters
        ----------
        start : int
            Index to start from, which itself comes last; -1 to start at the beginning.
        by : {1, -1}
            Down or up the list.
        """
        count = len(self.entries)
        first = start if start >= 0 or by > 0 else 0
        steps = ((first + by * step) % count for step in range(1, count + 1))
        return next((index for index in steps if self.entries[index].awaits_review), None)

    def ordered(self, order: Order) -> Worklist:
        """The same cases in an order."""
        entries = {entry.name: entry for entry in self.entries}
        results = ranked((entry.result for entry in self.entries), order)
        return replace(self, entries=[entries[result.name] for result in results])

    def with_reviews_of_now(self) -> Worklist:
        """The same cases with the reviews that readers have saved meanwhile.

        Raises
        ------
        SmalltumorError
            If the folder holds no results of a cohort any more.
        """
        damaged: list[str] = []
        latest = Reviews(self.folder).latest(damaged)
        entries = [replace(each, review=latest.get(file_key(each.name))) for each in self.entries]
        is_outdated = written_stamp_of(self.folder / TABLE) != self.stamp
        return replace(self, entries=entries, problems=damaged, is_outdated=is_outdated)


def read_worklist(folder: Path, data: Path | None = None) -> Worklist:
    """Read the cases of a folder of results.

    Parameters
    ----------
    folder : Path
    data : Path, optional
        Folder of the cases; by default the one that they were segmented from.

    Raises
    ------
    ImagesNotFoundError
        If no case that has a mask is there.
    SmalltumorError
        If the folder holds no results of a cohort, or a table of it cannot be read.
    """
    info, stamp = read_info(folder), written_stamp_of(folder / TABLE)
    results = ranked(read_results(folder))
    files = _files_in(data or info.data, folder)
    made = [result.name for result in results if not result.failed]
    if made and files.keys().isdisjoint(made):
        raise ImagesNotFoundError(f"{data or info.data} holds no case of {folder}")
    damaged: list[str] = []
    reviews = Reviews(folder)
    latest, obstacle = reviews.latest(damaged), reviews.obstacle()
    entries = [WorklistEntry(r, files.get(r.name), latest.get(file_key(r.name))) for r in results]
    problems = [*damaged, *([obstacle] if obstacle else [])]
    return Worklist(folder=folder, info=info, entries=entries, problems=problems, stamp=stamp)


def _files_in(data: Path | None, folder: Path) -> dict[str, CaseFiles]:
    from smalltumor.data.naming.find_cases import find_cases

    if data is None:
        raise ImagesNotFoundError(f"{folder} does not say where the images of its cases are")
    try:
        return {files.name: files for files in find_cases(data)}
    except SmalltumorError as error:
        raise ImagesNotFoundError(f"the images of {folder} are not found: {error}") from error
