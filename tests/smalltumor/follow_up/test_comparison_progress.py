"""The progress of a comparison moves while a registration iterates, and can be cancelled."""

from __future__ import annotations

import pytest
from smalltumor.errors import Cancelled
from smalltumor.follow_up.compare import _reports_iterations
from smalltumor.progress import ProgressReporter


def test_each_iteration_is_progress_within_the_share_of_its_scan():
    seen: list[float] = []
    reporter = ProgressReporter(lambda fraction, text: seen.append(fraction))
    report = _reports_iterations(reporter, "registering", 1, 2)
    for _ in range(200):
        report()
    assert seen[0] == 0.4 and seen[60] > 0.68 and seen[-1] < 0.8
    assert seen == sorted(seen)


def test_a_registration_ends_at_an_iteration_after_it_was_cancelled():
    cancelled: list[bool] = []
    reporter = ProgressReporter(is_cancelled=lambda: bool(cancelled))
    report = _reports_iterations(reporter, "registering", 0, 1)
    report()
    cancelled.append(True)
    with pytest.raises(Cancelled):
        report()
