"""Words in names of folders, cases and masks that say which visit it is, and not of whom."""

from __future__ import annotations

import re
from typing import NamedTuple

_NUMBER = r"[-_ ]?\d+[a-z]?(-\d+)?"
"""``2``, ``_02``, ``-2a``, ``1-2``."""

_EVENT = (
    r"((pre|post|intra)[-_ ]?(op|operative|operation|surgery|treatment|therapy|rt|chemo)"
    r"|baseline|follow[-_ ]?up)"
)
_COUNTED = r"(visit|session|ses|time[-_ ]?point|tp|day|week|month|year|fu)"
_DATE = r"\d{4}[-_.]\d{2}[-_.]\d{2}"
_ORDER = r"(pre|post|intra|initial|first|second|third|last|latest|before|after)"
_VERSION = rf"v{_NUMBER}"
_FILES = r"(images?|nifti|nii|anat|raw|converted|preprocessed|registered)"

_CLEAR_VISIT = rf"({_EVENT}({_NUMBER})?|({_COUNTED}|scan|time){_NUMBER}|{_DATE})"
"""What is nothing else than a visit: ``preop``, ``visit2``, ``scan_1``, ``2024-01-31``."""

_VISIT = rf"({_CLEAR_VISIT}|{_ORDER}|{_VERSION}|(pre|post)\d+)"
"""What may be a visit: also ``pre``, ``first`` and ``v2``, which may be versions of a mask."""


def _pattern(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.IGNORECASE)


_ONE_VISIT = _pattern(_VISIT)
_VISIT_AT_START = _pattern(rf"{_VISIT}(?=[-_ ]|\Z)")

_VISIT_FOLDER = _pattern(rf"{_EVENT}({_NUMBER})?|{_COUNTED}({_NUMBER})?|{_DATE}|{_ORDER}|{_FILES}")
"""Not ``v1``, ``scan_1`` and ``time_1``: as folders, these may be volunteers or cases."""

_AFTER_PATIENT = _pattern(rf"(?P<visit>({_VISIT}([-_ ]{_CLEAR_VISIT})*)?)((\A|[-_ ]){_FILES})*")
"""``pre``, ``pre_day2``, ``pre_nifti`` or ``nifti``; only clear visits follow the first one."""

_BEFORE_PATIENT = _pattern(rf"(?P<visit>{_CLEAR_VISIT})[-_ ]")

_ENDS_WITH_ORDER_OR_VERSION = _pattern(rf"(.*[-_ ])?({_ORDER}|{_VERSION})")
_ENDS_WITH_VERSION = _pattern(rf"(.*[-_ ])?{_VERSION}")

_NUMBERED_NAME = re.compile(r"(?=.*\d)(.*[^\W\d_].*|\d{3,})")
"""``P1``, ``012``; not ``edited`` or ``12``."""

_SEPARATOR = re.compile(r"[-_ ]")

_NO_PATIENT = _pattern(
    r"(brain|head|mri?|gbm|lgg|hgg|gliomas?|tumou?rs?|met|metastas[ei]s|study|studies|cohort"
    r"|data|dataset|cases?|patients?|subjects?)"
)
"""Names of organs, diseases and data sets, in the place of a patient's."""

_NUMBER_OF_CASE = _pattern(
    rf"(baseline|(pre|post)[-_ ]?op){_NUMBER}|(scan|follow[-_ ]?up)[-_ ]?\d{{3,}}"
)
"""After a name without digits, such as ``GBM_baseline_001``."""

_NUMBER_OF_CASE_AFTER_NO_PATIENT = _pattern(rf"scan{_NUMBER}|.*(?<!\d)\d{{3,}}|{_DATE}")
"""Moreover after a word of `_NO_PATIENT`, such as ``brain_scan_1``."""


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
    return _VISIT_FOLDER.fullmatch(name) is not None


def may_be_version(name: str) -> bool:
    """Whether the visit at the end of a name may also say which version of a mask it is.

    ``P1_v2`` and ``initial`` may; ``P1_visit2`` and ``baseline`` do not.
    """
    return _ENDS_WITH_ORDER_OR_VERSION.fullmatch(name) is not None


def is_numbered_version(name: str) -> bool:
    """Whether a name ends like ``P1_v2``."""
    return _ENDS_WITH_VERSION.fullmatch(name) is not None


def split_name(name: str) -> NameParts:
    """Split the name of a case into patient and visit.

    ``P1_pre`` and ``P1_pre_nifti`` are the visit *pre* of *P1*; ``P1_nifti`` is *P1*. Numbers that
    count cases are part of the patient: those of ``GBM_baseline_001`` and ``MGH_scan_012``.
    ``visit1_P1`` is how a folder of folders names one of several cases ``P1``.
    """
    if (parts := _split_visit_before_patient(name)) is not None:
        return parts
    for separator in _SEPARATOR.finditer(name):
        patient, rest = name[: separator.start()], name[separator.end() :]
        found = _AFTER_PATIENT.fullmatch(rest)
        if found is not None and _may_name_patient(patient) and not _counts_cases(patient, rest):
            return NameParts(patient, found["visit"])
    return NameParts(name, "")


def _split_visit_before_patient(name: str) -> NameParts | None:
    found = _BEFORE_PATIENT.match(name)
    if found is None:
        return None
    patient, visit = split_name(name[found.end() :]).patient, found["visit"]
    is_numbered = _NUMBERED_NAME.fullmatch(patient) is not None  # *baseline_edited* is nobody
    if is_numbered and _may_name_patient(patient) and not _counts_cases(patient, visit):
        return NameParts(patient, visit)
    return None


def _may_name_patient(name: str) -> bool:
    return bool(name) and not is_visit_name(name) and _ONE_VISIT.fullmatch(name) is None


def _counts_cases(patient: str, visit: str) -> bool:
    """Whether the number of a visit counts the cases, since nothing else tells these apart.

    ``GBM_followup_3`` may be a visit of the patient *GBM*, ``GBM_followup_003`` is none.
    """
    if any(character.isdigit() for character in patient):
        return False
    first = _VISIT_AT_START.match(visit)
    if first is None:
        return False
    if _NUMBER_OF_CASE.fullmatch(first[0]):
        return True
    names_nobody = _NO_PATIENT.fullmatch(patient) is not None
    return names_nobody and _NUMBER_OF_CASE_AFTER_NO_PATIENT.fullmatch(first[0]) is not None
