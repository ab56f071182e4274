"""Crop and batch size that fit a device's memory, estimated without torch for the plugin."""

from __future__ import annotations

BYTES_PER_VOXEL = 2900
"""Main memory for each voxel of a batch, in float32: measured 2872 for a crop of 64, and 2503 for
one of 96. bfloat16 on a GPU takes less."""

_FIXED_BYTES = 10**9
_MIN_CROP = 32
_USABLE_SHARE = 0.7
"""Share of the free memory that a step may take."""

_CPU_STEPS = ((64, 2), (64, 1), (48, 1), (32, 1))
"""Crop and batch size. Crops of 64 at most, for speed: a step of two takes 4 s on two cores, one of
96 takes 14 s."""

_GPU_STEPS = ((128, 8), (128, 4), (128, 2), (96, 2), (80, 2), (64, 2), (64, 1), (48, 1), (32, 1))


def suggest(free_bytes: int, *, gpu: bool) -> tuple[int, int]:
    """Suggest crop and batch size.

    Parameters
    ----------
    free_bytes : int
        Memory that training may use.
    gpu : bool

    Returns
    -------
    crop, batch_size : int
        The smallest known ones if nothing fits.
    """
    choices = _GPU_STEPS if gpu else _CPU_STEPS
    for crop, batch_size in choices:
        if needed_bytes(crop, batch_size) <= _USABLE_SHARE * free_bytes:
            return crop, batch_size
    return choices[-1]


def needed_bytes(crop: int, batch_size: int) -> int:
    """Estimated memory of a step, in bytes."""
    return _FIXED_BYTES + BYTES_PER_VOXEL * batch_size * crop**3


def smaller(crop: int, batch_size: int, processes: int = 1) -> dict[str, int]:
    """The next smaller step to try when one does not fit: half the batch, or else a smaller crop.

    Parameters
    ----------
    crop, batch_size : int
        Those that did not fit.
    processes : int
        Number of processes that share the batch.

    Returns
    -------
    dict
        The one setting to change; empty if there is nothing smaller.
    """
    half = batch_size // 2 // processes * processes
    if half >= 1:
        return {"batch_size": half}
    less = max(_MIN_CROP, crop * 3 // 4 // 16 * 16)
    return {"crop": less} if less < crop else {}
