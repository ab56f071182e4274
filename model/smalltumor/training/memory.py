"""Memory and devices: the allocator's habits, and what to say when there is not enough of them."""

from __future__ import annotations

import ctypes
import sys

import torch

_WORDS = ("out of memory", "can't allocate memory", "not enough memory", "bad allocation")
_SMALLEST_CROP = 32


def keep_freed_memory() -> None:
    """Let glibc keep the memory of a step for the next instead of giving it back.

    By default every large tensor is mapped anew and each of its pages faults once, in every
    step: without that, a step took 3.0 s instead of 4.2 s (two crops of 80 voxels, two cores).
    """
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # another libc has other habits
        return
    trim_threshold, mmap_max = -1, -4
    mallopt(mmap_max, 0)
    mallopt(trim_threshold, 2**31 - 1)


def peak_memory(device: torch.device) -> int:
    """The most bytes this process has held so far: on a GPU of its tensors, else altogether.

    0 where the system does not tell.
    """
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) if sys.platform == "darwin" else int(peak) * 1024


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out, on the GPU or on the CPU."""
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(w in str(error).lower() for w in _WORDS)


def is_device_failure(error: BaseException) -> bool:
    """Whether an exception says that the GPU or its driver has gone."""
    words = str(error)
    return isinstance(error, RuntimeError) and ("CUDA error" in words or "NVIDIA driver" in words)


def smaller(crop: int, batch: int, processes: int = 1) -> dict[str, int]:
    """What to try when a step does not fit: half the batch, or else a smaller crop.

    Parameters
    ----------
    crop, batch : int
        That did not fit.
    processes : int
        Which share the batch.

    Returns
    -------
    dict
        The one setting that changes; empty if there is nothing smaller.
    """
    half = batch // 2 // processes * processes
    if half >= 1:
        return {"batch": half}
    less = max(_SMALLEST_CROP, crop * 3 // 4 // 16 * 16)
    return {"crop": less} if less < crop else {}
