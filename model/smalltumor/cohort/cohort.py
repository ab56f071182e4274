"""Segmenting many cases: a mask and a lesion table for each, and a table of all.

A case whose results exist is not segmented again, so an interrupted run continues where it
stopped. A case that cannot be read does not stop the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from smalltumor.cohort.parts import WHOLE, Part
from smalltumor.cohort.results_folder import TABLE, ResultsFolder, check_distinct
from smalltumor.errors import Action, CaseError, OutputError, Remedy, SmalltumorError
from smalltumor.files.atomic import check_output_folder
from smalltumor.files.tables import write_table
from smalltumor.labels.regions import Region
from smalltumor.labels.schemes import DEFAULT_SCHEME

if TYPE_CHECKING:
    from smalltumor.data.case import Case
    from smalltumor.data.naming.case_files import CaseFiles
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.inference.fallback import BackendName
    from smalltumor.lesions import Lesion
    from smalltumor.models.checkpoint import Checkpoint

Outcome = Literal["segmented", "kept", "failed"]


@dataclass(frozen=True)
class CohortRow:
    """One case of a cohort, as in its table.

    Parameters
    ----------
    case : str
    outcome : {"segmented", "kept", "failed"}
        Kept: the mask existed, and the numbers are those of it.
    et_ml, tc_ml, wt_ml : float or None
        Volumes of the regions in ml; None if it failed.
    et_components, et_small : int or None
        Number of components of enhancing tumour, and of those below `SMALL_LESION_MM3`.
    seconds : float or None
        Wall time of the segmentation, without reading.
    weights : str
        Name of the checkpoint.
    note : str
        Why it failed, what was added to a kept mask, or warnings.
    """

    case: str
    outcome: Outcome
    et_ml: float | None = None
    tc_ml: float | None = None
    wt_ml: float | None = None
    et_components: int | None = None
    et_small: int | None = None
    seconds: float | None = None
    weights: str = ""
    note: str = ""


@dataclass(frozen=True)
class CohortSettings:
    """Settings of a cohort run.

    Parameters
    ----------
    output : Path
        Folder of the results, see `ResultsFolder`; outside the folder of the cases.
    scheme : str
        Label scheme of the masks.
    regions : bool
        Write the region masks ``CASE_et.nii.gz`` and so on as well.
    device : str
    backend : {"auto", "torch", "openvino"}
    flips : bool
        As for `smalltumor.segment`.
    overwrite : bool
        Segment cases again whose masks exist.
    allow_missing : bool
        Segment cases that lack T1, T2 or FLAIR, with weights that were trained with modality
        dropout; otherwise such a case fails.
    bids : Path, optional
        BIDS derivative dataset to which the masks are written as well.
    candidates : bool
        Write the label images ``CASE_candidates.nii.gz`` as well.
    part : Part
        Which part of a cohort the cases are; a folder holds one part.
    """

    output: Path
    scheme: str = DEFAULT_SCHEME
    regions: bool = False
    device: str = "auto"
    backend: BackendName = "auto"
    flips: bool = False
    overwrite: bool = False
    allow_missing: bool = False
    bids: Path | None = None
    candidates: bool = False
    part: Part = WHOLE


def cohort_cases(folder: Path, output: Path) -> list[CaseFiles]:
    """List the cases of a folder, complete or not.

    Parameters
    ----------
    folder : Path
        Folder of the cases.
    output : Path
        Folder of the results.

    Raises
    ------
    CaseError
        If there is no case, or results of two cases would be one file.
    OutputError
        If the results would be in the folder of the cases, where they would be read as cases.
    """
    from smalltumor.data.naming.find_cases import find_cases

    check_output_folder(output)
    if output.resolve() == folder.resolve():
        raise OutputError(f"{output} is the folder of the cases", Remedy(Action.CHOOSE_OUTPUT))
    if output.resolve().is_relative_to(folder.resolve()):
        raise OutputError(
            f"{output} is inside {folder}, where results would be read as cases",
            Remedy(Action.CHOOSE_OUTPUT),
        )
    cases = find_cases(folder)
    repeated = [name for name, count in Counter(c.name for c in cases).items() if count > 1]
    if repeated:
        raise CaseError(
            f"{folder} holds more than one case named {', '.join(repeated)}; their masks would be "
            "one file"
        )
    check_distinct((files.name for files in cases), ResultsFolder(output))
    return cases


def segment_cohort(
    cases: Sequence[CaseFiles], checkpoint: Checkpoint, settings: CohortSettings
) -> Iterator[CohortRow]:
    """Segment cases in turn, and write results and table after each.

    A case is segmented if its mask is missing or outdated. From an existing mask, which may have
    been corrected by hand, the lesion table and the requested region masks are written if they
    are missing; such a table has no probabilities.

    Parameters
    ----------
    cases : sequence of CaseFiles
        From `cohort_cases`.
    checkpoint : Checkpoint
    settings : CohortSettings

    Yields
    ------
    CohortRow
        After it was written to the table. An error of one case makes its row "failed".

    Raises
    ------
    OutputError
        If the folder is in use by another run, holds other files or results made with other
        settings, or cannot be written to.
    SmalltumorError
        If the device is not known.
    """
    from smalltumor.inference.devices import choose_device

    choose_device(settings.device)  # a wrong name is an error of the run, not of each case
    folder, weights = ResultsFolder(settings.output), str(checkpoint.card.get("name", ""))
    made_with = {"labels": settings.scheme, "flips": settings.flips, "weights": weights}
    made_with |= {"digest": checkpoint.digest, "part": str(settings.part)}
    names = [files.name for files in cases]
    with folder.claimed(made_with, names, settings.overwrite):
        kept = {name for name in names if folder.is_current(name)}
        _check_bids(names, kept, settings)
        to_read = (files for files in cases if files.name not in kept)
        read = _read_ahead(to_read, settings.allow_missing)
        rows: list[CohortRow] = []
        for name in names:
            if name in kept:
                row = _keep(name, folder, settings, weights)
            else:
                row = _segment(name, next(read), checkpoint, settings, folder)
            rows.append(row)
            _write_rows(rows, folder.path / TABLE)
            yield row


def _check_bids(names: Sequence[str], kept: Container[str], settings: CohortSettings) -> None:
    from smalltumor.data.bids import check_bids, check_distinct_subjects

    if settings.bids is None:
        return
    check_distinct_subjects(names, settings.bids)
    for name in names:
        check_bids(name, settings.bids, overwrite=settings.overwrite or name in kept)


def _read_ahead(cases: Iterable[CaseFiles], allow_missing: bool) -> Iterator[Case | Exception]:
    """Read cases in a thread, one ahead of the case in use; an error is yielded, not raised."""
    with ThreadPoolExecutor(1) as pool:
        before: Future[Case | Exception] | None = None
        for files in cases:
            ahead = pool.submit(_read, files, allow_missing)
            if before is not None:
                yield before.result()
            before = ahead
        if before is not None:
            yield before.result()


def _read(files: CaseFiles, allow_missing: bool) -> Case | Exception:
    from smalltumor.data.case import read_case_files

    try:
        return read_case_files(files, allow_missing=allow_missing)
    except (SmalltumorError, MemoryError) as error:
        return error


def _segment(
    name: str,
    case: Case | Exception,
    checkpoint: Checkpoint,
    settings: CohortSettings,
    folder: ResultsFolder,
) -> CohortRow:
    from smalltumor.data.nifti import write_volume
    from smalltumor.inference import segment
    from smalltumor.second_look import label_image

    try:
        if isinstance(case, Exception):
            raise case
        result = segment(
            case,
            checkpoint,
            device=settings.device,
            backend=settings.backend,
            flips=settings.flips,
        )
        lesions, candidates, warning = _lesions(case, result)
        if settings.candidates or folder.candidates(name).exists():  # that would be outdated
            image = label_image(candidates, result.grid)
            write_volume(folder.candidates(name), image, result.grid, result.header, overwrite=True)
        _write(result, [*lesions, *candidates], name, settings, folder)
    except OutputError:
        raise
    except (SmalltumorError, MemoryError) as error:
        return CohortRow(name, "failed", note=str(error) or "out of memory")
    assert result.run is not None
    run = result.run
    notes = [
        *case.warnings,
        *map(str, run.findings),
        *run.warnings,
        *([warning] if warning else []),
    ]
    numbers = _numbers(result, lesions)
    return CohortRow(
        name, "segmented", *numbers, round(run.seconds, 2), run.weights, "; ".join(notes)
    )


def _lesions(case: Case, result: Segmentation) -> tuple[list[Lesion], list[Lesion], str | None]:
    """The components of the mask, candidates, and what is doubtful about them or their scores."""
    from smalltumor.data.midsagittal_plane import midsagittal_plane
    from smalltumor.lesions import find_lesions
    from smalltumor.second_look import NOT_POSSIBLE, score_warning, second_look

    plane = midsagittal_plane(case)
    found = second_look(case, result, plane=plane)
    if found is None:
        return find_lesions(result, plane=plane), [], NOT_POSSIBLE
    return *found, score_warning(result)


def _write(
    result: Segmentation,
    lesions: list[Lesion],
    name: str,
    settings: CohortSettings,
    folder: ResultsFolder,
) -> None:
    from smalltumor.data.bids import write_bids
    from smalltumor.data.segmentation import write_regions, write_segmentation
    from smalltumor.lesions import write_csv

    # Nothing but results of this command is in the folder: what exists is outdated, or of a run
    # that was killed.
    write_csv(lesions, folder.lesions(name), overwrite=True)
    if settings.regions or folder.has_any_region(name):  # existing ones would be outdated
        write_regions(result, folder.mask(name), overwrite=True)
    folder.record_missing(name, result.run.missing if result.run else ())
    write_segmentation(result, folder.mask(name), scheme=settings.scheme, overwrite=True)
    if settings.bids is not None:
        write_bids(result, settings.bids, scheme=settings.scheme, overwrite=settings.overwrite)
    folder.mark_current(name)


def _keep(name: str, folder: ResultsFolder, settings: CohortSettings, weights: str) -> CohortRow:
    """Measure an existing mask, and write what is missing next to it."""
    from smalltumor.data.bids import bids_paths, write_bids
    from smalltumor.data.label_files import decode_labels
    from smalltumor.data.naming.case_files import modality_titles
    from smalltumor.data.nifti import read_volume
    from smalltumor.data.segmentation import Segmentation, write_regions
    from smalltumor.lesions import find_lesions, write_csv

    try:
        volume = read_volume(folder.mask(name))
        classes = decode_labels(volume, settings.scheme)[0]
    except SmalltumorError as error:
        return CohortRow(name, "failed", note=f"{error}; delete it to have it segmented again")
    result = Segmentation(name, classes, volume.grid, volume.header)
    lesions, missing = find_lesions(result), folder.missing(name)
    notes = [f"segmented without {modality_titles(missing)}"] if missing else []
    if not folder.lesions(name).exists():
        write_csv(lesions, folder.lesions(name))
        notes.append("lesion table written from the mask")
    if settings.regions and not folder.has_regions(name):
        write_regions(result, folder.mask(name), overwrite=True)
        notes.append("region masks written from the mask")
    if settings.bids is not None and not bids_paths(name, settings.bids)[0].exists():
        write_bids(result, settings.bids, scheme=settings.scheme, overwrite=True)
        notes.append("BIDS files written from the mask")
    numbers = _numbers(result, lesions)
    return CohortRow(name, "kept", *numbers, weights=weights, note="; ".join(notes))


def _numbers(mask: Segmentation, lesions: Sequence[Lesion]) -> tuple[float, float, float, int, int]:
    et, tc, wt = (round(mask.volume_ml(region), 3) for region in Region)
    return et, tc, wt, len(lesions), sum(lesion.small for lesion in lesions)


def _write_rows(rows: Sequence[CohortRow], path: Path) -> None:
    columns = [field.name for field in fields(CohortRow)]
    write_table(path, columns, [astuple(row) for row in rows], overwrite=True)
