"""Training in one process, or in many under ``torchrun``."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist

from smalltumor.errors import Action, Remedy, TrainingError
from smalltumor.training.optimisation.batch_norm import share_statistics


@dataclass(frozen=True)
class Processes:
    """This process, and how many train together.

    Parameters
    ----------
    rank : int
        From 0; process 0 writes to the run folder.
    count : int
    device : torch.device
        Where this process computes.
    """

    rank: int
    count: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """Whether this is process 0, the only one that writes."""
        return self.rank == 0

    def total(self, values: Tensor) -> Tensor:
        """Sum over all processes, differentiable."""
        if self.count == 1:
            return values
        summed: Tensor = _Total.apply(values)  # type: ignore[no-untyped-call]
        return summed

    def wrap(self, module: nn.Module, unused: bool) -> nn.Module:
        """The module, with gradients averaged over all processes.

        Parameters
        ----------
        module : nn.Module
            On this process's device.
        unused : bool
            Whether some parameters have no gradient in some steps.
        """
        if self.count == 1:
            return module
        ids = [self.device.index] if self.device.type == "cuda" else None
        # Weights of 1x1x1 kernels have several names for one memory layout.
        warnings.filterwarnings("ignore", message="Grad strides do not match")
        return nn.parallel.DistributedDataParallel(
            module, device_ids=ids, find_unused_parameters=unused
        )

    def share_batch_norm(self, network: nn.Module) -> nn.Module:
        """The network, with batch norms over the crops of all processes."""
        if self.count == 1:
            return network
        if self.device.type == "cuda":
            shared: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(  # type: ignore[no-untyped-call]
                network
            )
            return shared
        share_statistics(network, self.total)
        return network

    def wait(self) -> None:
        """Wait until every process has reached this point."""
        if self.count > 1:
            dist.barrier()

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """Average over all processes; each has the same names."""
        if self.count == 1:
            return values
        sums = torch.tensor(list(values.values()), dtype=torch.float32, device=self.device)
        dist.all_reduce(sums)
        return dict(zip(values, (sums / self.count).tolist(), strict=True))

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process."""
        if self.count == 1:
            return flag
        raised = torch.tensor([float(flag)], device=self.device)
        dist.all_reduce(raised)
        return bool(raised.item() > 0)

    def broadcast_count(self, count: int) -> int:
        """The number that process 0 has."""
        if self.count == 1:
            return count
        value = torch.tensor([count], device=self.device)
        dist.broadcast(value, src=0)
        return int(value.item())

    def broadcast(self, network: nn.Module) -> None:
        """Copy the parameters and statistics of process 0 to every process."""
        if self.count > 1:
            for value in network.state_dict().values():
                dist.broadcast(value, src=0)


class _Total(torch.autograd.Function):
    """Sum over processes; every process's loss depends on it, so gradients are summed too."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.clone()
        dist.all_reduce(total)
        return total


@contextmanager
def joined_processes(device: str) -> Iterator[Processes]:
    """Join the processes that ``torchrun`` started, or train alone.

    Parameters
    ----------
    device : str
        ``auto``, ``cpu``, ``cuda`` or another torch device.

    Raises
    ------
    TrainingError
        If the device cannot be used.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    chosen = training_device(device, local)
    if count == 1:
        yield Processes(0, 1, chosen)
        return
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield Processes(dist.get_rank(), count, chosen)
    finally:
        dist.destroy_process_group()


def training_device(name: str, index: int = 0) -> torch.device:
    """The device to train on; ``auto`` is CUDA where it is available, else the CPU."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda":
        name = f"cuda:{index}"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().partition("\n")[0][:150]
        remedy = Remedy(Action.CHOOSE_DEVICE)
        raise TrainingError(f"device {name} cannot be used ({reason})", remedy) from None
    return device
