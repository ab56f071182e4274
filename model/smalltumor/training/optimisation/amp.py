"""Mixed precision: the number format of a device, and gradients that fit into it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

_MIN_SCALE = 1.0


class MixedPrecision:
    """The number format of forward and backward passes.

    float16 cannot represent values below 6e-8, as gradients of rare classes have: the loss is
    scaled up before the backward pass, and the gradient down after it (Micikevicius et al. 2018).
    A gradient that overflows is discarded, and the scale halved.

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
        """bfloat16 on GPUs that support it, float16 on older ones, float32 on CPUs.

        On a CPU in bfloat16, PyTorch 2.13 computes a wrong weight gradient of grouped convolutions
        where features have 2 voxels a side, and saves only a seventh of the time.
        """
        if device.type != "cuda":
            return cls(device, None)
        supports_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
        return cls(device, torch.bfloat16 if supports_bfloat16 else torch.float16)

    def passes(self) -> torch.autocast:
        """The context of a forward pass."""
        enabled = self.dtype is not None
        return torch.autocast(self.device.type, self.dtype or torch.bfloat16, enabled=enabled)

    def backward(self, loss: Tensor) -> None:
        """Compute the gradient of the scaled loss."""
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]

    def clip(self, network: nn.Module, optimiser: Optimizer, largest: float) -> Tensor:
        """Unscale the gradient, clip it, and return its norm before clipping."""
        self.scaler.unscale_(optimiser)
        return nn.utils.clip_grad_norm_(network.parameters(), largest)

    def step(self, optimiser: Optimizer) -> bool:
        """Update the weights unless the gradient overflowed; return whether they were updated."""
        scale = self.scaler.get_scale()
        self.scaler.step(optimiser)
        self.scaler.update()
        return self.scaler.get_scale() >= scale

    @property
    def may_overflow(self) -> bool:
        """Whether a gradient that is not finite may be due to the scale."""
        return self.scaler.is_enabled() and self.scaler.get_scale() > _MIN_SCALE
