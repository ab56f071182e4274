"""How long a run is: a number of epochs, or a time."""

from __future__ import annotations

from smalltumor.training.config import TrainingConfig
from smalltumor.training.optimisation.state import TrainingProgress


class Budget:
    """The length of a run, and how much of it is done.

    Parameters
    ----------
    config : TrainingConfig
        With ``minutes`` the run ends after this time, however many steps it makes; otherwise after
        ``epochs``.
    epoch_steps : int
        Steps of an epoch.
    """

    def __init__(self, config: TrainingConfig, epoch_steps: int) -> None:
        self.epoch_steps = epoch_steps
        self._steps = config.epochs * epoch_steps
        self._seconds = 60 * config.minutes

    @property
    def is_time(self) -> bool:
        """Whether the length is a time."""
        return self._seconds > 0

    def share_done(self, progress: TrainingProgress) -> float:
        """From 0 to 1."""
        if self.is_time:
            return min(1.0, progress.elapsed / self._seconds)
        return min(1.0, progress.step / self._steps)

    def is_spent(self, progress: TrainingProgress) -> bool:
        """Whether no further step is to be made."""
        return self.share_done(progress) >= 1

    def seconds_left(self, progress: TrainingProgress) -> float | None:
        """What is left of the time; None if the length is not a time."""
        return max(0.0, self._seconds - progress.elapsed) if self.is_time else None

    def steps(self, progress: TrainingProgress) -> int:
        """Steps of the whole run; of a time, as many as at the mean speed so far."""
        if not self.is_time:
            return self._steps
        done = self.share_done(progress)
        return round(progress.step / done) if done else progress.step

    def epochs(self, progress: TrainingProgress) -> int:
        """Epochs of the whole run, estimated as the steps are; the last one may be incomplete."""
        return -(-self.steps(progress) // self.epoch_steps)
