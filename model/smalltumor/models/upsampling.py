"""Features at twice the resolution, by trilinear interpolation."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_MIN_CHANNELS = 8
"""With fewer, products with matrices are slower than torch's interpolation."""


def upsample_trilinear(x: Tensor) -> Tensor:
    """Double the resolution along every axis, without aligned corners.

    On a GPU, torch's interpolation reads channels-last features without coalescing and adds
    gradients atomically. There each axis is multiplied by its matrix instead, which takes a fifth
    to a tenth of the time and gives the same gradient every time.

    Parameters
    ----------
    x : (b, channel, i, j, k) tensor

    Returns
    -------
    (b, channel, 2 i, 2 j, 2 k) tensor
        On a GPU in the memory format channels last.
    """
    if x.is_cuda and x.shape[1] >= _MIN_CHANNELS:
        return upsample_by_matrices(x)
    return functional.interpolate(x, scale_factor=2, mode="trilinear", align_corners=False)


def upsample_by_matrices(x: Tensor) -> Tensor:
    """As `upsample_trilinear`, with one matrix product for each axis."""
    b, c, i, j, k = x.shape
    y = x.permute(0, 2, 3, 4, 1)
    y = _matrix(i, x) @ y.reshape(b, i, j * k * c)
    y = _matrix(j, x) @ y.reshape(b * 2 * i, j, k * c)
    y = _matrix(k, x) @ y.reshape(b * 4 * i * j, k, c)
    return y.view(b, 2 * i, 2 * j, 2 * k, c).permute(0, 4, 1, 2, 3)


def _matrix(length: int, like: Tensor) -> Tensor:
    """The (2 length, length) matrix of linear interpolation."""
    columns = torch.arange(length, device=like.device)
    rows = torch.arange(2 * length, device=like.device)
    position = ((rows + 0.5) / 2 - 0.5).clamp(0, length - 1)
    return (1 - (position[:, None] - columns).abs()).clamp(min=0).to(like.dtype)
