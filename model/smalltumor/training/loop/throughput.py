"""Throughput of a run, and the time it has left."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from smalltumor.training.config import TrainingConfig
from smalltumor.training.optimisation.budget import Budget
from smalltumor.training.optimisation.state import TrainingProgress

REPORT_SECONDS = 5.0
_PAST_WEIGHT = 0.8
"""Weight of the past in the moving average of the time of a step."""


@dataclass
class Throughput:
    """Times of steps and validations since the run was last resumed.

    Parameters
    ----------
    config : TrainingConfig
    budget : Budget
    has_validation : bool
        Whether there are validation cases. Without any, the time left is known from the first step.
    """

    config: TrainingConfig
    budget: Budget
    has_validation: bool = True
    _step_seconds: float = 0.0
    _interval_seconds: float = 0.0
    _validation_seconds: float | None = field(init=False)
    _reported_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._validation_seconds = None if self.has_validation else 0.0

    def add_step(self, seconds: float, interval: float) -> None:
        """Add a step to the moving averages.

        Parameters
        ----------
        seconds : float
            Time of the step.
        interval : float
            Time since the end of the step before, without saving and validation.
        """
        self._step_seconds = _moving_average(self._step_seconds, seconds)
        self._interval_seconds = _moving_average(self._interval_seconds, interval)

    def add_validation(self, seconds: float) -> None:
        """Replace the time that a validation takes; until then, the time left is not known."""
        self._validation_seconds = seconds

    def is_due(self) -> bool:
        """Whether a report is due. If so, the next one is due `REPORT_SECONDS` later."""
        now = time.monotonic()
        if now - self._reported_at < REPORT_SECONDS:
            return False
        self._reported_at = now
        return True

    def facts(self, progress: TrainingProgress) -> dict[str, Any]:
        """Values of an event.

        Returns
        -------
        dict
            ``steps``, ``seconds``, ``seconds_left`` (None if not known), ``voxels_per_second`` of
            the steps alone, and ``crops_per_second`` with everything between the steps, such as
            waiting for crops.
        """
        left = self._seconds_left(progress)
        voxels = self.config.batch_size * self.config.crop**3
        return {
            "steps": self.budget.steps(progress),
            "seconds": round(progress.seconds, 1),
            "seconds_left": None if left is None else round(left),
            "voxels_per_second": round(voxels / self._step_seconds) if self._step_seconds else None,
            "crops_per_second": (
                round(self.config.batch_size / self._interval_seconds, 2)
                if self._interval_seconds
                else None
            ),
        }

    def _seconds_left(self, progress: TrainingProgress) -> float | None:
        validation = self._validation_seconds
        left = self.budget.seconds_left(progress)
        if left is not None:  # the last validation follows
            return left + (validation or 0.0)
        if validation is None:
            return None
        steps = self.budget.steps(progress) - progress.step
        return self._interval_seconds * steps + validation * self._validations_left(progress)

    def _validations_left(self, progress: TrainingProgress) -> int:
        epochs = progress.step // self.budget.epoch_steps
        planned = -(-self.config.epochs // self.config.validation_interval)
        done = (
            planned if epochs >= self.config.epochs else epochs // self.config.validation_interval
        )
        return planned - done + int(progress.validation_due)


def _moving_average(average: float, value: float) -> float:
    past = average or value
    return _PAST_WEIGHT * past + (1 - _PAST_WEIGHT) * value
