"""How long a run will take, from what an earlier run on the same training folder took."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smalltumor.errors import TrainingError
from smalltumor.training.config import PRESETS, steps_per_epoch
from smalltumor.training.runs.events import EventReader
from smalltumor.training.runs.run_folder import RunFolder

from napari_smalltumor.finetune.run_text import duration

UNKNOWN = (
    "How long it takes is not known before a first run; the time left is shown a few minutes after "
    "Start."
)


@dataclass(frozen=True)
class MeasuredSpeed:
    """What a run took, with its validations and all else.

    Parameters
    ----------
    voxels_per_second : float
        Voxels of training crops.
    device : str
        As the run names it.
    """

    voxels_per_second: float
    device: str


def measured_speed(runs: Path) -> MeasuredSpeed | None:
    """The speed of the newest run in a folder of runs that has trained; None if there is none."""
    folders = [RunFolder(path) for path in runs.glob("*") if (path / "config.json").is_file()]
    for run in sorted(folders, key=lambda run: run.config.stat().st_mtime, reverse=True):
        speed = _speed_of(run)
        if speed is not None:
            return speed
    return None


def _speed_of(run: RunFolder) -> MeasuredSpeed | None:
    try:
        training: dict[str, Any] = run.read_config()["training"]
        events, _ = EventReader(run.events).poll()
        start = next(event for event in reversed(events) if event["event"] == "start")
        timed = next(event for event in reversed(events) if event.get("seconds") and event["step"])
        voxels = timed["step"] * training["batch"] * training["crop"] ** 3
        return MeasuredSpeed(voxels / timed["seconds"], str(start["device"]))
    except (OSError, TrainingError, KeyError, TypeError, StopIteration):
        return None


def expected_length(
    speed: MeasuredSpeed | None, *, preset: str, epochs: int, crop: int, batch: int, cases: int
) -> str:
    """The expected length of a run in a sentence.

    Parameters
    ----------
    speed : MeasuredSpeed or None
    preset : str
    epochs, crop, batch : int
        Settings of the run.
    cases : int
        Number of training cases; 0 if it is not known yet.
    """
    if speed is None or not cases:
        return UNKNOWN
    config = PRESETS[preset].with_changes({"epochs": epochs, "crop": crop, "batch": batch})
    voxels = steps_per_epoch(config, cases) * epochs * batch * crop**3
    seconds = voxels / speed.voxels_per_second
    plural = "" if cases == 1 else "s"
    return (
        f"Expected: about {duration(seconds)} for {cases} training case{plural}, at the speed of "
        f"the last run (on {speed.device})"
    )
