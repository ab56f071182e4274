"""Which visit of a patient a case is: by its name, else by the folders of its images."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from smalltumor.data.case import Case
from smalltumor.data.identity.patients import patient_of
from smalltumor.data.naming.visit_names import split_name
from smalltumor.files.names import name_key, safe_name, same_name


def visit_of(case: Case) -> str:
    """The visit that a case is: ``visit1`` of ``P7_visit1``, and of ``visit1/P7``.

    Returns
    -------
    str
        Empty if neither the name of the case nor a folder states one.
    """
    return stated_visit(case.name, folder_of(case))


def stated_visit(name: str, folder: Path | None) -> str:
    """The visit that the name of a case states, else a folder of its images; else empty."""
    return visit_in_name(name) or visit_of_folders(name, folder)


def name_with_visit(name: str, folder: Path | None) -> str:
    """The name of a case for files: with the visit, also if only a folder states it.

    Parameters
    ----------
    name : str
        Of the case.
    folder : Path or None
        Of its images.
    """
    visit = "" if visit_in_name(name) else visit_of_folders(name, folder)
    return safe_name(f"{name}_{visit}" if visit else name)


def is_name_of(named: str, name: str, folder: Path | None) -> bool:
    """Whether the name of a file is that of a case, with or without the visit of its folder."""
    return any(same_name(named, own) for own in (name, name_with_visit(name, folder)))


def visit_in_name(name: str) -> str:
    """What the name of a case has beside that of the patient: ``11`` of ``UPENN-GBM-00003_11``."""
    patient = patient_of(name)
    start = 0 if name.startswith(patient) else name.rfind(patient)  # first, in *2_visit2*
    before, after = name[:start], name[start + len(patient) :]
    return "_".join(filter(None, (part.strip("-_ ") for part in (before, after))))


def visit_of_folders(name: str, folder: Path | None) -> str:
    """The visit that a folder states, or the one in which a folder of the patient's name lies.

    Folders of files, such as ``nifti``, may be between them.

    Parameters
    ----------
    name : str
        Of the case.
    folder : Path or None
        Of its images.
    """
    patient = patient_of(name)
    own = {name_key(name), name_key(patient)}
    for part in reversed(folder.parts if folder is not None else ()):
        named = f"{patient}_{part}"
        parts = split_name(named)
        if name_key(part) in own:
            own = set()
        elif parts.patient != patient:
            return ""
        elif parts.visit:
            return parts.visit
    return ""


def folder_of(case: Case) -> Path | None:
    """The folder of a case: that in which its images lie, also in several ones, else its labels."""
    paths = tuple(case.paths.values()) or tuple(filter(None, [case.labels_path]))
    return case.folder or _common_folder(paths)


@lru_cache(maxsize=256)  # the window asks for every layer, many times a switch
def _common_folder(paths: tuple[Path, ...]) -> Path | None:
    folders = {os.path.normpath(path.parent.absolute()) for path in paths}
    if not folders:
        return None
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:  # on different drives
        return Path(min(folders))
