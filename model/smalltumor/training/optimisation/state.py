"""The training state: everything a run needs to resume exactly, in one file without pickle."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from smalltumor.errors import TensorFileError, TrainingError
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.tensor_file import Tensors, read_metadata, read_tensors, write_tensors

FORMAT = "smalltumor training state (resume it, or use best.safetensors beside it)"
FORMAT_VERSION = 1


@dataclass
class TrainingProgress:
    """Progress of a run.

    Parameters
    ----------
    step : int
        Optimiser steps done.
    best_score : float
        Best validation score so far, -1 before the first.
    validations_since_best : int
    seconds : float
        Time of all steps since the start.
    elapsed : float
        Time since the start, validations included and pauses excluded, in seconds.
    frozen : bool
        Whether batch-norm statistics are frozen.
    validation_due : bool
        Whether the validation at this step was aborted and must be repeated.
    scaler : dict of str to float
        State of float16's loss scaler, see `MixedPrecision`; empty in other formats.
    """

    step: int = 0
    best_score: float = -1.0
    validations_since_best: int = 0
    seconds: float = 0.0
    elapsed: float = 0.0
    frozen: bool = False
    validation_due: bool = False
    scaler: dict[str, float] = field(default_factory=dict)


def save_state(
    path: Path,
    network: nn.Module,
    average: dict[str, Tensor],
    initial: dict[str, Tensor],
    optimiser: Optimizer,
    progress: TrainingProgress,
) -> None:
    """Write the state, whole or not at all.

    Parameters
    ----------
    path : Path
    network : MultiTaskNetwork
    average : dict of str to tensor
        Exponential moving average of its parameters.
    initial : dict of str to tensor
        Parameters at the start, if they have a share in the average.
    optimiser : torch.optim.Optimizer
    progress : TrainingProgress
    """
    tensors: Tensors = {}
    for name, value in network.state_dict().items():
        tensors[f"network.{name}"] = _array(value)
    for name, value in average.items():
        tensors[f"average.{name}"] = _array(value)
    for name, value in initial.items():
        tensors[f"initial.{name}"] = _array(value)
    for index, values in optimiser.state_dict()["state"].items():
        for name, value in values.items():
            tensors[f"optimiser.{index}.{name}"] = _array(torch.as_tensor(value))
    metadata = {"progress": json.dumps(asdict(progress))}
    write_tensors(path, tensors, FORMAT, FORMAT_VERSION, metadata, overwrite=True)


def load_state(
    path: Path,
    network: nn.Module,
    average: dict[str, Tensor],
    initial: dict[str, Tensor],
    optimiser: Optimizer,
) -> TrainingProgress:
    """Restore network, average, initial weights and optimiser; the inverse of `save_state`.

    Raises
    ------
    TrainingError
        If the file is damaged or of another network.
    """
    try:
        metadata = read_metadata(path, FORMAT, FORMAT_VERSION)
        tensors = read_tensors(path)
        progress = TrainingProgress(**json.loads(metadata["progress"]))
        parts = {name: torch.from_numpy(array) for name, array in tensors.items()}
        network.load_state_dict(_under("network.", parts))
        with torch.no_grad():
            for name, value in _under("average.", parts).items():
                average[name].copy_(value)
            for name, value in initial.items():
                value.copy_(parts[f"initial.{name}"])
        _load_optimiser(optimiser, _under("optimiser.", parts))
    except (TensorFileError, RuntimeError, *DAMAGED) as error:
        reason = " ".join(str(error).split())[:200]
        raise TrainingError(f"{path}: the run cannot be resumed from it ({reason})") from error
    return progress


def _load_optimiser(optimiser: Optimizer, values: dict[str, Tensor]) -> None:
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    for key, value in values.items():
        index, _, name = key.partition(".")
        if name != "step":  # in the memory layout of the parameter
            value = torch.empty_like(parameters[int(index)]).copy_(value)
        state.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict(optimiser.state_dict() | {"state": state})


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _array(value: Tensor) -> np.ndarray[Any, Any]:
    return np.array(value.detach().cpu().numpy(), order="C")
