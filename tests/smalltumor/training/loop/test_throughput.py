"""The time that a run has left counts everything that it still does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from smalltumor.training.loop.throughput import Throughput
from smalltumor.training.optimisation.budget import Budget
from smalltumor.training.optimisation.state import TrainingProgress
from training_cases import QUICK

EPOCH_STEPS = 4


def throughput_of(**changes: Any) -> Throughput:
    config = replace(QUICK, **changes)
    return Throughput(config, Budget(config, EPOCH_STEPS))


def left(throughput: Throughput, **progress: Any) -> float | None:
    value = throughput.facts(TrainingProgress(**progress))["seconds_left"]
    return None if value is None else float(value)


def test_the_time_left_includes_waiting_for_crops_and_the_validations_to_come():
    throughput = throughput_of(epochs=3, validation_interval=1)
    throughput.add_step(seconds=1.0, interval=3.0)
    throughput.add_validation(10.0)
    assert left(throughput, step=2) == 10 * 3 + 3 * 10
    assert left(throughput, step=4, validation_due=True) == 8 * 3 + 3 * 10
    assert left(throughput, step=5) == 7 * 3 + 2 * 10


@pytest.mark.parametrize(("epochs", "every"), [(3, 1), (3, 2), (3, 3), (2, 10)])
def test_during_the_last_validation_its_time_is_left(epochs, every):
    throughput = throughput_of(epochs=epochs, validation_interval=every)
    throughput.add_step(seconds=1.0, interval=3.0)
    throughput.add_validation(10.0)
    last = epochs * EPOCH_STEPS
    assert left(throughput, step=last - 1) == 3 + 10
    assert left(throughput, step=last, validation_due=True) == 10
    assert left(throughput, step=last) == 0


def test_the_time_left_is_not_known_before_the_first_validation():
    throughput = throughput_of(epochs=3, validation_interval=1)
    throughput.add_step(seconds=1.0, interval=3.0)
    assert left(throughput, step=2) is None


def test_the_time_left_of_a_run_without_validation_is_known_from_the_first_step():
    config = replace(QUICK, epochs=3, validation_interval=1)
    throughput = Throughput(config, Budget(config, EPOCH_STEPS), has_validation=False)
    throughput.add_step(seconds=1.0, interval=3.0)
    assert left(throughput, step=2) == 10 * 3


def test_a_run_of_minutes_ends_with_a_validation():
    throughput = throughput_of(minutes=2)
    throughput.add_step(seconds=1.0, interval=3.0)
    assert left(throughput, step=2, elapsed=30) == 90
    throughput.add_validation(10.0)
    assert left(throughput, step=2, elapsed=30) == 100
