"""The length of a run in epochs or in minutes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from smalltumor.training.optimisation.budget import Budget
from smalltumor.training.optimisation.state import TrainingProgress
from training_cases import QUICK


def test_epochs_count_steps():
    budget = Budget(replace(QUICK, epochs=3), epoch_steps=4)
    progress = TrainingProgress(step=6, elapsed=1e6)
    assert budget.share_done(progress) == 0.5
    assert (budget.steps(progress), budget.epochs(progress)) == (12, 3)
    assert budget.seconds_left(progress) is None
    assert not budget.is_spent(progress)
    assert budget.is_spent(TrainingProgress(step=12))


def test_minutes_count_time_whatever_the_epochs():
    budget = Budget(replace(QUICK, epochs=3, minutes=2), epoch_steps=4)
    progress = TrainingProgress(step=50, elapsed=30)
    assert budget.share_done(progress) == 0.25
    assert (budget.steps(progress), budget.epochs(progress)) == (200, 50)
    assert budget.seconds_left(progress) == 90
    assert not budget.is_spent(progress)
    assert budget.is_spent(TrainingProgress(step=1, elapsed=120.5))


def test_before_the_first_step_a_time_has_no_number_of_steps():
    budget = Budget(replace(QUICK, minutes=1), epoch_steps=4)
    assert budget.steps(TrainingProgress()) == 0
    assert budget.share_done(TrainingProgress()) == 0


def test_the_share_never_exceeds_one():
    budget = Budget(replace(QUICK, minutes=1), epoch_steps=4)
    assert budget.share_done(TrainingProgress(step=9, elapsed=1e4)) == 1
    assert budget.seconds_left(TrainingProgress(elapsed=1e4)) == 0
    assert Budget(QUICK, 4).share_done(TrainingProgress(step=10**6)) == pytest.approx(1)
