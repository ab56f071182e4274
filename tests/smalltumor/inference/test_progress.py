"""Progress and cancellation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.data.probabilities.network_output import Probabilities
from smalltumor.errors import Cancelled
from smalltumor.inference.backends.base import Array
from smalltumor.inference.sliding_window import SlidingWindow
from smalltumor.inference.test_time_augmentation import average_over_mirrored
from smalltumor.progress import ProgressReporter

FRACTIONS = st.floats(-0.5, 1.5)


class TwoSteps:
    """A backend that reports progress twice."""

    backend, device = "none", "cpu"

    def __call__(self, array: Array, progress: ProgressReporter) -> Probabilities:
        for fraction in (0.5, 1.0):
            progress.update(fraction, "segmenting")
        return Probabilities(np.full_like(array, 0.25))


@given(st.lists(st.tuples(FRACTIONS, FRACTIONS, FRACTIONS)))
def test_progress_never_falls_and_stays_between_0_and_1(
    steps: list[tuple[float, float, float]],
) -> None:
    reported: list[float] = []
    reporter = ProgressReporter(lambda fraction, _: reported.append(fraction))
    for first, last, fraction in steps:
        with reporter.subrange(min(max(first, 0), 1), min(max(last, 0), 1)):
            reporter.update(fraction, "step")
    assert reported == sorted(reported)
    assert all(0 <= fraction <= 1 for fraction in reported)


def test_nested_subranges_map_to_a_part_of_the_outer_one() -> None:
    reported: list[float] = []
    reporter = ProgressReporter(lambda fraction, _: reported.append(fraction))
    with reporter.subrange(0.2, 0.6):
        with reporter.subrange(0.5, 1.0):
            reporter.update(0.5, "inner")
        reporter.update(1.0, "outer")
    reporter.update(0.8, "after")
    assert reported == pytest.approx([0.5, 0.6, 0.8])


def test_progress_of_mirrored_windows_rises_evenly_to_1() -> None:
    reported: list[float] = []
    reporter = ProgressReporter(lambda fraction, _: reported.append(fraction))
    array = np.zeros((4, 32, 32, 64), np.float32)
    average_over_mirrored(SlidingWindow(TwoSteps(), 32), array, reporter)
    steps = 8 * 3 * 2  # mirrored volumes, windows, steps of each
    assert reported == pytest.approx(np.arange(1, steps + 1) / steps)


def test_progress_does_not_fall_when_a_second_attempt_starts() -> None:
    reported: list[float] = []
    reporter = ProgressReporter(lambda fraction, _: reported.append(fraction))
    for _ in range(2):
        with reporter.subrange(0.05, 0.95):
            TwoSteps()(np.zeros((4, 16, 16, 16), np.float32), reporter)
    assert reported == pytest.approx([0.5, 0.95, 0.95, 0.95])


def test_a_cancelled_run_reports_no_further_progress() -> None:
    reported: list[str] = []
    reporter = ProgressReporter(lambda _, text: reported.append(text), lambda: True)
    with pytest.raises(Cancelled):
        reporter.update(0.5, "segmenting")
    assert reported == []
