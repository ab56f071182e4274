"""Names of cases speak against one patient, or against the order of the scans."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from smalltumor.data.made_by import MadeBy
from smalltumor.follow_up.scan_warnings import patients_text, scan_warnings


def scans(
    *names: str, date: str = "", own: Sequence[bool] = (), made_by: Sequence[MadeBy | None] = ()
) -> list[SimpleNamespace]:
    made = own or [True] * len(names)
    makers = made_by or [None] * len(names)
    return [
        SimpleNamespace(
            case=SimpleNamespace(name=n),
            title=n,
            date=date,
            mask=f"{n}_seg.nii.gz, label scheme brats2018 (from the names of the files)",
            is_from_this_program=is_own,
            made_by=maker,
        )
        for n, is_own, maker in zip(names, made, makers, strict=True)
    ]


def test_masks_of_different_weights_are_said_and_nothing_of_what_is_not_known():
    starter, tuned = (MadeBy.network(w, d * 64, "1") for w, d in (("starter", "a"), ("tuned", "b")))
    visits = "P_visit1", "P_visit2", "P_visit3"
    for makers, warns in (
        ((starter, starter.edited, starter), False),
        ((None, starter, None), False),
        ((MadeBy("MANUAL"), starter, starter), False),
        ((starter, None, tuned), True),
        ((starter, starter, tuned.edited), True),
    ):
        texts = scan_warnings(scans(*visits, made_by=makers))
        assert len(texts) == warns
    assert texts[0].startswith(
        "the masks were made by different weights: that of P_visit2 by starter (SHA-256 aaaaaaaa), "
        "that of P_visit3 by tuned (SHA-256 bbbbbbbb); "
    )


def test_masks_of_this_program_beside_those_of_others_are_said():
    visits = "P_visit1", "P_visit2"
    (text,) = scan_warnings(scans(*visits, own=[False, True]))
    assert text.startswith(
        "the masks are of different origin: that of P_visit2 from this program, that of P_visit1 "
        "from another source, according to the file names; "
    )
    (text,) = scan_warnings(scans(*visits, "P_visit3", "P_visit4", own=[False, True, False, False]))
    assert "those of P_visit1, P_visit3 and P_visit4 from another source" in text
    assert "label scheme" not in text
    for own in ([True, True], [False, False]):
        assert scan_warnings(scans(*visits, own=own)) == ()


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
    assert scan_warnings(scans(*names)) == ()


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("P_visit2", "P_visit1"),
        ("P_visit10", "P_visit9"),
        ("UPENN-GBM-00003_21", "UPENN-GBM-00003_11"),
    ],
)
def test_an_order_against_the_numbers_in_the_names_is_said_unless_there_are_dates(earlier, later):
    (warning,) = scan_warnings(scans(earlier, later))
    assert warning == (
        f"by its name, {later} is earlier than {earlier}, but it is compared as the later scan"
    )
    assert scan_warnings(scans(earlier, later, date="2026-01")) == ()


def test_names_of_several_patients_are_said_once():
    found = scans("P_visit2", "Q_visit1")
    (warning,) = scan_warnings(found)
    assert warning.endswith("belong to several patients: P and Q")
    assert patients_text(scans("P_visit1", "p_visit2")) == "P"
