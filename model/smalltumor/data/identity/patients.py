"""Which patient a case shows: by its name, or by a table.

Several scans of one patient resemble each other, so that they belong to the same fold, and to one
side of any split.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from unicodedata import normalize

from smalltumor.data.naming.visit_names import split_name
from smalltumor.errors import CaseError
from smalltumor.files.names import name_key
from smalltumor.files.tables import read_table

COLUMNS = ("case", "patient")

_COLLECTIONS = tuple(
    re.compile(pattern + r"\Z", re.IGNORECASE)
    for pattern in (
        r"(?P<patient>UPENN-GBM-\d+)_\d+",  # UPENN-GBM-00003_11 before surgery, _21 later
        r"(?P<patient>BraTS-[A-Za-z]+-\d+)-\d+",  # BraTS-GLI-00005-000 and later scans, since 2023
        r"(?P<patient>(UCSD-PTGBM|RHUH)-\d+)_\d+",  # UCSD-PTGBM-0002_01, RHUH-0001_0
        r"(?P<patient>sub-[A-Za-z0-9]+)_ses-[A-Za-z0-9]+(_.*)?",  # BIDS
    )
)
"""Names of collections whose scans have numbers without a word."""

_NONE: Mapping[str, str] = MappingProxyType({})


def patient_of(case: str, listed: Mapping[str, str] = _NONE) -> str:
    """The patient of a case.

    Parameters
    ----------
    case : str
        Name of the case.
    listed : mapping of str to str
        Patients by case, as `read_patients` gives them; they go before the names.

    Returns
    -------
    str
        The part before the scan in names of UPENN-GBM (``UPENN-GBM-00003_11``), BraTS since 2023
        (``BraTS-GLI-00005-000``), UCSD-PTGBM, RHUH, and BIDS (``sub-01_ses-02``), or before the
        words for a visit (``Patient-001_week-044``, ``P1_pre``). Any other name is that of a
        patient.
    """
    if case in listed:
        return listed[case]
    named = _by_key(tuple(listed.items())).get(name_key(case)) if listed else None
    return named or _scan_in_collection(case) or split_name(case).patient


@lru_cache(maxsize=4)
def _by_key(listed: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Patients by the `name_key` of their cases, as for every other name of a case."""
    return {name_key(case): patient for case, patient in reversed(listed)}


def states_visit(case: str) -> bool:
    """Whether the name of a case says which scan of a patient it is."""
    return _scan_in_collection(case) is not None or bool(split_name(case).visit)


def _scan_in_collection(case: str) -> str | None:
    """The patient of a name of a collection; None if it is of none."""
    matches = (pattern.match(case) for pattern in _COLLECTIONS)
    return next((match["patient"] for match in matches if match), None)


def same_patient(one: str, other: str, listed: Mapping[str, str] = _NONE) -> bool:
    """Whether two cases are of one patient; a patient is given by name like a case.

    ``UPENN-GBM-00003_11`` and ``upenn-gbm-00003_21`` are scans of one patient, and so are
    ``sub-P1_ses-02`` and ``P1_visit1``.
    """
    return patient_key(one, listed) == patient_key(other, listed)


def patient_key(case: str, listed: Mapping[str, str] = _NONE) -> str:
    """The `key_of_patient` of the patient of a case: equal if and only if `same_patient` holds."""
    return key_of_patient(patient_of(case, listed))


def key_of_patient(patient: str) -> str:
    """A patient, to be compared with others: the `name_key`, without the ``sub-`` of BIDS."""
    return name_key(patient).removeprefix("sub-")


def read_patients(path: Path) -> dict[str, str]:
    """Read a CSV file with the columns ``case`` and ``patient``.

    Returns
    -------
    dict of str to str
        Patients by case.

    Raises
    ------
    SmalltumorError
        If the file cannot be read or has other columns.
    CaseError
        If a cell is empty, or a case is listed with two patients.
    """
    patients: dict[str, str] = {}
    keys: dict[str, str] = {}
    for cells in read_table(path, COLUMNS):
        case, patient = (normalize("NFC", cells[column].strip()) for column in COLUMNS)
        if not case or not patient:
            raise CaseError(f"{path}: a row has no case or no patient")
        patients.setdefault(case, patient)
        if keys.setdefault(name_key(case), patient) != patient:
            raise CaseError(f"{path}: {case} is listed with two patients")
    return patients
