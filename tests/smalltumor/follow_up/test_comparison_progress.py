"""The progress of a comparison moves while a registration iterates, and can be cancelled."""

from __future__ import annotations

import numpy as np
import pytest
from report_cases import SHAPE, brain_case, tumour
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import Cancelled
from smalltumor.follow_up import Scan, ScanRegistration, compare
from smalltumor.follow_up.compare import _reports_iterations, compare_scans
from smalltumor.measures import measure_case
from smalltumor.progress import ProgressReporter

UNMOVED = ScanRegistration(np.eye(4), 0.8, 0.98)


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


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (2, ["registering the earlier scan"]),
        (3, ["registering scan 2 of 3", "registering scan 3 of 3"]),
    ],
)
def test_steps_are_short_and_told_apart_by_their_first_words(monkeypatch, count, expected):
    """A dock that is narrow cuts the ends, in which names of scans would differ."""
    monkeypatch.setattr(compare, "register_scans", lambda *arguments: UNMOVED)
    classes = tumour()
    scans = []
    for number in range(count):
        case = brain_case(f"BraTS2021_00019_{number}")
        measures = measure_case(case, Segmentation(case.name, classes, case.grid))
        scans.append(Scan(case, classes, measures))
    steps: list[str] = []
    compare_scans(scans, progress=lambda fraction, text: steps.append(text))
    assert [text for text in dict.fromkeys(steps) if text.startswith("registering")] == expected


def test_the_comparison_of_many_lesions_is_progress_and_ends_when_it_is_cancelled(monkeypatch):
    """Each speck of a mask may be a new lesion, which the earlier image is searched for."""
    monkeypatch.setattr(compare, "register_scans", lambda *arguments: UNMOVED)
    specks = np.zeros(SHAPE, np.uint8)
    specks[10:40:5, 10:40:5, 20:30:5] = 3
    scans = []
    for name, classes in (("P_visit1", np.zeros_like(specks)), ("P_visit2", specks)):
        case = brain_case(name)
        measures = measure_case(case, Segmentation(case.name, classes, case.grid))
        scans.append(Scan(case, classes, measures))
    count, seen = len(scans[1].measures.lesions), []
    compare_scans(scans, progress=lambda fraction, text: seen.append((fraction, text)))
    matching = [fraction for fraction, text in seen if text == "matching lesions"]
    assert count > 50 and len(set(matching)) > count and matching == sorted(matching)
    assert (matching[0], matching[-1]) == (0.8, 1.0)
    seen.clear()
    with pytest.raises(Cancelled):
        compare_scans(
            scans,
            progress=lambda fraction, text: seen.append((fraction, text)),
            cancelled=lambda: bool(seen and seen[-1][0] > 0.82),
        )
    assert len(seen) < count / 2
