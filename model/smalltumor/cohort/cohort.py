"""Many cases, one after the other: a mask and a lesion table each, and a table of them all.

A case whose mask is there is not segmented again, so a cohort that was interrupted goes on where
it stopped, and one case that cannot be read does not hold up the others.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from smalltumor.cohort.results_folder import TABLE, CohortFolder
from smalltumor.errors import Action, CaseError, OutputError, Remedy, SmalltumorError
from smalltumor.files.atomic import write_text
from smalltumor.labels.regions import DEFAULT_SCHEME, Region

if TYPE_CHECKING:
    from smalltumor.data.case import Case
    from smalltumor.data.case_files import CaseFiles
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
        Kept: the mask was there already, and is what the numbers are of.
    et_ml, tc_ml, wt_ml : float or None
        None if it failed.
    et_components, et_small : int or None
        Components of enhancing tumour, and how many of them are below 2000 voxels.
    seconds : float or None
        Of the network and what is around it, not of reading.
    weights : str
        Name of the checkpoint.
    note : str
        Why it failed, or warnings.
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
class CohortPlan:
    """What to make of a folder of cases.

    Parameters
    ----------
    output : Path
        Folder of the results, see `CohortFolder`; outside that of the cases.
    scheme : str
        Label scheme of the masks.
    regions : bool
        Write ``CASE_et.nii.gz`` and so on as well.
    device : str
    backend : {"auto", "torch", "openvino"}
    flips : bool
        As for `smalltumor.segment`.
    overwrite : bool
        Segment cases again whose masks are there.
    """

    output: Path
    scheme: str = DEFAULT_SCHEME
    regions: bool = False
    device: str = "auto"
    backend: BackendName = "auto"
    flips: bool = False
    overwrite: bool = False


def cohort_cases(folder: Path, output: Path) -> list[CaseFiles]:
    """The cases of a folder, complete or not.

    Raises
    ------
    CaseError
        If there is none, or two have one name.
    OutputError
        If the results would lie among the cases, where they would be taken for some.
    """
    from smalltumor.data.case_files import find_cases

    if output.resolve().is_relative_to(folder.resolve()):
        raise OutputError(
            f"{output} is inside {folder}, where results would be read as cases",
            Remedy(Action.CHOOSE_OUTPUT),
        )
    cases = find_cases(folder)
    twice = [name for name, count in Counter(c.name for c in cases).items() if count > 1]
    if twice:
        raise CaseError(
            f"{folder} holds more than one case named {', '.join(twice)}; their masks would be "
            "one file"
        )
    return cases


def segment_cohort(
    cases: Sequence[CaseFiles], checkpoint: Checkpoint, plan: CohortPlan
) -> Iterator[CohortRow]:
    """Segment cases in turn, and write results and table after each.

    Parameters
    ----------
    cases : sequence of CaseFiles
        From `cohort_cases`.
    checkpoint : Checkpoint
    plan : CohortPlan

    Yields
    ------
    CohortRow
        Once it is in the table. A case that is at fault has failed; the next one is taken.

    Raises
    ------
    OutputError
        If the folder holds anything else, or results made in another way, or cannot be written
        to, which the next case would not mend.
    """
    folder, weights = CohortFolder(plan.output), str(checkpoint.card.get("name", ""))
    made_with = {"labels": plan.scheme, "flips": plan.flips, "weights": weights}
    made_with["digest"] = checkpoint.digest
    folder.claim(made_with, [files.name for files in cases], plan.overwrite)
    done = {files.name for files in cases if folder.is_done(files.name)}
    read = _reading_ahead(files for files in cases if files.name not in done)
    rows: list[CohortRow] = []
    for files in cases:
        if files.name in done:
            row = _kept(files.name, folder, plan.scheme, weights)
        else:
            row = _segmented(files.name, next(read), checkpoint, plan, folder)
        rows.append(row)
        write_text(folder.path / TABLE, table_csv(rows), overwrite=True)
        yield row


def _reading_ahead(cases: Iterable[CaseFiles]) -> Iterator[Case | Exception]:
    """Cases, or why they cannot be read; one is read while the one before is worked on."""
    with ThreadPoolExecutor(1) as pool:
        before: Future[Case | Exception] | None = None
        for files in cases:
            ahead = pool.submit(_read, files)
            if before is not None:
                yield before.result()
            before = ahead
        if before is not None:
            yield before.result()


def _read(files: CaseFiles) -> Case | Exception:
    from smalltumor.data.case import read_case_files

    try:
        return read_case_files(files)
    except (SmalltumorError, MemoryError) as error:
        return error


def _segmented(
    name: str,
    case: Case | Exception,
    checkpoint: Checkpoint,
    plan: CohortPlan,
    folder: CohortFolder,
) -> CohortRow:
    from smalltumor.inference import segment
    from smalltumor.lesions import find_lesions

    try:
        if isinstance(case, Exception):
            raise case
        result = segment(
            case, checkpoint, device=plan.device, backend=plan.backend, flips=plan.flips
        )
        lesions = find_lesions(result)
        _write(result, lesions, name, plan, folder)
    except OutputError:
        raise
    except (SmalltumorError, MemoryError) as error:
        return CohortRow(name, "failed", note=str(error) or "out of memory")
    assert result.run is not None
    run, warnings = result.run, "; ".join([*case.warnings, *result.run.warnings])
    numbers = _numbers(result, lesions)
    return CohortRow(name, "segmented", *numbers, round(run.seconds, 2), run.weights, warnings)


def _write(
    result: Segmentation, lesions: list[Lesion], name: str, plan: CohortPlan, folder: CohortFolder
) -> None:
    from smalltumor.data.segmentation import write_regions, write_segmentation
    from smalltumor.lesions import write_csv

    mask = folder.mask_of(name)
    # The folder is a cohort's alone: what is there is of a run that was killed, or to be replaced.
    write_csv(lesions, folder.lesions_of(name), overwrite=True)
    if plan.regions:
        write_regions(result, mask, overwrite=True)
    write_segmentation(result, mask, scheme=plan.scheme, overwrite=True)
    folder.note_done(name)


def _kept(name: str, folder: CohortFolder, scheme: str, weights: str) -> CohortRow:
    from smalltumor.data.case import decode_labels
    from smalltumor.data.nifti import read_volume
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.lesions import find_lesions

    try:
        volume = read_volume(folder.mask_of(name))
        mask = Segmentation(name, decode_labels(volume, scheme)[0], volume.grid)
    except SmalltumorError as error:
        return CohortRow(name, "failed", note=f"{error}; delete it, and it is made anew")
    return CohortRow(name, "kept", *_numbers(mask, find_lesions(mask)), weights=weights)


def _numbers(mask: Segmentation, lesions: Sequence[Lesion]) -> tuple[float, float, float, int, int]:
    et, tc, wt = (round(mask.volume_ml(region), 3) for region in Region)
    return et, tc, wt, len(lesions), sum(lesion.small for lesion in lesions)


def table_csv(rows: Sequence[CohortRow]) -> str:
    """The table with a header; an unknown value is an empty cell."""
    page = io.StringIO()
    writer = csv.DictWriter(page, [f.name for f in fields(CohortRow)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    return page.getvalue()
