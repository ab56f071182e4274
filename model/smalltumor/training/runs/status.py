"""The state of a run at one moment, as a run folder shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from smalltumor.training.runs.comparison import RunComparison


class RunState(StrEnum):
    """What a run is doing."""

    NONE = "none"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_live(self) -> bool:
        """Whether a process is training or starting."""
        return self in (RunState.STARTING, RunState.RUNNING)


Curve = tuple[list[float], list[float]]
"""Epochs, and a value for each."""


@dataclass(frozen=True)
class RunStatus:
    """A run at one moment.

    Parameters
    ----------
    state : RunState
    message : str
        The state in a sentence.
    epoch, epochs, step, steps : int
        Done and planned; 0 as long as they are not known.
    seconds_left : float or None
    voxels_per_second : float or None
    peak_memory : int or None
        Bytes.
    device, host : str
        Empty if not known; the host only if it is another machine.
    training, validation, left_out : tuple of str
        Names of cases; those that are left out are scans of patients of the validation cases.
    added, removed : tuple of str
        Training cases that came and went when the run was resumed last.
    best_is_start : bool
        Whether the best weights so far are those that the run started from.
    losses : dict of str to Curve
        ``segmentation``, ``reconstruction`` and their ``..._weight``.
    scores : dict of str to Curve
        Validation Dice: ``et``, ``tc``, ``wt``, ``small_lesions``.
    comparison : RunComparison or None
        Once the starting weights and a later state have been validated.
    warnings : tuple of str
        What makes cases doubtful.
    changes : dict of str to int
        Settings with which a run that ran out of memory may be resumed.
    """

    state: RunState = RunState.NONE
    message: str = ""
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    seconds_left: float | None = None
    voxels_per_second: float | None = None
    peak_memory: int | None = None
    device: str = ""
    host: str = ""
    training: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    best_is_start: bool = False
    losses: dict[str, Curve] = field(default_factory=dict)
    scores: dict[str, Curve] = field(default_factory=dict)
    comparison: RunComparison | None = None
    warnings: tuple[str, ...] = ()
    changes: dict[str, int] = field(default_factory=dict)

    @property
    def fraction(self) -> float:
        """Share of the run that is done, from 0 to 1."""
        if self.state is RunState.DONE:
            return 1.0
        return min(1.0, self.step / self.steps) if self.steps else 0.0
