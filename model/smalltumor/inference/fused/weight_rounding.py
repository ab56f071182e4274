"""Weights in few digits, rounded so that their errors do not add up.

Features behind ReLU are positive, and much alike from voxel to voxel. When each of a kernel's 27
weights is rounded by itself, their errors add up alike in every voxel of a region, and logits come
out shifted. Rounded one after the other, each with what was lost on the ones before, the kernel's
sum is kept, and with it what the kernel makes of features that do not change.
"""

from __future__ import annotations

import torch
from torch import Tensor


def rounded_kernels(weight: Tensor, precision: torch.dtype) -> Tensor:
    """A convolution's weights in another precision, the sum of each kernel kept.

    Parameters
    ----------
    weight : (outputs, inputs per group, i, j, k) float32 tensor
    precision : torch.dtype

    Returns
    -------
    tensor
        Of that precision; what was zero is zero.

    Notes
    -----
    The largest weights go first: what is left in the end is half the last digit of the smallest.
    """
    if precision is weight.dtype:
        return weight.clone()
    kernels = weight.flatten(2)
    order = kernels.abs().argsort(dim=-1, descending=True)
    lost = torch.zeros_like(kernels[..., 0])
    rounded = []
    for values in kernels.gather(-1, order).unbind(-1):
        nearest = torch.where(values == 0, values, values + lost).to(precision)
        lost = lost + values - nearest
        rounded.append(nearest)
    result = torch.empty_like(kernels, dtype=precision)
    return result.scatter_(-1, order, torch.stack(rounded, dim=-1)).reshape(weight.shape)
