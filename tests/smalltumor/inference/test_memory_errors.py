"""Which errors mean that memory ran out."""

from __future__ import annotations

import pytest
import torch
from smalltumor.inference.memory_errors import is_out_of_memory


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes"),
        RuntimeError("bad allocation"),
        RuntimeError("Exception from src/inference/src/cpp/core.cpp: std::bad_alloc"),
    ],
)
def test_errors_of_each_allocator_are_recognised(error):
    assert is_out_of_memory(error)


@pytest.mark.parametrize("error", [RuntimeError("shape mismatch"), ValueError("out of memory")])
def test_other_errors_are_not(error):
    assert not is_out_of_memory(error)
