"""Cases whose mask exists: it is measured, and what is missing beside it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from smalltumor.cohort.results.records import CaseRecord, has_other_images
from smalltumor.cohort.results.results_folder import ResultsFolder
from smalltumor.cohort.results.rows import CohortRow, bids_labels, numbers_of, reason_of
from smalltumor.cohort.results.stored_mask import (
    digest_of_classes,
    digest_of_file,
    read_stored_mask,
)
from smalltumor.cohort.results.table_of_mask import lists_lesions
from smalltumor.errors import CaseError, SmalltumorError
from smalltumor.files.tables import joined

if TYPE_CHECKING:
    from pathlib import Path

    from smalltumor.cohort.pipeline.jobs import Job
    from smalltumor.cohort.pipeline.network_stage import Computed
    from smalltumor.cohort.settings import CohortSettings
    from smalltumor.data.naming.case_files import CaseFiles
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.lesions import Lesion

NOT_ITS_OWN = (
    "no candidates written: the mask differs from the network's; it was corrected, or made on "
    "another device"
)
_WRITTEN = "candidates written"


def keep(
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
    from smalltumor.lesions import find_lesions

    name, folder = job.name, ResultsFolder(settings.output)
    record = CaseRecord.read(folder.record(name))
    _check_images(job, record, _digests_seen(computed))
    mask = _read_mask(name, folder, settings.scheme)
    lesions, digest = find_lesions(mask), digest_of_classes(mask.classes)
    notes = [] if record is None else _added(record.missing, job.files)
    if record is None or record.classes != digest:
        _check_made_of(mask, job.files)
    outdated = _why_outdated(record, digest, folder.lesions(name), lesions)
    if outdated:
        notes.append(f"{outdated}: {_rewrite(mask, lesions, folder, settings)}")
        record = record and replace(record, classes=digest, candidates="")
    notes += _write_missing(mask, lesions, folder, settings)
    if computed is not None:
        notes.append(_candidates_note(computed, mask, folder))
        if notes[-1] == _WRITTEN and record is not None:
            record = replace(record, candidates=digest_of_file(folder.candidates(name)))
    if record is not None and (outdated or _WRITTEN in notes):
        record.write(folder.record(name))
    return _row(job, mask, lesions, record, notes)


def _why_outdated(
    record: CaseRecord | None, digest: str, table: Path, lesions: Sequence[Lesion]
) -> str:
    """Why the files beside a mask are not those of the mask as it is now; empty if they are.

    The record knows the classes that they were written from. The table also tells if the mask has
    another place or voxel size, and is all that tells of a mask without a record.
    """
    if record is not None and record.classes != digest:
        return "the mask was corrected"
    if table.exists() and not lists_lesions(table, lesions):
        return "the lesion table was not that of the mask"
    return ""


def _candidates_note(
    computed: Computed | Exception, mask: Segmentation, folder: ResultsFolder
) -> str:
    """Write the candidates; give the note."""
    if isinstance(computed, Exception):
        return f"no candidates written: {reason_of(computed)}"
    return _write_candidates(computed, mask, folder)


def _row(
    job: Job,
    mask: Segmentation,
    lesions: list[Lesion],
    record: CaseRecord | None,
    notes: Sequence[str],
) -> CohortRow:
    participant, session = bids_labels(job.name)
    lacking = job.missing if record is None else record.missing
    return _recorded(
        CohortRow(job.name, "kept", *numbers_of(mask, lesions)),
        record,
        note="; ".join(notes),
        warnings=_lacking(lacking),
        missing=" ".join(lacking),
        participant_id=participant,
        session_id=session,
    )


def _recorded(row: CohortRow, record: CaseRecord | None, **cells: str) -> CohortRow:
    if record is None:
        return replace(row, **cells)  # type: ignore[arg-type]
    known = {"weights": record.weights, "warnings": joined(record.warnings)}
    known |= {"digest": record.digest, "version": record.version}
    known |= {"device": record.device, "backend": record.backend}
    row = replace(row, **{**cells, **known}, seconds=record.seconds)  # type: ignore[arg-type]
    return row.with_expected_dice(record.expected_dice)


def _lacking(modalities: tuple[str, ...]) -> str:
    from smalltumor.data.naming.case_files import modality_titles

    return f"segmented without {modality_titles(modalities)}" if modalities else ""


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


def _check_images(job: Job, record: CaseRecord | None, digests: Mapping[str, str] | None) -> None:
    """A mask must not pass for that of images which took the place of its own.

    Candidates that are written beside it are of the images that were read for them.
    """
    if has_other_images(record, job.files, digests):
        raise CaseError(
            f"{job.name}: its images have changed since its mask in the folder of results was "
            "made; delete the mask to have it segmented again"
        )


def _check_made_of(mask: Segmentation, files: CaseFiles) -> None:
    """A mask that was put here must not be of another patient's images."""
    from smalltumor.data.case import REFERENCE
    from smalltumor.data.identity.image_digests import are_others, digests_of_t1ce

    images = files.modalities.get(REFERENCE)
    if not mask.made_of or not images:
        return
    if are_others(mask.made_of, digests_of_t1ce(images[0])):
        raise CaseError(
            f"{mask.name}: the mask in the folder of results was made of other images, such as "
            "another patient's; delete it to have the case segmented"
        )


def _read_mask(name: str, folder: ResultsFolder, scheme: str) -> Segmentation:
    try:
        return read_stored_mask(folder.mask(name), name, scheme)
    except SmalltumorError as error:
        raise CaseError(f"{error}; delete it to have it segmented again") from error


def _rewrite(
    mask: Segmentation, lesions: list[Lesion], folder: ResultsFolder, settings: CohortSettings
) -> str:
    """Write what belongs to a mask as it is now; say what. The candidates were of another one."""
    from smalltumor.data.bids import write_bids
    from smalltumor.data.segmentation import write_regions
    from smalltumor.lesions import write_csv

    name, written = mask.name, ["lesion table"]
    folder.candidates(name).unlink(missing_ok=True)
    write_csv(lesions, folder.lesions(name), overwrite=True)
    if settings.regions or folder.has_any_region(name):
        write_regions(mask, folder.mask(name), overwrite=True)
        written.append("region masks")
    if settings.bids is not None:
        write_bids(
            mask, settings.bids, scheme=settings.scheme, authors=settings.authors, overwrite=True
        )
        written.append("BIDS files")
    return f"{' and '.join(written)} written from it"


def _write_missing(
    mask: Segmentation, lesions: list[Lesion], folder: ResultsFolder, settings: CohortSettings
) -> list[str]:
    from smalltumor.data.bids import write_bids
    from smalltumor.data.bids_names import bids_paths
    from smalltumor.data.segmentation import write_regions
    from smalltumor.lesions import write_csv

    notes, name = [], mask.name
    if not folder.lesions(name).exists():
        write_csv(lesions, folder.lesions(name))
        notes.append("lesion table written from the mask")
    if settings.regions and not folder.has_regions(name):
        write_regions(mask, folder.mask(name), overwrite=True)
        notes.append("region masks written from the mask")
    if settings.bids is not None and not _is_mask(
        bids_paths(name, settings.bids)[0], mask, settings
    ):
        write_bids(
            mask,
            settings.bids,
            scheme=settings.scheme,
            authors=settings.authors,
            overwrite=True,
        )
        notes.append("BIDS files written from the mask")
    return notes


def _is_mask(path: Path, mask: Segmentation, settings: CohortSettings) -> bool:
    """Whether a file holds a mask, which may have been corrected since the file was written."""
    try:
        stored = read_stored_mask(path, mask.name, settings.scheme)
    except SmalltumorError:
        return False
    return np.array_equal(stored.classes, mask.classes)


def _write_candidates(computed: Computed, mask: Segmentation, folder: ResultsFolder) -> str:
    """Write the label image, if its values are the ids of the lesion table; give the note."""
    from smalltumor.cohort.pipeline.network_stage import second_look_at
    from smalltumor.data.identity.image_digests import comment_of
    from smalltumor.data.volumes.nifti import write_volume
    from smalltumor.files.tables import read_table
    from smalltumor.second_look import label_image

    result = computed.result
    if not np.array_equal(result.classes, mask.classes):
        return NOT_ITS_OWN
    candidates = second_look_at(computed)[1]
    rows = read_table(folder.lesions(mask.name), ("id", "list"))
    listed = {row["id"] for row in rows if row["list"] == "second_look"}
    if listed != {str(candidate.id) for candidate in candidates}:
        return "no candidates written: the lesion table lists others"
    image = label_image(candidates, result.grid)
    write_volume(
        folder.candidates(mask.name),
        image,
        result.grid,
        result.header,
        comment=comment_of(result.made_of),
        overwrite=True,
    )
    return _WRITTEN
