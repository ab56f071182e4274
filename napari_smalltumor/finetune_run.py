"""From what is chosen in the dock to a plan, and from a run's status to words; no Qt."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from smalltumor.errors import SmalltumorError
from smalltumor.training.follow import RunStatus, State
from smalltumor.training.launch import Plan

RUNS = "runs"
"""Folder for runs inside the training folder, with the prepared volumes they share."""

RANDOM = "random"
"""In place of a path: start from no weights."""

_VALIDATIONS = 10


@dataclass(frozen=True)
class Choices:
    """What the dock's *Train* page is set to.

    Parameters
    ----------
    preset : str
    weights : str
        A path; empty for the shipped ones; or `RANDOM`.
    epochs, crop, batch : int
    device : str
    folds : int
        Hold out one case in so many; 0 for none.
    validation : Path, optional
        A case, or a folder of cases, to hold out instead.
    """

    preset: str
    weights: str
    epochs: int
    crop: int
    batch: int
    device: str
    folds: int = 0
    validation: Path | None = None


def plan_of(data: Path, choices: Choices) -> Plan:
    """What `smalltumor train` is to do, in a new run folder.

    Raises
    ------
    SmalltumorError
        If the shipped weights are asked for and there are none.
    """
    from smalltumor.checkpoint import starter_weights

    runs = data / RUNS
    weights = None
    if choices.weights != RANDOM:
        weights = Path(choices.weights) if choices.weights else starter_weights()
    elif choices.preset == "finetune":
        raise SmalltumorError("fine-tuning starts from weights; choose some")
    changes = {"epochs": choices.epochs, "crop": choices.crop, "batch": choices.batch}
    changes["validate-every"] = max(1, choices.epochs // _VALIDATIONS)
    if choices.validation is None and choices.folds:
        changes |= {"folds": choices.folds, "fold": 0}
    return Plan(
        data=data,
        run=new_run_folder(runs),
        preset=choices.preset,
        weights=weights,
        validation=choices.validation,
        cache=runs / "cache",
        device=choices.device,
        changes=changes,
    )


def new_run_folder(runs: Path) -> Path:
    """A folder that is not there yet, named after the time."""
    name = time.strftime("%Y-%m-%d_%H%M")
    path, number = runs / name, 2
    while path.exists():
        path, number = runs / f"{name}_{number}", number + 1
    return path


def last_run(data: Path) -> Path | None:
    """The newest run of a training folder that has left weights."""
    found = [p for p in (data / RUNS).glob("*/best.safetensors") if p.is_file()]
    return max(found, key=lambda p: p.stat().st_mtime, default=None)


def state_line(status: RunStatus) -> str:
    """What the run is doing, how far it is, and where if not here."""
    where = f" on {status.host}" if status.host else ""
    far = progress(status)
    if status.state is State.NONE:
        return "No run"
    if status.state is State.RUNNING and far:
        return f"Training{where}: {far}"
    if status.state.is_live:
        return f"{status.state.title()}{where}: {status.words}"
    if status.state is State.FAILED:
        return f"Failed{where}{f' ({far})' if far else ''}: {status.words}"
    return f"{status.words[:1].upper()}{status.words[1:]}{f' · {far}' if far else ''}"


def progress(status: RunStatus) -> str:
    """Epoch, share and time left; empty before the first epoch."""
    if not status.epoch:
        return ""
    parts = [f"epoch {status.epoch} of {status.epochs}"]
    if status.state is not State.DONE:
        parts.append(f"{status.fraction:.0%}")
    if status.seconds_left is not None:
        parts.append(f"{duration(status.seconds_left)} left")
    return " · ".join(parts)


def facts(status: RunStatus) -> list[tuple[str, str]]:
    """Throughput, memory and the like, as names and values."""
    rows: list[tuple[str, str]] = []
    if status.voxels_per_second:
        rows.append(("Throughput", f"{status.voxels_per_second / 1e3:,.0f} thousand voxels/s"))
    if status.peak_memory:
        rows.append(("Memory", f"{status.peak_memory / 1e9:.1f} GB at most"))
    if status.stem_rms:
        rows.append(("Stem features", f"{status.stem_rms:.2f} (root mean square)"))
    if status.training:
        held = f", {len(status.validation)} held out" if status.validation else ""
        cases = "1 case" if len(status.training) == 1 else f"{len(status.training)} cases"
        rows.append(("Learns from", f"{cases}{held}"))
    if status.device:
        rows.append(("Device", status.device))
    return rows


def duration(seconds: float) -> str:
    """Such as 40 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes <= 90 else f"{minutes // 60} h {minutes % 60} min"
