"""Whose scans are compared, by the names of their cases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from smalltumor.data.patients import patient_key, patient_of

if TYPE_CHECKING:
    from smalltumor.follow_up.compare import Scan


def patients_text(scans: Iterable[Scan]) -> str:
    """The patient of the scans; several with "and" between them."""
    patients: dict[str, str] = {}
    for scan in scans:
        patients.setdefault(patient_key(scan.case.name), patient_of(scan.case.name))
    return " and ".join(patients.values())


def several_patients(scans: Iterable[Scan]) -> tuple[str, ...]:
    """A warning if the names of the cases are those of several patients; else nothing."""
    scans = list(scans)
    if len({patient_key(scan.case.name) for scan in scans}) < 2:
        return ()
    return (f"the names of the cases belong to several patients: {patients_text(scans)}",)
