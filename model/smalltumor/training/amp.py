"""Mixed precision: which number format a device trains in, and gradients that fit into it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

_SMALLEST_SCALE = 1.0


class MixedPrecision:
    """How the passes of a step are computed.

    float16 has no room below 6e-8, where gradients of rare classes live: the loss is scaled up
    before the backward pass and the gradient down after it (Micikevicius et al. 2018). A gradient
    that overflows is thrown away, and the scale halved.

    Parameters
    ----------
    device : torch.device
    dtype : torch.dtype, optional
        None for float32 throughout.

    Attributes
    ----------
    scaler : torch.amp.GradScaler
        Does nothing unless `dtype` is float16.
    """

    def __init__(self, device: torch.device, dtype: torch.dtype | None) -> None:
        self.device, self.dtype = device, dtype
        self.scaler = torch.amp.GradScaler(device.type, enabled=dtype is torch.float16)

    @classmethod
    def of(cls, device: torch.device) -> MixedPrecision:
        """bfloat16 on GPUs made for it, float16 on older ones, float32 on CPUs.

        In bfloat16 on a CPU, PyTorch 2.13 gets the weight gradient of grouped convolutions wrong
        where a crop has shrunk to 2 voxels a side, and no more than a seventh of the time is saved.
        """
        if device.type != "cuda":
            return cls(device, None)
        made_for = torch.cuda.is_bf16_supported(including_emulation=False)
        return cls(device, torch.bfloat16 if made_for else torch.float16)

    def passes(self) -> torch.autocast:
        """The context of a forward pass."""
        enabled = self.dtype is not None
        return torch.autocast(self.device.type, self.dtype or torch.bfloat16, enabled=enabled)

    def backward(self, loss: Tensor) -> None:
        """Find the gradient of a loss, times the scale."""
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]

    def clip(self, network: nn.Module, optimiser: Optimizer, largest: float) -> Tensor:
        """Take the scale out of the gradient, clip it, and give its norm before that."""
        self.scaler.unscale_(optimiser)
        return nn.utils.clip_grad_norm_(network.parameters(), largest)

    def step(self, optimiser: Optimizer) -> bool:
        """Update the weights, unless the gradient overflowed; whether it was done."""
        scale = self.scaler.get_scale()
        self.scaler.step(optimiser)
        self.scaler.update()
        return self.scaler.get_scale() >= scale

    @property
    def may_overflow(self) -> bool:
        """Whether a gradient that is not finite may be the scale's fault."""
        return self.scaler.is_enabled() and self.scaler.get_scale() > _SMALLEST_SCALE
