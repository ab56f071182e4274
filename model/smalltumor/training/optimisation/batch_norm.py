"""Batch-norm statistics: estimated on whole brains, frozen, or shared between processes.

A network trained on crops around tumours keeps running statistics of such crops. Whole brains are
mostly healthy and have other statistics, which makes their masks worse. So the statistics are
estimated on whole brains before a network is validated or exported, and may then be frozen while
training continues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

Total = Callable[[Tensor], Tensor]
"""Sum of a tensor over all processes, differentiable; the identity in a single one."""


def batch_norms(network: nn.Module) -> Iterator[nn.BatchNorm3d]:
    """Every batch norm of a network."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            yield module


def estimate_statistics(network: nn.Module, volumes: Iterable[Tensor]) -> None:
    """Set running statistics to the plain average over volumes.

    Parameters
    ----------
    network : SegmentationNetwork
        Changed in place; its mode and its momenta are kept.
    volumes : iterable of (1, channel, i, j, k) tensor
        Whole brains; without any the statistics stay as they are.
    """
    remaining = iter(volumes)
    first = next(remaining, None)
    if first is not None:  # without a volume update_bn would reset the statistics
        update_bn(chain([first], remaining), network)


def freeze_statistics(network: nn.Module) -> None:
    """Use the running statistics; to be called again after ``network.train()``."""
    for norm in batch_norms(network):
        norm.eval()


class SharedBatchNorm(nn.BatchNorm3d):
    """Batch norm over the crops of all processes, by hand because torch's own needs a GPU."""

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
    """Replace every batch norm by a `SharedBatchNorm`."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.BatchNorm3d):
                shared = SharedBatchNorm(child.num_features, child.eps, child.momentum)
                shared.weight, shared.bias = child.weight, child.bias
                shared._buffers = child._buffers
                shared.total = total
                setattr(module, name, shared)
