"""Throughput of a run, and the time it has left."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from smalltumor.training.config import TrainingConfig
from smalltumor.training.optimisation.state import Progress

REPORT_SECONDS = 5.0
_PAST_WEIGHT = 0.8
"""Weight of the past in the moving average of the time of a step."""


@dataclass
class Throughput:
    """Times of steps and validations since the run was last resumed.

    Parameters
    ----------
    config : TrainingConfig
    steps, epoch_steps : int
        Of the whole run and of an epoch.
    """

    config: TrainingConfig
    steps: int
    epoch_steps: int
    _step: float = 0.0
    _validation: float = 0.0
    _reported: float = field(default_factory=time.monotonic)

    def add_step(self, seconds: float) -> None:
        """Add the time of a step to the moving average."""
        past = self._step or seconds
        self._step = _PAST_WEIGHT * past + (1 - _PAST_WEIGHT) * seconds

    def add_validation(self, seconds: float) -> None:
        """Replace the time that a validation takes."""
        self._validation = seconds

    def is_due(self) -> bool:
        """Whether a report is due. If so, the next one is due `REPORT_SECONDS` later."""
        now = time.monotonic()
        if now - self._reported < REPORT_SECONDS:
            return False
        self._reported = now
        return True

    def facts(self, progress: Progress) -> dict[str, Any]:
        """Values of an event: ``steps``, ``seconds``, ``seconds_left``, ``voxels_per_second``."""
        done = progress.step // self.epoch_steps // self.config.validate_every
        planned = -(-self.config.epochs // self.config.validate_every)
        left = self._step * (self.steps - progress.step)
        left += self._validation * max(0, planned - done)
        voxels = self.config.batch * self.config.crop**3
        return {
            "steps": self.steps,
            "seconds": round(progress.seconds, 1),
            "seconds_left": round(left),
            "voxels_per_second": round(voxels / self._step) if self._step else None,
        }
