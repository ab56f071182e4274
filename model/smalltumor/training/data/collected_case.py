"""The folder that a case has, or gets, in a training folder, and whether it is this case's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smalltumor.data.case import Case
from smalltumor.data.identity.patients import patient_of, same_patient, states_visit
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.read_case import read_case
from smalltumor.errors import OutputError, SmalltumorError
from smalltumor.files.existence import exists
from smalltumor.files.names import safe_name, same_name
from smalltumor.labels.masks import Classes

NOTE = "collected.json"
"""Marks a case that was collected; the masks of other cases are never replaced."""

_UNSAFE = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class CaseFolder:
    """The folder that a case has, or gets, in a training folder.

    Parameters
    ----------
    path : Path
    exists : bool
        Whether it holds the case already.
    why_not : str
        Why the case cannot be added to it, or its masks be replaced; empty if they can.
    """

    path: Path
    exists: bool = False
    why_not: str = ""


def case_folder(folder: Path, case: Case) -> CaseFolder:
    """The folder that holds a case in a training folder, else the one that it would get.

    If the folder of the case's name holds other images, it is that of another visit. The images in
    folders of the patient are read.
    """
    for name in folder_names(case):
        target = folder / name
        try:
            is_taken = exists(target, unreachable=OutputError)
        except OutputError as error:
            return CaseFolder(target, why_not=str(error))
        if not is_taken:
            break
        try:
            is_this = _holds(target, case)
        except SmalltumorError as error:
            return CaseFolder(target, why_not=f"{target} exists and cannot be replaced: {error}")
        if is_this:
            return CaseFolder(target, exists=True, why_not=_why_kept(target))
    return CaseFolder(target)


def collected_masks(folder: Path, case: Case) -> Classes | None:
    """Tissue classes (i, j, k) of a case in a training folder; None if it is not there.

    Raises
    ------
    SmalltumorError
        If the masks cannot be read.
    """
    found = case_folder(folder, case)
    return read_labels(read_case(found.path))[0] if found.exists else None


def case_folder_name(case: Case) -> str:
    """Name of a case's folder: that of the case, without characters that a folder cannot have."""
    name = _UNSAFE.sub("_", case.name).strip("._-")
    # Folders with this prefix hold the labels of other datasets.
    return f"case_{name}" if not name or name.lower().startswith("labels") else safe_name(name)


def folder_names(case: Case) -> Iterator[str]:
    """The name of a case's folder, then, without end, names that it gets as another visit.

    A visit is named as a folder above the images names it, such as ``visit2``, else by a number.
    `patient_of` gives one patient for all the names, so that a split keeps the visits together.
    """
    own = case_folder_name(case)
    patient = patient_of(own)
    named = [f"{patient}_{part}" for part in _folders_above(case) if not _UNSAFE.search(part)]
    scans = (name for name in named if states_visit(name) and same_patient(name, own))
    visits = [name for name in scans if not same_name(name, own)]
    yield own
    yield from visits[:1]
    numbered = (f"{patient}_visit{number}" for number in count(2))
    yield from (
        name for name in numbered if not any(same_name(name, each) for each in (own, *visits[:1]))
    )


def _folders_above(case: Case) -> list[str]:
    """Names of the folders that the images of a case are in, the innermost first."""
    files = case.folder or next((path.parent for path in case.paths.values()), Path())
    return list(reversed(files.parts))


def why_not_replaced(target: Path, case: Case) -> str:
    """Why the masks in a folder are not replaced by those of a case, whose images are read.

    Returns
    -------
    str
        Empty if they can be: the folder holds this case, and it was collected.
    """
    try:
        if _holds(target, case):
            return _why_kept(target)
    except SmalltumorError as error:
        return f"{target} exists and cannot be replaced: {error}"
    return f"{target} holds other images, such as those of another visit"


def _holds(target: Path, case: Case) -> bool:
    """Whether a folder holds the images of a case.

    Raises
    ------
    SmalltumorError
        If it holds no case that can be read.
    """
    existing = read_case(target)
    return existing.grid.matches(case.grid) and all(
        m in case.volumes and same_voxels(existing.volumes[m], case.volumes[m])
        for m in existing.volumes
    )


def _why_kept(target: Path) -> str:
    if (target / NOTE).is_file():
        return ""
    return f"{target} was not added by this program, so its masks are kept"


def same_voxels(one: npt.NDArray[np.generic], other: npt.NDArray[np.generic]) -> bool:
    """Whether two volumes have the same voxels."""
    return bool(np.array_equal(one, other, equal_nan=True))
