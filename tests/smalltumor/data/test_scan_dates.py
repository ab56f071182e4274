"""Dates that users state are dates, and in the order of the scans."""

from __future__ import annotations

import pytest
from smalltumor.data.scan_dates import problem_of_dates


@pytest.mark.parametrize(
    "dates",
    [
        [],
        ["", ""],
        ["2024-02-29"],
        ["2026-01", "2026-01-15"],
        ["2026-01-15", "2026"],
        ["2026", "", "2027-03"],
        ["2026-01-10", "2026-01-10"],
    ],
)
def test_iso_dates_in_order_are_accepted(dates):
    assert problem_of_dates(dates) is None


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "31.02.2026",
        "2026-02-31",
        "2025-02-29",
        "2026-13",
        "2026-1-2",
        "0000",
        "26",
        "2026-01-02T10",
        "٢٠٢٦",
    ],
)
def test_anything_else_is_no_date(text):
    assert (
        problem_of_dates(["", text]) == f"{text} is not a date such as 2026-11-27, 2026-11 or 2026"
    )


@pytest.mark.parametrize(
    "dates",
    [
        ["2026-12-01", "2026-01-05"],
        ["2026-02", "2026-01-31"],
        ["2027", "", "2026-12-31"],
        ["2026-03", "2026", "2026-01"],
    ],
)
def test_a_later_scan_with_an_earlier_date_is_refused(dates):
    assert problem_of_dates(dates) == (
        f"scan {len(dates)} is dated {dates[-1]}, before scan 1 ({dates[0]}); give the scans from "
        "the first to the last"
    )
