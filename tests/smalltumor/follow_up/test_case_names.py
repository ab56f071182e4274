"""Names of cases speak against one patient, or against the order of the scans."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from smalltumor.follow_up.case_names import name_warnings, patients_text


def scans(*names: str, date: str = "") -> list[SimpleNamespace]:
    return [SimpleNamespace(case=SimpleNamespace(name=name), date=date) for name in names]


@pytest.mark.parametrize(
    "names",
    [
        ("P_visit1", "P_visit2"),
        ("P_visit9", "P_visit10"),
        ("UPENN-GBM-00003_11", "upenn-gbm-00003_21"),
        ("P_week-002", "P_week-010", "P_week-044"),
        ("Anna", "Anna"),
    ],
)
def test_scans_of_one_patient_in_their_order_have_no_warning(names):
    assert name_warnings(scans(*names)) == ()


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("P_visit2", "P_visit1"),
        ("P_visit10", "P_visit9"),
        ("UPENN-GBM-00003_21", "UPENN-GBM-00003_11"),
    ],
)
def test_an_order_against_the_numbers_in_the_names_is_said_unless_there_are_dates(earlier, later):
    (warning,) = name_warnings(scans(earlier, later))
    assert warning == f"by their names, {later} is earlier than {earlier}"
    assert name_warnings(scans(earlier, later, date="2026-01")) == ()


def test_names_of_several_patients_are_said_once():
    found = scans("P_visit2", "Q_visit1")
    (warning,) = name_warnings(found)
    assert warning.endswith("belong to several patients: P and Q")
    assert patients_text(scans("P_visit1", "p_visit2")) == "P"
