"""Peak memory, and the smaller step to try when one does not fit."""

from __future__ import annotations

import ctypes
import resource
import sys
from types import SimpleNamespace

import pytest
import torch
from smalltumor.training.loop import memory
from smalltumor.training.loop.memory import keep_freed_memory, peak_memory
from smalltumor.training.memory_estimate import smaller


@pytest.mark.parametrize(
    ("crop", "batch_size", "processes", "less"),
    [
        (96, 4, 1, {"batch_size": 2}),
        (96, 6, 2, {"batch_size": 2}),
        (96, 1, 1, {"crop": 64}),
        (128, 2, 2, {"crop": 96}),
        (48, 1, 1, {"crop": 32}),
        (32, 1, 1, {}),
    ],
)
def test_half_the_batch_is_tried_then_a_smaller_crop(crop, batch_size, processes, less):
    assert smaller(crop, batch_size, processes) == less


def test_peak_memory_is_in_bytes_on_every_system(monkeypatch):
    cpu = torch.device("cpu")
    monkeypatch.setattr(resource, "getrusage", lambda who: SimpleNamespace(ru_maxrss=3000))
    for system, peak in (("linux", 3000 * 1024), ("darwin", 3000), ("win32", 0)):
        monkeypatch.setattr(memory.sys, "platform", system)
        assert peak_memory(cpu) == peak
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 77)
    assert peak_memory(torch.device("cuda", 0)) == 77


def test_without_glibc_the_allocator_is_left_alone(monkeypatch):
    asked = []

    def absent(name):
        asked.append(name)
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", absent)
    keep_freed_memory()
    assert asked == (["libc.so.6"] if sys.platform == "linux" else [])
    monkeypatch.setattr(memory.sys, "platform", "darwin")
    keep_freed_memory()
    assert len(asked) <= 1
