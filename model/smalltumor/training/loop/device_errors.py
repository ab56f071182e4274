"""Errors of a device on which a run trains: what failed, and what to do about it."""

from __future__ import annotations

import torch

from smalltumor.errors import Action, Remedy, TrainingError, TrainingMemoryError
from smalltumor.training.config import TrainingConfig
from smalltumor.training.memory_estimate import smaller
from smalltumor.training.optimisation.distributed import Processes


def memory_error(
    config: TrainingConfig, processes: Processes, step: int, *, is_validating: bool
) -> TrainingMemoryError:
    """The error of a run whose memory does not suffice; its remedy says what fits.

    Parameters
    ----------
    config : TrainingConfig
    processes : Processes
    step : int
        The last finished step.
    is_validating : bool
        Whether whole volumes were being segmented, of which no setting reduces the memory.
    """
    where = f"not enough memory on {processes.device} at step {step}"
    if is_validating:
        remedy = Remedy(Action.CHOOSE_DEVICE)
        return TrainingMemoryError(f"{where} to validate on whole volumes", remedy)
    changes = smaller(config.crop, config.batch_size, processes.count)
    action = Action.RESUME if changes else Action.CHOOSE_DEVICE
    crops = "1 crop" if config.batch_size == 1 else f"{config.batch_size} crops"
    return TrainingMemoryError(
        f"{where} for {crops} of {config.crop} voxels", Remedy(action, settings=changes)
    )


def device_error(device: torch.device, error: BaseException) -> TrainingError:
    """The error of a run whose GPU, or its driver, failed."""
    reason = str(error).partition("\n")[0][:150]
    return TrainingError(
        f"{device} has failed ({reason}); the state saved last is kept", Remedy(Action.RESUME)
    )
