"""Which scored masks are left from an earlier run of their cohort, as its folder records it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from smalltumor.cohort.lock import is_current
from smalltumor.cohort.results.folder_settings import FolderSettings
from smalltumor.cohort.results.results_folder import TABLE, ResultsFolder
from smalltumor.data.volumes.nifti import stem
from smalltumor.errors import SmalltumorError
from smalltumor.files.tables import read_table


def notes_on_outdated(masks: Mapping[str, Path]) -> list[str]:
    """Say which scored masks are not those of the last run of their cohort.

    Parameters
    ----------
    masks : mapping of str to Path
        By the name of the case.

    Returns
    -------
    list of str
        Empty if all masks are current, or are of no cohort.
    """
    outdated: list[str] = []
    failed: list[str] = []
    for path in dict.fromkeys(mask.parent for mask in masks.values()):
        cases = {stem(mask): case for case, mask in masks.items() if mask.parent == path}
        left, of_failed = _left_in(ResultsFolder(path), cases)
        outdated += [cases[name] for name in left]
        failed += [cases[name] for name in of_failed]
    notes = []
    if outdated:
        notes.append(
            "the cohort was begun again with other settings and not finished; these masks are of "
            f"the run before: {', '.join(outdated)}"
        )
    if failed:
        notes.append(
            f"the last run of the cohort failed on {', '.join(failed)}; the masks there are of an "
            f"earlier run ({TABLE} tells why)"
        )
    return notes


def _left_in(folder: ResultsFolder, names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Cases whose masks in a folder are outdated, and others on which the last run failed."""
    try:
        settings = FolderSettings.read(folder.path)
        if settings is None:
            return [], []
        rows = read_table(folder.path / TABLE, ("case", "outcome"))
    except SmalltumorError:
        return [], []
    failed = {row["case"] for row in rows if row["outcome"] == "failed"}
    outdated = [name for name in names if not is_current(folder, settings, name)]
    return outdated, [name for name in names if name in failed and name not in outdated]
