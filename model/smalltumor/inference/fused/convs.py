"""Convolutions whose weights have the surrounding norms fused into them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from smalltumor.models.network import PreactivatedConv

FULL_GROUP = 8
"""Float32 numbers in a vector register of most processors."""

_ONEDNN = bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]
_ONEDNN_BFLOAT16 = _ONEDNN and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


class FixedConv(nn.Module):
    """A convolution with the geometry of another one and given weights.

    Parameters
    ----------
    source : nn.Conv3d
        Gives stride, padding and dilation.
    weight : (outputs, inputs per group, i, j, k) tensor
    bias : (outputs,) tensor, optional
    groups : int
    precision : torch.dtype
        Of input, output and weights; the bias is float32.
    wide : bool
        Compute in float32 nevertheless, with rounded weights, and return float32.
    """

    weight: Tensor
    bias: Tensor | None

    def __init__(
        self,
        source: nn.Conv3d,
        weight: Tensor,
        bias: Tensor | None = None,
        groups: int = 1,
        precision: torch.dtype = torch.float32,
        wide: bool = False,
    ) -> None:
        super().__init__()
        weight, self.groups = _merge_narrow_groups(weight.detach(), groups)
        weight = round_kernels(weight, precision)
        self.register_buffer("weight", weight.float() if wide else weight)
        self.register_buffer("bias", None if bias is None else bias.detach().clone())
        self.stride, self.padding = list(source.stride), [int(p) for p in source.padding]
        self.dilation = list(source.dilation)

    def forward(self, x: Tensor) -> Tensor:
        x = x.to(self.weight.dtype)
        geometry = self.stride, self.padding, self.dilation, self.groups
        if _runs_on_onednn(x):
            # With one thread torch prefers its own kernels, which are half as fast here.
            stride, padding, dilation, groups = geometry
            return torch.mkldnn_convolution(
                x, self.weight, self.bias, padding, stride, dilation, groups
            )
        bias = None if self.bias is None else self.bias.to(x.dtype)
        return functional.conv3d(x, self.weight, bias, *geometry)


class Norm(nn.Module):
    """A norm with fixed statistics: ``x * scale + shift``.

    Parameters
    ----------
    scale, shift : (channels,) tensor
    """

    scale: Tensor
    shift: Tensor
    zero: Tensor
    one: Tensor

    def __init__(self, scale: Tensor, shift: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale.clone())
        self.register_buffer("shift", shift.clone())
        self.register_buffer("zero", torch.zeros_like(shift))
        self.register_buffer("one", torch.ones_like(scale))

    def forward(self, x: Tensor) -> Tensor:
        # Unlike a product and a sum, it accepts half-precision features with float32 statistics.
        return functional.batch_norm(x, self.zero, self.one, self.scale, self.shift, eps=0.0)


class RelativeReLU(nn.Module):
    """In-place ReLU of features relative to those of background.

    Input and output have the features of background subtracted, so zero padding of the output is
    background. With b the ReLU of background, ``max(0, x) - b`` equals ``max(x - b, -b)``.

    Parameters
    ----------
    background : (channels,) tensor
        The ReLU of background, in the precision of the features.
    """

    least: Tensor

    def __init__(self, background: Tensor) -> None:
        super().__init__()
        self.register_buffer("least", -background.reshape(1, -1, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        if torch.jit.is_tracing():  # type: ignore
            return torch.maximum(x, self.least)
        return torch.maximum(x, self.least, out=x)


class PointwiseSum(nn.Module):
    """A pre-activated convolution without padding, of inputs that need not be concatenated.

    Parameters
    ----------
    source : PreactivatedConv
        Its kernel has 1x1x1 voxels, or 2x2x2 at a stride of 2.
    parts : list of int
        Channels of each input.
    behind : (outputs, channels of the source) tensor, optional
        A linear map of the output; only the mapped output is computed.
    bias : (outputs,) tensor, optional
    precision, wide
        See `FixedConv`.
    """

    def __init__(
        self,
        source: PreactivatedConv,
        parts: list[int],
        behind: Tensor | None = None,
        bias: Tensor | None = None,
        precision: torch.dtype = torch.float32,
        wide: bool = False,
    ) -> None:
        super().__init__()
        scale, shift = affine(source.norm)
        weight = source.conv.weight
        if behind is not None:
            weight = torch.einsum("om,mcijk->ocijk", behind, weight)
        self.activations = nn.ModuleList(
            nn.Sequential(Norm(s, b), nn.ReLU(inplace=True))
            for s, b in zip(torch.split(scale, parts), torch.split(shift, parts), strict=True)
        )
        biases: list[Tensor | None] = [bias] + [None] * (len(parts) - 1)
        self.convs = nn.ModuleList(
            FixedConv(source.conv, part, b, precision=precision, wide=wide)
            for part, b in zip(torch.split(weight, parts, dim=1), biases, strict=True)
        )

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        pairs = zip(self.activations, self.convs, inputs, strict=True)
        return added(conv(activation(x)) for activation, conv, x in pairs)


def _runs_on_onednn(x: Tensor) -> bool:
    if x.device.type != "cpu" or torch.jit.is_tracing():  # type: ignore
        return False
    return _ONEDNN_BFLOAT16 if x.dtype is torch.bfloat16 else _ONEDNN


def added(terms: Iterable[Tensor]) -> Tensor:
    """The sum of tensors, computed in the memory of the first one."""
    total: Tensor | None = None
    for term in terms:
        total = term if total is None else total.add_(term)
    assert total is not None
    return total


def affine(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Scale and shift of a batch norm in evaluation mode."""
    assert isinstance(norm, nn.BatchNorm3d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return scale, norm.bias - norm.running_mean * scale


def round_kernels(weight: Tensor, precision: torch.dtype) -> Tensor:
    """A convolution's weights in another precision, with the sum of each kernel preserved.

    Features behind ReLU are positive and vary little between neighbouring voxels. If each of a
    kernel's 27 weights is rounded to nearest, the errors add up to the same offset in all voxels of
    a region, and the logits are shifted. Here each rounding error is added to the next weight
    (error diffusion), so the kernel's sum and its response to constant features are preserved.

    Parameters
    ----------
    weight : (outputs, inputs per group, i, j, k) float32 tensor
    precision : torch.dtype

    Returns
    -------
    tensor
        Of that precision; zeros stay zeros.

    Notes
    -----
    The largest weights are rounded first, so the remaining error is half a unit in the last place
    of the smallest one.
    """
    if precision is weight.dtype:
        return weight.clone()
    kernels = weight.flatten(2)
    order = kernels.abs().argsort(dim=-1, descending=True)
    error = torch.zeros_like(kernels[..., 0])
    rounded = []
    for values in kernels.gather(-1, order).unbind(-1):
        nearest = torch.where(values == 0, values, values + error).to(precision)
        error = error + values - nearest
        rounded.append(nearest)
    result = torch.empty_like(kernels, dtype=precision)
    return result.scatter_(-1, order, torch.stack(rounded, dim=-1)).reshape(weight.shape)


def _merge_narrow_groups(weight: Tensor, groups: int) -> tuple[Tensor, int]:
    """The same grouped convolution in fewer groups, padded with zeros.

    Vector instructions compute `FULL_GROUP` channels at once. Measured on two cores with AVX2: the
    last decoder's groups of 2 to 2 channels are fastest as 8 to 8 (1.4 times), the first encoder's
    groups of 2 to 8 as 4 to 16 (2 times); groups of 8 to 8 are fastest unchanged.
    """
    outputs, inputs = weight.shape[0] // groups, weight.shape[1]
    merged = math.isqrt(FULL_GROUP**2 // (inputs * outputs))
    if groups == 1 or merged < 2 or groups % merged:
        return weight, groups
    return merge_groups(weight, groups, groups // merged), groups // merged


def merge_groups(weight: Tensor, groups: int, fewer: int) -> Tensor:
    """The weights of the same convolution in fewer groups, with zeros between the old groups."""
    outputs, inputs = weight.shape[0] // groups, weight.shape[1]
    merged = groups // fewer
    wide = weight.new_zeros(weight.shape[0], inputs * merged, *weight.shape[2:])
    for group in range(groups):
        rows = slice(group * outputs, (group + 1) * outputs)
        first = group % merged * inputs
        wide[rows, first : first + inputs] = weight[rows]
    return wide
