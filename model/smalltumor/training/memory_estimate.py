"""Crop and batch that fit a device's memory; no torch is needed to say so."""

from __future__ import annotations

BYTES_PER_VOXEL = 2900
"""Of main memory for each voxel of a batch, in float32: 2872 for a crop of 64, 2503 for one of
96. bfloat16 on a GPU takes less."""

_FIXED_BYTES = 10**9
_SHARE = 0.7
_CPU = ((64, 2), (64, 1), (48, 1), (32, 1))
"""A crop of 64 is not for memory: a step of two took 4 s on two cores, one of 96 alone 14 s."""

_GPU = ((128, 8), (128, 4), (128, 2), (96, 2), (80, 2), (64, 2), (64, 1), (48, 1), (32, 1))


def suggest(free_bytes: int, *, gpu: bool) -> tuple[int, int]:
    """Crop and batch to start with.

    Parameters
    ----------
    free_bytes : int
        Memory that training may take.
    gpu : bool

    Returns
    -------
    crop, batch : int
        The smallest there are if nothing fits.
    """
    choices = _GPU if gpu else _CPU
    for crop, batch in choices:
        if needed_bytes(crop, batch) <= _SHARE * free_bytes:
            return crop, batch
    return choices[-1]


def needed_bytes(crop: int, batch: int) -> int:
    """Memory that a step takes, roughly."""
    return _FIXED_BYTES + BYTES_PER_VOXEL * batch * crop**3
