"""Writing the results of a case that was segmented."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from smalltumor.cohort.pipeline.network_stage import Computed, second_look_at
from smalltumor.cohort.results.derived_masks import (
    check_replaceable,
    derived_masks,
    digests_of_masks,
    mask_in_dataset,
)
from smalltumor.cohort.results.records import CohortCaseRecord
from smalltumor.cohort.results.results_folder import ResultsFolder
from smalltumor.cohort.results.rows import CohortRow, numbers_of, participant_and_session
from smalltumor.cohort.results.stored_mask import digest_of_classes, digest_of_file
from smalltumor.errors import Cancelled
from smalltumor.files.tables import joined
from smalltumor.version import software_version

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from smalltumor.cohort.pipeline.jobs import Job
    from smalltumor.cohort.settings import CohortSettings
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.lesions import Lesion


def write_results(
    job: Job,
    computed: Computed,
    settings: CohortSettings,
    generation: int,
    cancelled: Callable[[], bool],
) -> CohortRow:
    """Write the files of a case, and give its row of the table.

    A case counts as done if its mask is in the folder of results: an earlier one is removed first,
    and the new one is written last. Nothing but results of this command is in the folder: what
    exists is outdated, or of a run that was killed.

    Raises
    ------
    CaseError
        If a mask was corrected meanwhile, or the BIDS dataset has no place for the mask, or that of
        another case there. Nothing has changed.
    OutputError
        If a file cannot be written.
    Cancelled
        If the run has ended before anything is written.
    """
    lesions, candidates, warning = second_look_at(computed)
    if cancelled():
        raise Cancelled("the run has ended")
    folder = ResultsFolder(settings.output)
    _remove_earlier_masks(computed.result, folder, settings)
    _write_lesions(computed.result, lesions, candidates, folder, settings)
    record = _record(job, computed, warning, generation, folder)
    record.write(folder.record(job.name))
    derived = _write_derived_masks(computed.result, folder, settings)
    if derived:
        replace(record, derived=derived).write(folder.record(job.name))
    _write_mask(computed.result, folder, settings)
    participant, session = participant_and_session(job.name)
    return CohortRow(
        job.name,
        "segmented",
        *numbers_of(computed.result, lesions),
        record.seconds,
        record.weights,
        warnings=joined(record.warnings),
        digest=record.digest,
        version=record.version,
        device=record.device,
        backend=record.backend,
        missing=" ".join(record.missing),
        participant_id=participant,
        session_id=session,
    ).with_expected_dice(record.expected_dice)


def _remove_earlier_masks(
    result: Segmentation, folder: ResultsFolder, settings: CohortSettings
) -> None:
    """Remove the masks that tell what an earlier run has done, if the new ones can be written.

    That in the BIDS dataset goes first. If this run were killed with it in the dataset and none in
    the folder of results, the next run would take it for another patient's.
    """
    name, mask = result.name, folder.mask(result.name)
    check_replaceable(name, folder, settings.bids)
    if settings.bids is not None:
        _check_dataset(result, settings.bids, mask, settings.authors)
        mask_in_dataset(name, settings.bids).unlink(missing_ok=True)
    mask.unlink(missing_ok=True)


def _check_dataset(result: Segmentation, dataset: Path, mask: Path, authors: Sequence[str]) -> None:
    """Check that the dataset has a place for the mask, and not another patient's there."""
    from smalltumor.data.bids.checks import check_bids, check_no_mask_of_others
    from smalltumor.data.identity.image_digests import images_of_mask

    check_bids(result.name, dataset, authors=authors, overwrite=True, sources=result.sources)
    check_no_mask_of_others(result, dataset, outdated=images_of_mask(mask))


def _record(
    job: Job, computed: Computed, warning: str | None, generation: int, folder: ResultsFolder
) -> CohortCaseRecord:
    run, candidates = computed.result.run, folder.candidates(job.name)
    assert run is not None
    warnings = [*computed.case.warnings, *map(str, run.findings), *run.all_warnings]
    return CohortCaseRecord(
        weights=run.weights,
        digest=run.digest,
        device=run.device,
        backend=run.backend,
        seconds=round(run.seconds, 2),
        version=software_version(),
        missing=run.missing,
        warnings=(*warnings, *([warning] if warning else [])),
        images={modality: read.size for modality, read in computed.case.contents.items()},
        digests=computed.case.digests,
        generation=generation,
        expected_dice=_expected_dice(computed.result),
        candidates=digest_of_file(candidates) if folder.has(candidates) else "",
        classes=digest_of_classes(computed.result.classes),
    )


def _expected_dice(result: Segmentation) -> dict[str, float | None]:
    from smalltumor.data.probabilities.expected_dice import expected_dice

    assert result.cropped is not None
    found = expected_dice(result.cropped.output)
    return {region.value: dice and round(dice, 4) for region, dice in found.items()}


def _write_lesions(
    result: Segmentation,
    lesions: list[Lesion],
    candidates: list[Lesion],
    folder: ResultsFolder,
    settings: CohortSettings,
) -> None:
    from smalltumor.lesions import write_csv
    from smalltumor.second_look import write_label_image

    path = folder.candidates(result.name)
    if settings.candidates or folder.has(path):  # that would be outdated
        write_label_image(candidates, result, path, overwrite=True)
    write_csv([*lesions, *candidates], folder.lesions(result.name), overwrite=True)


def _write_derived_masks(
    result: Segmentation, folder: ResultsFolder, settings: CohortSettings
) -> dict[str, str]:
    """Write the masks of regions and that of the BIDS dataset, and give their digests."""
    from smalltumor.data.bids.write import write_bids
    from smalltumor.data.segmentation import write_regions

    if settings.regions or folder.has_any_region(result.name):  # existing ones would be outdated
        write_regions(result, folder.mask(result.name), overwrite=True)
    if settings.bids is not None:
        write_bids(
            result,
            settings.bids,
            scheme=settings.scheme,
            authors=settings.authors,
            overwrite=True,
            other_images=True,
        )
    return digests_of_masks(derived_masks(result.name, folder, settings.bids))


def _write_mask(result: Segmentation, folder: ResultsFolder, settings: CohortSettings) -> None:
    from smalltumor.data.segmentation import write_segmentation

    mask = folder.mask(result.name)
    write_segmentation(result, mask, scheme=settings.scheme, overwrite=True)
