"""Times of acquisition, as headers write them."""

from __future__ import annotations

import pytest
from smalltumor.scanner.acquisition_time import is_later, normal_time


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("20240102101500.250000", "20240102101500.25"),
        ("20240102101500+0100", "20240102101500"),
        ("2024-01-02T10:15:00.000000", "20240102101500"),
        ("2024.01.02101500", "20240102101500"),
        ("101500", "101500"),
        ("10:15:00.5", "101500.5"),
        ("1015", "101500"),
        ("100000.000000", "100000"),
        ("20240102", ""),
        ("2024-01-02", ""),
        ("", ""),
        ("unknown", ""),
        ("251500", ""),
    ],
)
def test_times_are_digits_that_sort(text, time):
    assert normal_time(text) == time


def test_a_time_is_later_only_if_both_have_a_date_or_none_has():
    day, clock = "20240102101500", "101500"
    assert is_later("20240102101501", day) and is_later("101500.5", clock)
    assert is_later(day, day) is False and is_later("091500", clock) is False
    assert is_later("235900", day) is None and is_later(day, clock) is None
    assert is_later("", day) is None and is_later(clock, "") is None
