"""The learning rate at each step."""

from __future__ import annotations

from smalltumor.training.config import TrainingConfig

_POWER = 0.9
_FALL = 0.3
_FLOOR = 0.02


def learning_rate(config: TrainingConfig, step: int, steps: int) -> float:
    """The rate of a step.

    Parameters
    ----------
    config : TrainingConfig
    step : int
        From 0.
    steps : int
        Of the whole run.
    """
    done = step / steps
    if config.schedule == "polynomial":
        factor: float = (1 - done) ** _POWER
    else:
        factor = max(_FLOOR, min(1.0, (1 - done) / _FALL))
    return config.learning_rate * factor * min(1.0, (step + 1) / max(1, config.warmup))
