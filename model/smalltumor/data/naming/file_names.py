"""What the name of a file says: case, modality, and how the image was processed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from smalltumor.data.naming.contrast_agent import ContrastAgent, agent_of_entities
from smalltumor.data.naming.visit_names import is_visit_name
from smalltumor.data.volumes.nifti import is_image_name, stem
from smalltumor.files.change_time import next_change_shows
from smalltumor.files.listings import visible_entries
from smalltumor.files.names import safe_name

LABELS = "labels"
"""The role of a segmentation; the other roles are the modalities."""

_KEYWORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "flair": ("flair", "fla", "t2f", "t2[-_ ]?flair", "t2w[-_ ]flair"),
        "t1ce": (
            "t1c",
            "ct1",
            "t1km",
            "t1[-_ ]?(?:ce|gd|gad|post|postgd|postcontrast|contrast)",
            "t1w[-_ ]?(?:c|ce|gd|gad|post|contrast)",
            "t1[-_ ]c",
        ),
        "t1": ("t1", "t1n", "t1w", "t1[-_ ]?(?:pre|native|nativ)"),
        "t2": ("t2", "t2w"),
        LABELS: (
            "segm?",
            "segmentations?",
            "(?:brats[-_]?)?tumou?r[-_]?(?:seg|segmentation|mask)",
            "labels?",
            "mask",
            "seg[-_]mask",
            "dseg",
            "glistrboost_manuallycorrected",  # BraTS-TCGA
        ),
    }
)

_PROCESSED = r"r2s|bet|reg|registered|coreg|brain|(?:skull[-_]?)?strip(?:ped)?|ss|preproc(?:essed)?"
"""Marks of images that were brain-extracted or registered; `r2s` is HD-GLIO-AUTO's."""

_ROLE = (
    "(?:"
    + "|".join(f"(?P<{role}>{'|'.join(words)})" for role, words in _KEYWORDS.items())
    + rf")(?P<after>(?:[-_. ](?:{_PROCESSED}))*)\Z"
)
_NAMES = tuple(
    re.compile(start + _ROLE, re.IGNORECASE | re.DOTALL)
    for start in (
        r"(?P<case>)(?P<before>)[-_. ]?",  # T2-FLAIR alone is no FLAIR of a case T2
        rf"(?P<case>.*?)(?P<before>(?:[-_. ](?:{_PROCESSED}))*)[-_. ]",
    )
)

_NUMBERED = re.compile(r"(?P<case>.+)_(?P<number>\d{4})\Z", re.DOTALL)
_CHANNELS = {"0000", "0001", "0002", "0003"}
"""As nnU-Net numbers the sequences of a case."""

_BRATS_2015 = re.compile(
    r"(?P<case>VSD\.Brain)[^.]*\..*\.(?P<word>MR_Flair|MR_T1c|MR_T1|MR_T2|OT)\.\d+\Z", re.IGNORECASE
)
_BRATS_2015_ROLES = {
    "mr_flair": "flair",
    "mr_t1c": "t1ce",
    "mr_t1": "t1",
    "mr_t2": "t2",
    "ot": LABELS,
}

_BIDS = re.compile(r"sub-[A-Za-z0-9]+(?:_[A-Za-z]+-[A-Za-z0-9+]+)*_[A-Za-z0-9]+\Z")
_BIDS_SUFFIXES = {"T1w": "t1", "T2w": "t2", "FLAIR": "flair", "dseg": LABELS, "mask": LABELS}

# Segmentations of other structures, of one part of the tumour, or not by an expert.
_NOT_TUMOUR = re.compile(
    r"(?:^|[-_. ])(?:brain|parenchyma|bet|skull|skullstrip|head|approx|auto\w*|\w*cellular|tissue)"
    r"[-_]?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class FileName:
    """A parsed name.

    Parameters
    ----------
    case : str
        The part that names the case; may be empty.
    role : str
        A modality, or `LABELS`.
    keyword : str
        The words for the role, lower case; they differ between years of BraTS.
    variant : str
        How the image was processed, such as ``_bet_reg``, or the acquisition of BIDS, such as
        ``acq-mprage_run-1``; empty if the name does not say.
    """

    case: str
    role: str
    keyword: str
    variant: str = ""


def is_named_as_labels(path: Path) -> bool:
    """Whether a name has words for a segmentation of the tumour, such as ``_seg``."""
    parsed = parse_name(path)
    return parsed is not None and parsed.role == LABELS


def parse_name(path: Path) -> FileName | None:
    """Parse a file's name; None if it has no words for a modality or a segmentation."""
    name = stem(path)
    if _BIDS.match(name) and name.rpartition("_")[2] in _BIDS_SUFFIXES:
        return _parse_bids(name)
    if (match := _BRATS_2015.match(name)) is not None:
        word = match["word"].lower()
        return FileName(match["case"], _BRATS_2015_ROLES[word], word)
    match = next((m for pattern in _NAMES if (m := pattern.match(name))), None)
    if match is None:
        return None
    role = next(role for role in _KEYWORDS if match[role] is not None)
    case, before = match["case"], match["before"]
    if role == LABELS:
        if match["after"] or _NOT_TUMOUR.search(case + before):
            return None
        return FileName(case, role, match[role].lower())
    return FileName(case, role, match[role].lower(), (before + match["after"]).lower())


def _parse_bids(name: str) -> FileName | None:
    *entities, suffix = name.split("_")
    values = dict(entity.split("-", 1) for entity in entities)
    role = _BIDS_SUFFIXES[suffix]
    if "inv" in values or values.get("part", "mag") != "mag":
        return None  # an image from which T1w is computed, a phase image
    case = "_".join(e for e in entities if e.startswith(("sub-", "ses-")))
    if role == LABELS:
        told = " ".join(values.get(key, "") for key in ("label", "seg", "desc")).lower()
        is_tumour = re.search(r"tumou?r|lesion|glioma", told) is not None
        return FileName(case, role, suffix.lower()) if is_tumour else None
    variant = "_".join(e for e in entities if not e.startswith(("sub-", "ses-", "ce-")))
    if role == "t1" and agent_of_entities(values) is ContrastAgent.GIVEN:
        return FileName(case, "t1ce", "ce", variant)
    return FileName(case, role, "bids", variant)


def parse_file_name(path: Path) -> tuple[str, str, str] | None:
    """Parse a file's name to case name, role (a modality or `LABELS`) and keyword, or None."""
    parsed = parse_name(path)
    return None if parsed is None else (parsed.case, parsed.role, parsed.keyword)


def case_name(path: Path) -> str:
    """Name of a file's case: the part before the modality, or the folder's name if it is empty."""
    parsed = parse_name(path)
    own = stem(path) if parsed is None else parsed.case
    return safe_name(own) if own.strip(". ") else name_of_folder(path.parent)


def cases_of_images(folder: Path) -> frozenset[str]:
    """Names of the cases whose images lie in a folder, by their names; empty if it is gone.

    Images without a name of their own, such as ``t1ce.nii.gz``, are those of their folder. Four
    files that are numbered as by nnU-Net are those of a case.

    Raises
    ------
    CaseError
        If the folder cannot be listed.
    """
    try:
        changed = folder.stat().st_mtime_ns
    except OSError:
        return frozenset()
    return _known(folder, changed) if next_change_shows(changed) else _found(folder)


@lru_cache(maxsize=32)  # folders of thousands of files are asked for with every mask
def _known(folder: Path, changed: int) -> frozenset[str]:
    return _found(folder)


def _found(folder: Path) -> frozenset[str]:
    found: set[str] = set()
    numbers: dict[str, set[str]] = {}
    for path in visible_entries(folder):
        if not is_image_name(path):
            continue
        parsed, numbered = parse_name(path), _NUMBERED.match(stem(path))
        if parsed is not None and parsed.role != LABELS:
            found.add(case_name(path))
        elif parsed is None and numbered is not None:
            numbers.setdefault(numbered["case"], set()).add(numbered["number"])
    return frozenset(found | {case for case, own in numbers.items() if own == _CHANNELS})


def name_of_folder(folder: Path) -> str:
    """The name of the case of a folder whose files have none: that of the folder.

    With those above it as long as they only say which visit it is: ``P1/pre`` and ``P2/pre/nifti``
    are ``P1_pre`` and ``P2_pre_nifti``, however they are opened.
    """
    path = Path(os.path.normpath(folder.absolute()))
    names = [path.name]
    for parent in path.parents:
        if not is_visit_name(names[0]) or not parent.name:
            break
        names.insert(0, parent.name)
    return safe_name("_".join(names))


def folder_name(folder: Path) -> str:
    """A folder's name as a case name."""
    return safe_name(Path(os.path.normpath(folder.absolute())).name)
