"""Batch norm statistics: estimated on whole brains, frozen, or shared between processes.

A network trained on crops around tumours keeps running statistics of such crops. Whole brains,
mostly healthy, have others, and their masks suffer. So statistics are estimated anew on whole
brains before a network is judged or exported, and may be frozen there while training goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import torch
from torch import Tensor, nn

Total = Callable[[Tensor], Tensor]
"""Sum of a tensor over all processes, differentiable; the identity in a single one."""


def batch_norms(network: nn.Module) -> Iterator[nn.BatchNorm3d]:
    """Every batch norm of a network."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            yield module


@torch.no_grad()
def estimate_statistics(network: nn.Module, volumes: Iterable[Tensor]) -> None:
    """Set running statistics to the average over volumes.

    Parameters
    ----------
    network : SegmentationNetwork
        Changed in place; its mode is kept.
    volumes : iterable of (1, channel, i, j, k) tensor
        Whole brains; none leaves the statistics as they are.
    """
    waiting = iter(volumes)
    first = next(waiting, None)
    if first is None:
        return
    norms = list(batch_norms(network))
    momenta = [norm.momentum for norm in norms]
    training = network.training
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average over all volumes
    network.train()
    for volume in chain([first], waiting):
        for _ in network.steps(volume):  # type: ignore[operator]
            pass
    network.train(training)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def freeze_statistics(network: nn.Module) -> None:
    """Use running statistics from now on; call again after ``network.train()``."""
    for norm in batch_norms(network):
        norm.eval()


class SharedBatchNorm(nn.BatchNorm3d):
    """Batch norm over the crops of all processes; torch's own needs a GPU."""

    total: Total

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        axes = (0, 2, 3, 4)
        count = torch.tensor([x.numel() / x.shape[1]], dtype=torch.float64)
        local = torch.cat([x.double().sum(axes), x.double().square().sum(axes), count])
        sums = self.total(local)
        count = sums[-1]
        mean, square = (sums[:-1] / count).chunk(2)
        variance = square - mean * mean
        with torch.no_grad():
            momentum = self.momentum or 0.0
            unbiased = variance * count / (count - 1)
            self.running_mean.lerp_(mean.to(x.dtype), momentum)  # type: ignore[union-attr]
            self.running_var.lerp_(unbiased.to(x.dtype), momentum)  # type: ignore[union-attr]
        scale = self.weight * torch.rsqrt(variance + self.eps).to(x.dtype)
        offset = self.bias - mean.to(x.dtype) * scale
        shape = (1, -1, 1, 1, 1)
        return torch.addcmul(offset.view(shape), x, scale.view(shape))


def share_statistics(network: nn.Module, total: Total) -> None:
    """Replace every batch norm on the CPU by one that sees the crops of all processes."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.BatchNorm3d):
                shared = SharedBatchNorm(child.num_features, child.eps, child.momentum)
                shared.weight, shared.bias = child.weight, child.bias
                shared._buffers = child._buffers
                shared.total = total
                setattr(module, name, shared)
