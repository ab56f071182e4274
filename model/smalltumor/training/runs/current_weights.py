"""The network of a run at its end, or as last saved while it is trained."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from smalltumor.errors import CheckpointError, TensorFileError, TrainingError
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.tensor_file import Tensors, parse_tensors
from smalltumor.models.checkpoint import Checkpoint, load_checkpoint
from smalltumor.training.config import TrainingConfig
from smalltumor.training.optimisation.state import FORMAT, FORMAT_VERSION
from smalltumor.training.runs.run_folder import RunFolder


def final_checkpoint(path: Path) -> Checkpoint:
    """The network at the end of a run that is done; of any other run, the `current_checkpoint`.

    The final network may be older than the last state: where a run was extended after its end,
    stopped, and then resumed with fewer epochs than were done. The last state counts then, too.

    Raises
    ------
    TrainingError
        If nothing has been saved yet.
    CheckpointError
        If the file is damaged.
    """
    run = RunFolder(path)
    if run.has(run.final) and run.is_done:
        final = load_checkpoint(run.final)
        if final.card.get("steps") in (None, run.last_step):
            return final
    return current_checkpoint(path)


def current_checkpoint(path: Path) -> Checkpoint:
    """The averaged weights of a run's last saved state.

    Parameters
    ----------
    path : Path
        The run folder; its run may still train.

    Returns
    -------
    Checkpoint
        In memory; ``card["step"]`` is the step at which it was saved. Until a run freezes its
        batch-norm statistics they are those of crops, which do not suit whole volumes; the
        card says so.

    Raises
    ------
    TrainingError
        If nothing has been saved yet, or the configuration is damaged.
    CheckpointError
        If the state is damaged.
    """
    run = RunFolder(path)
    config = _config_of(run)
    try:
        content = run.last.read_bytes()  # at once: the trainer replaces the file
    except OSError:
        raise TrainingError(f"{run.path} has saved no state yet; try again in a minute") from None
    try:
        metadata, state = parse_tensors(content, run.last, FORMAT, FORMAT_VERSION)
    except TensorFileError as error:
        raise CheckpointError(str(error), error.remedy) from error
    tensors = _averaged(state, averaged=config.has_average)
    step, is_frozen = _progress_in(metadata, run.last)
    card = {"name": f"{run.path.name}, step {step}", "step": step}
    if not is_frozen:
        card["limits"] = "batch-norm statistics are still those of crops"
    digest = hashlib.sha256(content).hexdigest()
    return Checkpoint(config.network, config.preprocessing, card, digest, None, tensors)


def _config_of(run: RunFolder) -> TrainingConfig:
    try:
        return TrainingConfig.from_dict(run.read_config()["training"])
    except DAMAGED as error:
        raise TrainingError(f"{run.config} is damaged ({error!r})") from None


def _progress_in(metadata: Mapping[str, str], path: Path) -> tuple[int, bool]:
    """The step of a state, and whether batch-norm statistics are frozen in it."""
    try:
        progress = json.loads(metadata["progress"])
        return int(progress["step"]), bool(progress["frozen"])
    except DAMAGED as error:
        raise CheckpointError(
            f"{path} is damaged: its progress cannot be read ({error!r})"
        ) from None


def _averaged(state: Tensors, *, averaged: bool) -> Tensors:
    """The segmentation path of a training state."""
    names = ("network.", "average.") if averaged else ("network.",)
    return {
        name.removeprefix(prefix): np.asarray(array)
        for prefix in names
        for name, array in state.items()
        if name.startswith(prefix) and "u_module" not in name and "num_batches" not in name
    }
