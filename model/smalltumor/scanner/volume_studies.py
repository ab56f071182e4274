"""Which patient and time point files of volumes are of: by names, headers and folders.

Names state it as those of BIDS do (``sub-01_ses-02``), and so do the JSON files that dcm2niix
writes beside NIfTI files. Neither is enough to join files of several folders: two visits may have
files of one name, and a name of a folder need not be one of BIDS.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from smalltumor.data.volumes.nifti import stem
from smalltumor.scanner.deidentification.patient_names import known_id
from smalltumor.scanner.series import Series
from smalltumor.scanner.volume_names import is_of_sequence

_SUBJECT = re.compile(r"(?:\A|_)(sub-[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*)")
_SESSION = re.compile(r"(?:\A|_)(ses-[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*)")
"""Labels of BIDS have no hyphen, but those of many data sets have, such as ``ses-2024-01-02``."""

_DATATYPES = frozenset(("anat", "dwi", "fmap", "func", "perf", "mrs"))
"""Folders in which BIDS keeps the images of one session by their kind."""


class Entities(NamedTuple):
    """What BIDS calls the subject and the session of a file; empty if not stated.

    Parameters
    ----------
    subject, session : str
        Such as ``sub-01`` and ``ses-02``.
    """

    subject: str
    session: str


def entities_of(path: Path, searched: Path | None = None) -> Entities:
    """Subject and session by the name of a file, or else by the nearest folder that states them.

    Parameters
    ----------
    path : Path
    searched : Path, optional
        Folder in which the file was found, or else its own. Above it only the folders count that
        BIDS puts around a session or its images: others may hold several patients.
    """
    names = [stem(path), *_folders_around(path, searched)]
    return Entities(_first(_SUBJECT, names), _first(_SESSION, names))


def _folders_around(path: Path, searched: Path | None) -> list[str]:
    """Names of folders that may state subject and session, the nearest first."""
    outermost = path.parent if searched is None else searched
    within = path.parent.relative_to(outermost).parts
    outermost = _absolute(outermost)
    above = [folder.name for folder in (outermost, *outermost.parents)]
    count = 1 + (above[0] in _DATATYPES)
    return [*reversed(within), *above[: count + bool(_SESSION.match(above[count - 1]))]]


def _first(pattern: re.Pattern[str], names: Sequence[str]) -> str:
    found = (match[1] for name in names if (match := pattern.search(name)))
    return next((_without_sequence(entity) for entity in found), "")


def _without_sequence(entity: str) -> str:
    """``sub-01`` of a file *sub-01-t1*."""
    key, label, *words = entity.split("-")
    while words and is_of_sequence(words[-1]):
        words.pop()
    return "-".join((key, label, *words))


def names_subject(path: Path) -> bool:
    """Whether the name of a file states its subject, as that of BIDS does."""
    return _SUBJECT.search(stem(path)) is not None


def told_apart(found: Sequence[Series], searched: Path) -> list[Series]:
    """Files of volumes, with other patients or studies where headers or folders tell them apart.

    Parameters
    ----------
    found : sequence of Series
        With what `entities_of` or their headers state.
    searched : Path
        The folder in which they were found.
    """
    return _studies_by_folder(_studies_by_uid(_patients_by_id(found)), searched)


def folder_of_session(path: Path) -> Path:
    """The folder of a file; that above it, if BIDS sorts a session into several by kind."""
    return path.parent.parent if path.parent.name in _DATATYPES else path.parent


def _patients_by_id(found: Sequence[Series]) -> list[Series]:
    """Files of one subject whose headers give several IDs are of patients with these."""
    ids: dict[str, set[str]] = defaultdict(set)
    for series in found:
        ids[series.patient].add(_id_of(series))
    return [
        replace(s, patient=_id_of(s) or s.patient) if len(ids[s.patient] - {""}) > 1 else s
        for s in found
    ]


def _id_of(series: Series) -> str:
    return known_id(series.identity[0]) if series.identity is not None else ""


def _studies_by_uid(found: Sequence[Series]) -> list[Series]:
    """Files of one session whose headers give several studies are of studies with these UIDs."""
    uids: dict[tuple[str, str], set[str]] = defaultdict(set)
    for series in found:
        uids[series.patient, series.study].add(series.study_uid)
    return [
        replace(s, study=s.study_uid or s.study) if len(uids[s.patient, s.study] - {""}) > 1 else s
        for s in found
    ]


def _studies_by_folder(found: Sequence[Series], searched: Path) -> list[Series]:
    groups: dict[tuple[str, str], list[Series]] = defaultdict(list)
    for series in found:
        groups[series.patient, series.study].append(series)
    return [
        series
        if _is_one_study(groups[series.patient, series.study])
        else _of_its_folder(series, searched)
        for series in found
    ]


def _of_its_folder(series: Series, searched: Path) -> Series:
    title = _folder_title(folder_of_session(series.location), searched)
    if title == series.patient:
        return series
    session = _first(_SESSION, title.split("/")[::-1])
    return replace(series, study=title if session == series.study else f"{series.study}, {title}")


def _is_one_study(group: Sequence[Series]) -> bool:
    """Whether files that state the same, or nothing, are of one patient at one time.

    They are by one Study Instance UID, and taken to be if each lies in a folder of its own, as the
    sequences of a scan may. Those in one folder, or in its folders of sequences, are if they state
    anything.
    """
    if group[0].study_uid and len({series.study_uid for series in group}) == 1:
        return True
    folders = {folder_of_session(series.location) for series in group}
    states_anything = bool(group[0].patient or group[0].study)
    if len(folders) == len(group):
        return True
    return states_anything and len(set(map(_above_sequence, folders))) == 1


def _above_sequence(folder: Path) -> Path:
    """The folder around one that is named after a sequence; else the folder itself."""
    words = re.findall(r"[^\W_]+", folder.name)
    return folder.parent if words and all(map(is_of_sequence, words)) else folder


def _folder_title(path: Path, searched: Path) -> str:
    """The folder within the searched one; that itself ends in a slash, unlike all others."""
    within = path.relative_to(searched).as_posix() if path.is_relative_to(searched) else "."
    return f"{_absolute(searched).name}/" if within == "." else within


def _absolute(path: Path) -> Path:
    """A path without "..", which is the name of no folder, and with the names of links."""
    return Path(os.path.abspath(path))  # noqa: PTH100
