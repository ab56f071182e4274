"""Convolutions with fused norms, and the activations between them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from smalltumor.models.units import PreactivatedConv

VECTOR_CHANNELS = 8
"""Number of float32 values in an AVX2 vector register."""

_NO_EPS = 1e-30
"""Added to 1 it is lost; some versions of torch refuse 0."""

_ONEDNN = bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]
_ONEDNN_BFLOAT16 = _ONEDNN and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


class FixedConv(nn.Module):
    """A convolution with the geometry of another one and given weights.

    Parameters
    ----------
    source : nn.Conv3d
        Convolution that provides stride, padding and dilation.
    weight : (outputs, inputs per group, i, j, k) tensor
    bias : (outputs,) tensor, optional
    groups : int
    precision : torch.dtype
        Precision of input, output and weights; the bias is float32.
    wide : bool
        Compute and return float32, with weights rounded to `precision`.
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
            # With one thread torch would select its own kernels, which take twice as long here.
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
        # batch_norm accepts half-precision features with a float32 scale and shift.
        return functional.batch_norm(x, self.zero, self.one, self.scale, self.shift, eps=_NO_EPS)


class RelativeReLU(nn.Module):
    """In-place ReLU of features from which those of background are subtracted.

    Zero padding of the output is equivalent to padding with background. With b the ReLU of
    background, ``max(0, x) - b`` equals ``max(x - b, -b)``.

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
        if _is_traced():
            return torch.maximum(x, self.least)
        return torch.maximum(x, self.least, out=x)


class PointwiseSum(nn.Module):
    """A pre-activated convolution without padding, applied to several inputs without concatenation.

    Parameters
    ----------
    source : PreactivatedConv
        With a kernel of 1x1x1 voxels, or of 2x2x2 voxels at a stride of 2.
    parts : list of int
        Channels of each input.
    output_map : (outputs, channels of the source) tensor, optional
        A linear map of the output, fused into the weights.
    bias : (outputs,) tensor, optional
    precision, wide
        See `FixedConv`.
    """

    def __init__(
        self,
        source: PreactivatedConv,
        parts: list[int],
        output_map: Tensor | None = None,
        bias: Tensor | None = None,
        precision: torch.dtype = torch.float32,
        wide: bool = False,
    ) -> None:
        super().__init__()
        scale, shift = norm_scale_and_shift(source.norm)
        weight = source.conv.weight
        if output_map is not None:
            weight = torch.einsum("om,mcijk->ocijk", output_map, weight)
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
        return sum_in_place(conv(activation(x)) for activation, conv, x in pairs)


def _runs_on_onednn(x: Tensor) -> bool:
    if x.device.type != "cpu" or _is_traced():
        return False
    return _ONEDNN_BFLOAT16 if x.dtype is torch.bfloat16 else _ONEDNN


def _is_traced() -> bool:
    """Whether the network is being converted to another format, by either exporter of torch."""
    return bool(torch.jit.is_tracing() or torch.compiler.is_compiling())  # type: ignore


def sum_in_place(terms: Iterable[Tensor]) -> Tensor:
    """The sum of tensors, computed in the memory of the first one."""
    total: Tensor | None = None
    for term in terms:
        total = term if total is None else total.add_(term)
    assert total is not None
    return total


def norm_scale_and_shift(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Scale and shift (channel,) of a batch norm in evaluation mode, ``x * scale + shift``."""
    assert isinstance(norm, nn.BatchNorm3d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return scale, norm.bias - norm.running_mean * scale


def round_kernels(weight: Tensor, precision: torch.dtype) -> Tensor:
    """A convolution's weights in another precision, with the sum of each kernel preserved.

    Features after ReLU are positive and vary little between neighbouring voxels. If each of the 27
    weights of a kernel is rounded to nearest, the errors add up to the same offset in all voxels of
    a region, which shifts the logits. Here each rounding error is added to the next weight (error
    diffusion), so the kernel's sum and its response to constant features are preserved.

    Parameters
    ----------
    weight : (outputs, inputs per group, i, j, k) float32 tensor
    precision : torch.dtype

    Returns
    -------
    tensor
        In that precision; zeros remain zero.

    Notes
    -----
    Weights are rounded from the largest to the smallest, so the error of the sum is half a unit in
    the last place of the smallest weight.
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
    """Merge groups of few channels; weights between merged groups are zero.

    Vector instructions compute `VECTOR_CHANNELS` channels at once. Measured on two cores with
    AVX2: the last decoder's groups of 2 input and 2 output channels are fastest as 8 and 8
    (1.4 times faster), the first encoder's groups of 2 and 8 as 4 and 16 (2 times); groups of 8 and
    8 are fastest unchanged.
    """
    outputs, inputs = weight.shape[0] // groups, weight.shape[1]
    merged = math.isqrt(VECTOR_CHANNELS**2 // (inputs * outputs))
    if groups == 1 or merged < 2 or groups % merged:
        return weight, groups
    return merge_groups(weight, groups, groups // merged), groups // merged


def merge_groups(weight: Tensor, groups: int, fewer: int) -> Tensor:
    """Weights (out, in / groups, i, j, k) of the same convolution in fewer groups.

    Weights between merged groups are zero.
    """
    outputs, inputs = weight.shape[0] // groups, weight.shape[1]
    merged = groups // fewer
    wide = weight.new_zeros(weight.shape[0], inputs * merged, *weight.shape[2:])
    for group in range(groups):
        rows = slice(group * outputs, (group + 1) * outputs)
        first = group % merged * inputs
        wide[rows, first : first + inputs] = weight[rows]
    return wide
