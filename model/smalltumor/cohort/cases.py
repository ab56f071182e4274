"""The cases of a cohort, and checks before the first of them is segmented."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.cohort.results.records import CohortCaseRecord, sha256_of_images, sizes_of_images
from smalltumor.cohort.results.results_folder import SETTINGS, ResultsFolder
from smalltumor.data.naming.cohort_names import case_and_number
from smalltumor.data.volumes.nifti import stem
from smalltumor.errors import Action, CaseError, OutputError, Remedy, SmalltumorError
from smalltumor.files.atomic import check_output_folder
from smalltumor.files.existence import is_file
from smalltumor.files.listings import entries
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
    _check_place(output, folder)
    cases = find_cases(folder)
    repeated = [name for name, count in Counter(c.name for c in cases).items() if count > 1]
    if repeated:
        raise CaseError(
            f"{folder} holds more than one case named {', '.join(repeated)}; their masks would be "
            "one file"
        )
    names, results = [files.name for files in cases], ResultsFolder(output)
    check_distinct((name, path.name) for name in names for path in results.files(name))
    _check_names_kept(cases, results)
    return cases


def _check_place(output: Path, folder: Path) -> None:
    """Check that results would be read neither as cases nor as those of another run."""
    remedy = Remedy(Action.CHOOSE_OUTPUT)
    if output.resolve() == folder.resolve():
        raise OutputError(f"{output} is the folder of the cases", remedy)
    if output.resolve().is_relative_to(folder.resolve()):
        raise OutputError(
            f"{output} is inside {folder}, where results would be read as cases", remedy
        )
    for above in output.resolve().parents:
        if is_file(above / SETTINGS, unreachable=OutputError):
            raise OutputError(
                f"{output} is inside the results in {above}, where a case would have two masks",
                remedy,
            )


def _check_names_kept(cases: Sequence[CaseFiles], results: ResultsFolder) -> None:
    """Check that no new case has the images of one that was reviewed under a name that is gone.

    A second visit that was added gives the first a folder in front of its name, and a folder may be
    renamed. The reviews would be those of a case that is no longer there.
    """
    new = [files for files in cases if not results.has(results.mask(files.name))]
    gone = _reviewed_and_gone(results, {files.name for files in cases}) if new else {}
    if not gone:
        return
    sizes = {tuple(sorted(record.images.items())) for record in gone.values()}
    names = {tuple(sorted(record.digests.items())): name for name, record in gone.items()}
    for files in new:
        try:
            if tuple(sorted(sizes_of_images(files).items())) not in sizes:
                continue
            name = names.get(tuple(sorted(sha256_of_images(files).items())))
        except CaseError:  # it cannot be segmented either, and its row says why
            continue
        if name is not None:
            raise CaseError(
                f"{files.name} has the images of {name}, whose reviews are in {results.reviews} "
                "and would no longer count. Give it its earlier name, or choose a new folder for "
                "the results"
            )


def _reviewed_and_gone(
    results: ResultsFolder, names: Collection[str]
) -> dict[str, CohortCaseRecord]:
    """Records of cases with reviews that have other names now, or are gone."""
    masks = (path for reader in entries(results.reviews) for path in entries(reader))
    masks = (path for path in masks if path.name.endswith(".nii.gz"))
    reviewed = {name for path in masks for name, number in [case_and_number(stem(path))] if number}
    found = {}
    for name in reviewed - set(names):
        with suppress(SmalltumorError):  # a damaged one
            record = CohortCaseRecord.read(results.record(name))
            if record is not None and record.images and record.digests:
                found[name] = record
    return found


def check_bids_output(
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
        As `smalltumor.data.bids.checks.check_bids`.
    """
    from smalltumor.data.bids.checks import check_bids
    from smalltumor.data.bids.names import bids_paths, check_subjects

    if settings.bids is None:
        return
    check_distinct((name, bids_paths(name, settings.bids)[0].name) for name in names)
    check_subjects(names)
    for name in names:
        replaced = settings.overwrite or made_here(name)
        check_bids(name, settings.bids, authors=settings.authors, overwrite=replaced)
