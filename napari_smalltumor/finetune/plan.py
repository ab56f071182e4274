"""From the choices on the Train page to a run."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from smalltumor.errors import SmalltumorError
from smalltumor.training.request import TrainingRequest

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


def plan_of(data: Path, choices: Choices) -> TrainingRequest:
    """What `smalltumor train` is to do, in a new run folder.

    Raises
    ------
    SmalltumorError
        If the shipped weights are asked for and there are none.
    """
    from smalltumor.models.checkpoint import starter_weights

    runs = data / RUNS
    weights = None
    if choices.weights != RANDOM:
        weights = Path(choices.weights) if choices.weights else starter_weights()
    elif choices.preset == "finetune":
        raise SmalltumorError("fine-tuning starts from weights; choose some")
    changes = {"epochs": choices.epochs, "crop": choices.crop, "batch": choices.batch}
    changes["validate_every"] = max(1, choices.epochs // _VALIDATIONS)
    if choices.validation is None and choices.folds:
        changes |= {"folds": choices.folds, "fold": 0}
    return TrainingRequest(
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
