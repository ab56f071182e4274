"""The cases of a cohort, and checks before the first of them is segmented."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.cohort.results.results_folder import SETTINGS, ResultsFolder
from smalltumor.errors import Action, CaseError, OutputError, Remedy
from smalltumor.files.atomic import check_output_folder
from smalltumor.files.names import check_distinct

if TYPE_CHECKING:
    from smalltumor.cohort.settings import CohortSettings
    from smalltumor.data.naming.case_files import CaseFiles


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
        If the results would be in the folder of the cases, where they would be read as cases, or
        inside results of another run, where they would be read as masks of that run.
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
    for above in output.resolve().parents:
        if (above / SETTINGS).is_file():
            raise OutputError(
                f"{output} is inside the results in {above}, where a case would have two masks",
                Remedy(Action.CHOOSE_OUTPUT),
            )
    cases = find_cases(folder)
    repeated = [name for name, count in Counter(c.name for c in cases).items() if count > 1]
    if repeated:
        raise CaseError(
            f"{folder} holds more than one case named {', '.join(repeated)}; their masks would be "
            "one file"
        )
    names, results = [files.name for files in cases], ResultsFolder(output)
    check_distinct((name, path.name) for name in names for path in results.files(name))
    return cases


def check_dataset(
    names: Sequence[str], made_here: Callable[[str], bool], settings: CohortSettings
) -> None:
    """Check that the masks can be written to the BIDS dataset, if one is asked for.

    Parameters
    ----------
    names : sequence of str
    made_here : callable
        Whether a case was segmented into the folder of results before: its files in the dataset
        are then of that run, which may have been killed, and may be replaced.
    settings : CohortSettings

    Raises
    ------
    CaseError, OutputError
        As `smalltumor.data.bids.check_bids`.
    """
    from smalltumor.data.bids import bids_paths, check_bids

    if settings.bids is None:
        return
    check_distinct((name, bids_paths(name, settings.bids)[0].name) for name in names)
    for name in names:
        replaced = settings.overwrite or made_here(name)
        check_bids(name, settings.bids, authors=settings.authors, overwrite=replaced)
