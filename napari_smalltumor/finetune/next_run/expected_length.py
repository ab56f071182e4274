"""How long a run will take, from what an earlier run on the same training folder took."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

from smalltumor.errors import TrainingError
from smalltumor.files.damaged import DAMAGED
from smalltumor.text import pluralize
from smalltumor.training.config import PRESETS, steps_per_epoch
from smalltumor.training.runs.events import Event, EventReader
from smalltumor.training.runs.run_folder import RunFolder

from napari_smalltumor.finetune.run_text import duration

UNKNOWN = (
    "How long it takes is not known before a first run; the time left is shown a few minutes after "
    "Start."
)

_VALIDATIONS_PER_RUN = 10


@dataclass(frozen=True)
class MeasuredSpeed:
    """What a run took.

    Parameters
    ----------
    voxels_per_second : float
        Voxels of training crops, without validations.
    device : str
        As the run names it.
    validation_seconds : float or None
        What a validation took for each case; None if the run had none.
    """

    voxels_per_second: float
    device: str
    validation_seconds: float | None = None


def measured_speed(runs: Path) -> MeasuredSpeed | None:
    """The speed of the newest run in a folder of runs that has trained; None if there is none.

    If that run had no validation, a validation takes as long as in the newest one that had.
    """
    folders = [RunFolder(path) for path in runs.glob("*") if (path / "config.json").is_file()]
    newest: MeasuredSpeed | None = None
    for run in sorted(folders, key=lambda run: run.config.stat().st_mtime, reverse=True):
        speed = _speed_of(run)
        if speed is None or (newest is not None and speed.device != newest.device):
            continue
        newest = newest or speed
        if speed.validation_seconds is not None:
            return replace(newest, validation_seconds=speed.validation_seconds)
    return newest


def _speed_of(run: RunFolder) -> MeasuredSpeed | None:
    voxels = _voxels_per_step(run)
    events, _ = EventReader(run.events).poll()
    start = next((event for event in reversed(events) if event["event"] == "start"), None)
    timed = next((event for event in reversed(events) if _is_timed(event)), None)
    if voxels is None or start is None or timed is None:
        return None
    speed = timed["step"] * voxels / timed["seconds"]
    return MeasuredSpeed(speed, start.get("device", ""), _validation_seconds(events))


def _voxels_per_step(run: RunFolder) -> int | None:
    """Voxels of the crops of a step; None if the run does not tell."""
    try:
        training = run.read_config()["training"]
        return int(training["batch_size"]) * int(training["crop"]) ** 3
    except (TrainingError, *DAMAGED):
        return None


def _is_timed(event: Event) -> bool:
    """Whether an event tells how long the steps took; that of a validation tells its own time."""
    is_of_steps = event["event"] in ("epoch", "progress")
    return is_of_steps and bool(event.get("seconds") and event["step"])


def _validation_seconds(events: list[Event]) -> float | None:
    """Seconds for a case of the last validation; None if no event tells them."""
    for event in reversed(events):
        if event["event"] == "validation" and event.get("seconds") is not None:
            return float(event["seconds"]) / max(1, len(event["by_case"]))
    return None


def expected_length(
    speed: MeasuredSpeed | None,
    *,
    preset: str,
    epochs: int,
    crop: int,
    batch_size: int,
    cases: int,
    validation_cases: int | None = 0,
    scores_start: bool = True,
) -> str:
    """The expected length of a run in a sentence; empty as long as its cases are not known.

    Parameters
    ----------
    speed : MeasuredSpeed or None
    preset : str
    epochs, crop, batch_size : int
        Settings of the run.
    cases : int
        Number of training cases; 0 if it is not known yet.
    validation_cases : int or None
        Number of validation cases; None if it is not known.
    scores_start : bool
        Whether the run validates its starting weights, too; it does not if they are random.
    """
    if not cases:
        return ""
    if speed is None:
        return UNKNOWN
    config = PRESETS[preset].with_changes(
        {"epochs": epochs, "crop": crop, "batch_size": batch_size}
    )
    voxels = steps_per_epoch(config, cases) * epochs * batch_size * crop**3
    validations = ceil(epochs / validation_interval(epochs)) + int(scores_start)
    seconds = voxels / speed.voxels_per_second
    seconds += validations * (validation_cases or 0) * (speed.validation_seconds or 0.0)
    unknown = validation_cases is None or (validation_cases and speed.validation_seconds is None)
    return (
        f"Expected: about {duration(seconds)} for {pluralize(cases, 'training case')}"
        f"{' and the time of the validations' if unknown else ''}, at the speed of the last run "
        f"(on {speed.device})"
    )


def validation_interval(epochs: int) -> int:
    """After how many epochs a run is validated."""
    return max(1, epochs // _VALIDATIONS_PER_RUN)
