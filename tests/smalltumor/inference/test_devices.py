"""Which device is taken, and in which precision it computes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from smalltumor.errors import SmalltumorError
from smalltumor.inference import devices
from smalltumor.inference.devices import (
    DeviceChoice,
    choose_device,
    cpu_has_bfloat16,
    describe_device,
    may_have_nvidia_gpu,
    torch_precision,
)


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"made {device}")


@pytest.mark.parametrize(
    ("asked", "taken"),
    [("auto", "cuda:0"), ("cuda", "cuda:0"), ("cuda:1", "cuda:1"), ("cpu", "cpu")],
)
def test_a_gpu_is_taken_where_there_is_one(two_gpus, asked, taken):
    assert choose_device(asked) == DeviceChoice(taken)


def test_a_device_that_is_not_there_is_told_and_an_unknown_one_refused(two_gpus, monkeypatch):
    assert choose_device("cuda:2").device == "cpu"
    assert choose_device("cuda:2").warning == "cuda:2 is not available here; the CPU was used"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("mps") == DeviceChoice("mps")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("mps").device == "cpu"
    for name in ("gpu", "cuda:", "cuda:-1", "CPU"):
        with pytest.raises(SmalltumorError, match="is not known; use auto, cpu"):
            choose_device(name)


def test_torch_is_not_imported_to_find_no_gpu(monkeypatch, tmp_path):
    monkeypatch.delitem(sys.modules, "torch")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(devices, "_NVIDIA_DRIVER", (str(tmp_path / "driver"),))
    assert not may_have_nvidia_gpu()
    assert choose_device("auto") == DeviceChoice("cpu")
    assert "torch" not in sys.modules
    (tmp_path / "driver").touch()
    assert may_have_nvidia_gpu()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not may_have_nvidia_gpu()


def test_a_gpu_is_called_by_its_name(two_gpus):
    assert describe_device("cuda:1") == "cuda:1 (made cuda:1)"
    assert describe_device("cpu") == "cpu"


def test_half_precision_is_used_where_there_are_units_for_it(monkeypatch):
    for capability, precision in (((9, 0), torch.float16), ((6, 1), torch.float32)):
        monkeypatch.setattr(
            torch.cuda, "get_device_capability", lambda device, found=capability: found
        )
        assert torch_precision("cuda:0") is precision
    for flags, precision in (
        ("fpu avx512_bf16", torch.bfloat16),
        ("fpu amx_bf16 sse", torch.bfloat16),
        ("fpu avx512f", torch.float32),
    ):
        told = f"processor : 0\nflags\t\t: {flags}\n"
        monkeypatch.setattr(Path, "read_text", lambda self, told=told: told)
        assert cpu_has_bfloat16() == (precision is torch.bfloat16)
        assert torch_precision("cpu") is precision
    assert torch_precision("mps") is torch.float32


def test_a_processor_that_tells_nothing_has_no_such_units(monkeypatch):
    def absent(self):
        raise FileNotFoundError(self)

    monkeypatch.setattr(Path, "read_text", absent)
    assert not cpu_has_bfloat16()
