"""Which errors of PyTorch and OpenVINO mean that memory ran out."""

from __future__ import annotations

_OUT_OF_MEMORY_TEXTS = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "bad alloc",
    "bad_alloc",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out, on any device."""
    if isinstance(error, MemoryError):
        return True
    message = str(error).lower()
    return isinstance(error, RuntimeError) and any(t in message for t in _OUT_OF_MEMORY_TEXTS)
