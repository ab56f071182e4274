"""Words in names of folders, cases and masks that say which visit it is, and not of whom."""

from __future__ import annotations

import re
from typing import NamedTuple

_NUMBER = r"[-_ ]?\d+[a-z]?(-\d+)?"

_EVENT = (
    r"((pre|post|intra)[-_ ]?(op|operative|operation|surgery|treatment|therapy|rt|chemo)"
    r"|baseline|follow[-_ ]?up)"
)
_COUNTED = r"(visit|session|ses|time[-_ ]?point|tp|day|week|month|year|fu)"
_DATE = r"\d{4}[-_.]\d{2}[-_.]\d{2}"
_ORDER = r"(pre|post|intra|initial|first|second|third|last|latest|before|after)"
_VERSION = rf"v{_NUMBER}"
_FILES = r"(images?|nifti|nii|anat|raw|converted|preprocessed|registered)"

_IS_FOLDER = re.compile(
    rf"{_EVENT}({_NUMBER})?|{_COUNTED}({_NUMBER})?|{_DATE}|{_ORDER}|{_FILES}", re.IGNORECASE
)
"""As folders, *v1*, *scan_1* and *time_1* may be volunteers or cases."""

_CERTAIN = rf"({_EVENT}({_NUMBER})?|({_COUNTED}|scan|time){_NUMBER}|{_DATE})"
_VISIT = rf"({_CERTAIN}|{_ORDER}|{_VERSION}|(pre|post)\d+)"
_IS_VISIT = re.compile(_VISIT, re.IGNORECASE)
_FIRST_VISIT = re.compile(rf"{_VISIT}(?=[-_ ]|\Z)", re.IGNORECASE)
_END = re.compile(rf"(?P<visit>({_VISIT}([-_ ]{_CERTAIN})*)?)((\A|[-_ ]){_FILES})*", re.IGNORECASE)
"""After a visit, *v2* and *post* are versions of a mask."""

_MAY_BE_VERSION = re.compile(rf"(.*[-_ ])?({_ORDER}|{_VERSION})", re.IGNORECASE)
_IS_NUMBERED_VERSION = re.compile(rf"(.*[-_ ])?{_VERSION}", re.IGNORECASE)
_VISIT_IN_FRONT = re.compile(rf"(?P<visit>{_CERTAIN})[-_ ]", re.IGNORECASE)
_IS_NUMBERED = re.compile(r"(?=.*\d)(.*[^\W\d_].*|\d{3,})")
_SEPARATOR = re.compile(r"[-_ ]")

_NOBODY = re.compile(
    r"(brain|head|mri?|gbm|lgg|hgg|gliomas?|tumou?rs?|met|metastas[ei]s|study|studies|cohort"
    r"|data|dataset|cases?|patients?|subjects?)",
    re.IGNORECASE,
)
"""Names of organs, diseases and data sets, in the place of a patient's."""

_COUNTS_CASES = re.compile(
    rf"(baseline|(pre|post)[-_ ]?op){_NUMBER}|(scan|follow[-_ ]?up)[-_ ]?\d{{3,}}", re.IGNORECASE
)
_COUNTS_CASES_OF_NOBODY = re.compile(rf"scan{_NUMBER}|.*(?<!\d)\d{{3,}}|{_DATE}", re.IGNORECASE)


class NameParts(NamedTuple):
    """The parts of a case's name.

    Parameters
    ----------
    patient : str
        Who it is.
    visit : str
        Which visit; empty if the name does not say.
    """

    patient: str
    visit: str


def is_visit_name(name: str) -> bool:
    """Whether a folder of any patient may have a name, such as ``pre``, ``week-000``, ``nifti``."""
    return _IS_FOLDER.fullmatch(name) is not None


def may_be_version(name: str) -> bool:
    """Whether the visit at the end of a name may also say which version of a mask it is.

    ``P1_v2`` and ``initial`` may; ``P1_visit2`` and ``baseline`` do not.
    """
    return _MAY_BE_VERSION.fullmatch(name) is not None


def is_numbered_version(name: str) -> bool:
    """Whether a name ends like ``P1_v2``."""
    return _IS_NUMBERED_VERSION.fullmatch(name) is not None


def split_name(name: str) -> NameParts:
    """Split the name of a case into patient and visit.

    ``P1_pre`` and ``P1_pre_nifti`` are the visit *pre* of *P1*; ``P1_nifti`` is *P1*. Numbers that
    count cases are part of the patient: those of ``GBM_baseline_001`` and ``MGH_scan_012``.
    ``visit1_P1`` is how a folder of folders names one of several cases ``P1``.
    """
    if (in_front := _split_visit_in_front(name)) is not None:
        return in_front
    for separator in _SEPARATOR.finditer(name):
        patient, rest = name[: separator.start()], name[separator.end() :]
        end = _END.fullmatch(rest)
        if end is not None and _is_patient(patient) and not _counts_cases(patient, rest):
            return NameParts(patient, end["visit"])
    return NameParts(name, "")


def _split_visit_in_front(name: str) -> NameParts | None:
    found = _VISIT_IN_FRONT.match(name)
    if found is None:
        return None
    patient, visit = split_name(name[found.end() :]).patient, found["visit"]
    is_numbered = _IS_NUMBERED.fullmatch(patient) is not None  # *baseline_edited* is nobody
    if is_numbered and _is_patient(patient) and not _counts_cases(patient, visit):
        return NameParts(patient, visit)
    return None


def _is_patient(name: str) -> bool:
    return bool(name) and not is_visit_name(name) and _IS_VISIT.fullmatch(name) is None


def _counts_cases(patient: str, visit: str) -> bool:
    """Whether the number of a visit counts the cases, since nothing else tells these apart.

    ``GBM_followup_3`` may be a visit of the patient *GBM*, ``GBM_followup_003`` is none.
    """
    if any(character.isdigit() for character in patient):
        return False
    first = _FIRST_VISIT.match(visit)
    if first is None:
        return False
    if _COUNTS_CASES.fullmatch(first[0]):
        return True
    is_nobody = _NOBODY.fullmatch(patient) is not None
    return is_nobody and _COUNTS_CASES_OF_NOBODY.fullmatch(first[0]) is not None
