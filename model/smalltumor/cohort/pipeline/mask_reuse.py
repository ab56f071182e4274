"""Cases whose mask exists: it is measured, and what is missing beside it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from smalltumor.cohort.pipeline.existing_mask import ExistingMask, read_existing_mask
from smalltumor.cohort.pipeline.files_beside_mask import (
    CANDIDATES_WRITTEN,
    write_beside,
    write_candidates,
)
from smalltumor.cohort.results.records import CohortCaseRecord
from smalltumor.cohort.results.results_folder import ResultsFolder
from smalltumor.cohort.results.rows import CohortRow, numbers_of, participant_and_session
from smalltumor.cohort.results.stored_mask import digest_of_file
from smalltumor.data.made_by import segmented_without
from smalltumor.files.tables import joined

if TYPE_CHECKING:
    from smalltumor.cohort.pipeline.jobs import Job
    from smalltumor.cohort.pipeline.network_stage import Computed
    from smalltumor.cohort.settings import CohortSettings
    from smalltumor.data.naming.case_files import CaseFiles


def reuse_mask(
    job: Job,
    settings: CohortSettings,
    computed: Computed | Exception | None = None,
) -> CohortRow:
    """Measure the mask of a case, which may have been corrected by hand, and leave it as it is.

    Parameters
    ----------
    job : Job
    settings : CohortSettings
    computed : Computed or Exception, optional
        What the network finds, for the candidates, or why it finds nothing.

    Raises
    ------
    SmalltumorError
        If the mask cannot be read, or the case has other images than when it was made.
    OutputError
        If what is missing cannot be written.
    """
    name, folder = job.name, ResultsFolder(settings.output)
    existing = read_existing_mask(job.files, folder, settings.scheme, _digests_seen(computed))
    record = existing.record
    notes = [] if record is None else _added(record.missing, job.files)
    beside = write_beside(existing, folder, settings)
    notes += beside.notes
    if record is not None:
        record = replace(record, derived={**record.derived, **beside.derived})
    if record is not None and existing.has_outdated_files:
        record = replace(record, classes=existing.digest, candidates="")
    if computed is not None:
        notes.append(write_candidates(computed, existing.mask, folder))
        if record is not None and notes[-1] == CANDIDATES_WRITTEN:
            record = replace(record, candidates=digest_of_file(folder.candidates(name)))
    if record is not None and record != existing.record:
        record.write(folder.record(name))
    return _row(job, existing, record, notes)


def _row(
    job: Job, existing: ExistingMask, record: CohortCaseRecord | None, notes: Sequence[str]
) -> CohortRow:
    participant, session = participant_and_session(job.name)
    lacking = job.missing if record is None else record.missing
    return _recorded(
        CohortRow(job.name, "kept", *numbers_of(existing.mask, existing.lesions)),
        record,
        note="; ".join(notes),
        warnings=segmented_without(lacking),
        missing=" ".join(lacking),
        participant_id=participant,
        session_id=session,
    )


def _recorded(row: CohortRow, record: CohortCaseRecord | None, **cells: str) -> CohortRow:
    if record is None:
        return replace(row, **cells)  # type: ignore[arg-type]
    known = {"weights": record.weights, "warnings": joined(record.warnings)}
    known |= {"digest": record.digest, "version": record.version}
    known |= {"device": record.device, "backend": record.backend}
    row = replace(row, **{**cells, **known}, seconds=record.seconds)  # type: ignore[arg-type]
    return row.with_expected_dice(record.expected_dice)


def _added(missing: tuple[str, ...], files: CaseFiles) -> list[str]:
    """A note about sequences that the network did not see and the case has by now."""
    from smalltumor.data.naming.case_files import modality_titles

    added = tuple(modality for modality in missing if modality in files.modalities)
    if not added:
        return []
    return [
        f"{modality_titles(added)} was added after the case was segmented; delete the mask to have "
        "it segmented again"
    ]


def _digests_seen(computed: Computed | Exception | None) -> Mapping[str, str] | None:
    """SHA-256 of the images that the network saw; None if it saw none."""
    return None if computed is None or isinstance(computed, Exception) else computed.case.digests
