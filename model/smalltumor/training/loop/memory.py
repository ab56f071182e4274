"""Memory of a training process, and errors of its device."""

from __future__ import annotations

import ctypes
import sys

import torch


def keep_freed_memory() -> None:
    """Let glibc keep the memory of a step for the next instead of returning it to the system.

    By default every large tensor is mapped anew in every step, and each of its pages faults once.
    Keeping the memory reduced a step from 4.2 s to 3.0 s (two crops of 80 voxels, two cores).
    """
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # another C library
        return
    trim_threshold, mmap_max = -1, -4
    mallopt(mmap_max, 0)
    mallopt(trim_threshold, 2**31 - 1)


def peak_memory(device: torch.device) -> int:
    """Peak memory of this process in bytes: on a GPU that of its tensors, else all of it.

    0 where the system does not report it.
    """
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) if sys.platform == "darwin" else int(peak) * 1024


def is_device_failure(error: BaseException) -> bool:
    """Whether an exception means that the GPU or its driver failed."""
    text = str(error)
    return isinstance(error, RuntimeError) and ("CUDA error" in text or "NVIDIA driver" in text)
