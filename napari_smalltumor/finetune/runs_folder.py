"""The folder of the runs in a training folder."""

from __future__ import annotations

from pathlib import Path

from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.runs.run_lock import is_locked

RUNS = "runs"
"""Folder of the runs in the training folder, with the prepared volumes that they share."""


def last_run(data: Path) -> Path | None:
    """The run folder in a training folder whose best weights are the newest."""
    best = [path for path in (data / RUNS).glob("*/best.safetensors") if path.is_file()]
    newest = max(best, key=lambda path: path.stat().st_mtime, default=None)
    return newest.parent if newest is not None else None


def is_training(data: Path) -> bool:
    """Whether a run in a training folder is training."""
    return any(is_locked(RunFolder(path)) for path in (data / RUNS).glob("*") if path.is_dir())
