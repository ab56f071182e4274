"""The folder that a case has, or gets, in a training folder, and whether it is this case's."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smalltumor.data.case import Case
from smalltumor.data.read_case import read_case
from smalltumor.errors import SmalltumorError
from smalltumor.files.names import safe_name

NOTE = "collected.json"
"""Marks a case that was collected; the masks of other cases are never replaced."""

_UNSAFE = re.compile(r"[^\w.-]+")


def case_folder_name(case: Case) -> str:
    """Name of a case's folder: that of the case, without characters that a folder cannot have."""
    name = _UNSAFE.sub("_", case.name).strip("._-")
    # Folders with this prefix hold the labels of other datasets.
    return f"case_{name}" if not name or name.lower().startswith("labels") else safe_name(name)


def has_folder(folder: Path, case: Case) -> bool:
    """Whether a training folder has a folder of this case's name, be it of another patient."""
    return (folder / case_folder_name(case)).exists()


def why_not_replaced(folder: Path, case: Case) -> str:
    """Why the masks in the folder of this case's name are not replaced by this case's.

    Its images are read.

    Returns
    -------
    str
        Empty if they can be: the folder holds this case, and it was collected.
    """
    target = folder / case_folder_name(case)
    try:
        existing = read_case(target)
    except SmalltumorError as error:
        return f"{target} exists and cannot be replaced: {error}"
    same = existing.grid.matches(case.grid) and all(
        m in case.volumes and are_same(existing.volumes[m], case.volumes[m])
        for m in existing.volumes
    )
    if not same:
        return (
            f"{target} holds other images, such as another patient's of the same name; to add this "
            "case, rename its folder and its files, and open it again"
        )
    if not (target / NOTE).is_file():
        return f"{target} was not added by this program, so its masks are kept"
    return ""


def are_same(one: npt.NDArray[np.generic], other: npt.NDArray[np.generic]) -> bool:
    """Whether two volumes have the same voxels."""
    return bool(np.array_equal(one, other, equal_nan=True))
