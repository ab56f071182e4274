"""Whether the next change of a folder shows in its time depends on what the drive stores."""

from __future__ import annotations

import time

import pytest
from smalltumor.files.change_time import next_change_shows

NOW = 1_780_000_001_500_000_000  # half a second after a whole one


@pytest.mark.parametrize(
    ("changed", "shows"),
    [
        (NOW - 1_000_000, False),
        (NOW - 400_000_123, True),
        (NOW - 500_000_000, False),  # a drive that stores whole seconds
        (NOW - 1_500_000_000, False),
        (NOW - 2_500_000_000, True),
        (NOW + 1_000_000, False),  # the drive's clock is a little ahead
    ],
)
def test_the_next_change_shows_once_the_clock_of_the_drive_has_moved_on(
    changed, shows, monkeypatch
):
    monkeypatch.setattr(time, "time_ns", lambda: NOW)
    assert next_change_shows(changed) is shows
