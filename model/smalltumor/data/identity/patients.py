"""Which patient a case shows: by its name, or by a table.

Several scans of one patient resemble each other, so that they belong to the same fold, and to one
side of any split.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from unicodedata import normalize

from smalltumor.errors import CaseError
from smalltumor.files.names import name_key
from smalltumor.files.tables import read_table

COLUMNS = ("case", "patient")

_NAMES = tuple(
    re.compile(pattern + r"\Z", re.IGNORECASE)
    for pattern in (
        r"(?P<patient>UPENN-GBM-\d+)_\d+",  # UPENN-GBM-00003_11 before surgery, _21 later
        r"(?P<patient>BraTS-[A-Za-z]+-\d+)-\d+",  # BraTS-GLI-00005-000 and later scans, since 2023
        r"(?P<patient>UCSF-PDGM-\d+)_FU\d+d?",  # UCSF-PDGM-0429_FU003d, days after the first
        r"(?P<patient>(UCSD-PTGBM|RHUH)-\d+)_\d+",  # UCSD-PTGBM-0002_01, RHUH-0001_0
        r"(?P<patient>sub-[A-Za-z0-9]+)_ses-[A-Za-z0-9]+(_.*)?",  # BIDS
        # Patient-001_week-044 of LUMIERE, PatientID_0003_Timepoint_1, 100010_time1, P7_visit2
        r"(?P<patient>.+?)[-_](day|week|month|visit|v|session|time_?point|time|tp|scan|fu)"
        r"[-_]?\d+(-\d+)?",
        r"(?P<patient>.+?)[-_](baseline|pre-?op|post-?op|follow[-_]?up)([-_]?\d+)?(-\d+)?",
    )
)
"""Names of scans in collections with several of one patient."""

_NUMBERED_CASE = re.compile(
    r"(brain|head|mri?|gbm|lgg|hgg|gliomas?|tumou?rs?)[-_]"
    r"(scan[-_]?\d+|(day|week|month|visit|v|baseline|pre-?op|post-?op|follow[-_]?up)[-_]?(\d+-)?\d{3,})",
    re.IGNORECASE,
)
"""Names without a patient, in which a long number counts the cases: ``GBM_baseline_001``.

``GBM_followup_3`` may be a visit of the patient *GBM*.
"""

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
        (``BraTS-GLI-00005-000``), UCSF-PDGM (``UCSF-PDGM-0429_FU003d``), LUMIERE
        (``Patient-001_week-044``), others with the number of a visit or time point or a word such
        as ``baseline``, and BIDS (``sub-01_ses-02``). Any other name is that of a patient.
    """
    for name in (case, normalize("NFC", case)):
        if name in listed:
            return listed[name]
    if _NUMBERED_CASE.fullmatch(case):
        return case
    matches = (pattern.match(case) for pattern in _NAMES)
    return next((match["patient"] for match in matches if match), case)


def patient_key(case: str, listed: Mapping[str, str] = _NONE) -> str:
    """The patient of a case, to be compared with others: by the `name_key` of `patient_of`.

    ``UPENN-GBM-00003_11`` and ``upenn-gbm-00003_21`` are scans of one patient.
    """
    return name_key(patient_of(case, listed))


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
    for cells in read_table(path, COLUMNS):
        case, patient = (normalize("NFC", cells[column].strip()) for column in COLUMNS)
        if not case or not patient:
            raise CaseError(f"{path}: a row has no case or no patient")
        if patients.setdefault(case, patient) != patient:
            raise CaseError(f"{path}: {case} is listed with two patients")
    return patients
