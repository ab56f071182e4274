"""Segmenting many cases: a mask and a lesion table for each, and tables of all.

A case whose results exist is not segmented again, so an interrupted run continues where it
stopped. A case that cannot be read does not stop the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from smalltumor.cohort.cases import check_bids_output
from smalltumor.cohort.lock import LockedFolder, locked_results
from smalltumor.cohort.pipeline.jobs import Job, jobs_of
from smalltumor.cohort.pipeline.pipeline import Pipeline
from smalltumor.cohort.results.folder_settings import CohortInfo
from smalltumor.cohort.results.lesion_tables import (
    renew_parquet,
    require_pyarrow,
    write_lesions,
    write_parquet,
)
from smalltumor.cohort.results.results_folder import PARQUET, TABLE, ResultsFolder
from smalltumor.cohort.results.rows import CohortRow, cases_with_shared_labels, without_labels
from smalltumor.cohort.results.tables import GrowingTable, write_rows
from smalltumor.cohort.same_images import same_images, with_warnings
from smalltumor.cohort.seen_in_training import training_facts
from smalltumor.cohort.workers.workers import THIS_PROCESS, Workers
from smalltumor.data.preprocessing import PREPROCESSING_VERSION
from smalltumor.files.transactions.recovery import recover_interrupted_writes
from smalltumor.files.transactions.temporary_files import remove_temporary_files

if TYPE_CHECKING:
    from smalltumor.cohort.settings import CohortSettings
    from smalltumor.data.naming.case_files import CaseFiles
    from smalltumor.models.checkpoint import Checkpoint


def segment_cohort(
    cases: Sequence[CaseFiles],
    checkpoint: Checkpoint,
    settings: CohortSettings,
    workers: Workers = THIS_PROCESS,
    *,
    elsewhere: Sequence[str] = (),
    began: Callable[[int], None] = lambda segmented: None,
    warn: Callable[[str], None] = lambda text: None,
) -> Iterator[CohortRow]:
    """Segment cases, and write results and a row of the table for each.

    A case is segmented if its mask is missing or outdated. From an existing mask, which may have
    been corrected by hand, the lesion table and the requested region masks are written if they
    are missing; such a table has no probabilities.

    Parameters
    ----------
    cases : sequence of CaseFiles
        From `cohort_cases`.
    checkpoint : Checkpoint
    settings : CohortSettings
    workers : Workers
        Processes that segment the cases; by default this one does, in the order of `cases`.
    elsewhere : sequence of str
        Names of the cases of other parts of the cohort, which have their BIDS labels.
    began : callable
        Called once nothing speaks against the run, with the number of cases that are segmented.
    warn : callable
        Called at the end, with a line for each case that has an image of another case.

    Yields
    ------
    CohortRow
        After it was written to the table. An error of one case makes its row "failed". The row in
        the table has warnings about `same_images` from the end of the run on.

    Raises
    ------
    OutputError
        If the folder is in use by another run, holds other files or results made with other
        settings, or cannot be written to. What is complete remains, and the same call continues.
    SmalltumorError
        If the device is not known, a package is not installed, or there are no workers.
    """
    from smalltumor.inference.devices import choose_device

    choose_device(settings.device)  # a wrong name is an error of the run, not of each case
    if settings.parquet:
        require_pyarrow()
    folder, names = ResultsFolder(settings.output), [files.name for files in cases]
    with locked_results(
        folder, info_of_run(checkpoint, settings), names, settings.overwrite
    ) as locked:
        jobs = jobs_of(cases, folder, locked, settings)
        current = {job.name for job in jobs if job.task != "segment"}
        check_bids_output(names, lambda n: n in current or folder.has(folder.record(n)), settings)
        shared = cases_with_shared_labels(names, [*elsewhere, *folder.cases_with_tables()])
        began(sum(job.task == "segment" for job in jobs))
        try:
            with _rows(jobs, checkpoint, settings, locked, workers) as rows:
                told = (without_labels(row) if row.case in shared else row for row in rows)
                yield from _record(told, jobs, settings, locked, warn)
        except BaseException:
            _remove_unfinished(names, settings)
            raise


def _remove_unfinished(names: Iterable[str], settings: CohortSettings) -> None:
    """Remove what workers that were killed have left; others may be writing still."""
    from smalltumor.data.bids.names import bids_paths

    folders = [settings.output]
    if settings.bids is not None:
        folders += [bids_paths(name, settings.bids)[0].parent for name in names]
    for folder in folders:
        recover_interrupted_writes(folder)
        remove_temporary_files(folder)


def info_of_run(checkpoint: Checkpoint, settings: CohortSettings) -> CohortInfo:
    """How a run with these settings makes its masks."""
    return CohortInfo(
        scheme=settings.scheme,
        weights=str(checkpoint.card.get("name", "")),
        digest=checkpoint.digest,
        flips=settings.flips,
        preprocessing_version=PREPROCESSING_VERSION,
        part=str(settings.part),
        cases_digest=settings.cases_digest,
        data=None if settings.data is None else settings.data.absolute(),
        training=training_facts(checkpoint.card),
    )


@contextmanager
def _rows(
    jobs: Sequence[Job],
    checkpoint: Checkpoint,
    settings: CohortSettings,
    locked: LockedFolder,
    workers: Workers,
) -> Iterator[Iterator[CohortRow]]:
    if workers.are_processes:
        from smalltumor.cohort.workers.cluster import rows_from_workers

        with closing(
            rows_from_workers(jobs, checkpoint, settings, locked.generation, workers)
        ) as rows:
            yield rows
    else:
        with Pipeline(checkpoint, settings, locked.generation) as pipeline:
            yield pipeline.rows(jobs)


def _record(
    rows: Iterator[CohortRow],
    jobs: Sequence[Job],
    settings: CohortSettings,
    locked: LockedFolder,
    warn: Callable[[str], None],
) -> Iterator[CohortRow]:
    """Write each row as it comes; when all are there, the table is ordered and summaries written.

    Before the first row, summaries of the run before are removed.
    """
    path = settings.output / TABLE
    done: dict[str, CohortRow] = {}
    try:
        with GrowingTable.at(path) as table:
            for row in rows:
                if not done:
                    locked.remove_summaries()
                done[row.case] = row
                table.append(row)
                yield row
    finally:
        made = (row for row in done.values() if row.outcome != "failed")
        locked.record_missing({row.case: row.missing.split() for row in made})
    folder = ResultsFolder(settings.output)
    ordered = _with_same_images([done[job.name] for job in jobs], folder, warn)
    write_rows(ordered, path)
    write_lesions(ordered, folder)
    if settings.parquet:
        write_parquet(folder)
    elif locked.existed_before(PARQUET.values()):
        renew_parquet(folder)
    locked.end()


def _with_same_images(
    rows: list[CohortRow], folder: ResultsFolder, warn: Callable[[str], None]
) -> list[CohortRow]:
    found = same_images(rows, folder)
    for case, texts in found.items():
        warn(f"{case}: {'; '.join(texts)}")
    return [with_warnings(row, found.get(row.case, ())) for row in rows]
