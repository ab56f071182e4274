"""The choice of device and precision."""

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
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU {device}")


@pytest.mark.parametrize(
    ("name", "device"),
    [("auto", "cuda:0"), ("cuda", "cuda:0"), ("cuda:1", "cuda:1"), ("cpu", "cpu")],
)
def test_auto_chooses_a_gpu_if_there_is_one(two_gpus, name, device):
    assert choose_device(name) == DeviceChoice(device)


def test_a_missing_device_gives_a_warning_and_an_unknown_one_is_refused(two_gpus, monkeypatch):
    assert choose_device("cuda:2").device == "cpu"
    assert choose_device("cuda:2").warning == "cuda:2 is not available here; the CPU was used"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("mps") == DeviceChoice("mps")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("mps").device == "cpu"
    for name in ("gpu", "cuda:", "cuda:-1", "CPU"):
        with pytest.raises(SmalltumorError, match="is unknown; use auto, cpu"):
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


def test_a_gpu_is_described_by_its_name(two_gpus):
    assert describe_device("cuda:1") == "cuda:1 (GPU cuda:1)"
    assert describe_device("cpu") == "cpu"


def test_half_precision_is_used_on_devices_with_instructions_for_it(monkeypatch):
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
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
        content = f"processor : 0\nflags\t\t: {flags}\n"
        monkeypatch.setattr(Path, "read_text", lambda self, encoding, content=content: content)
        assert cpu_has_bfloat16() == (precision is torch.bfloat16)
        assert torch_precision("cpu") is precision
    assert torch_precision("mps") is torch.float32


@pytest.mark.parametrize(
    ("limit", "allowed"),
    [
        ("AVX2", False),
        ("avx512_core", False),
        ("AVX512_CORE_BF16", True),
        ("AVX10_1_512_AMX", True),
        ("DEFAULT", True),
    ],
)
def test_a_limit_of_onednn_on_instruction_sets_is_respected(monkeypatch, limit, allowed):
    monkeypatch.setattr(Path, "read_text", lambda self, encoding: "flags : avx512_bf16 amx_bf16\n")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert cpu_has_bfloat16() == allowed


def test_without_information_about_the_processor_bfloat16_is_not_used(monkeypatch):
    def absent(self, encoding):
        raise FileNotFoundError(self)

    monkeypatch.setattr(Path, "read_text", absent)
    assert not cpu_has_bfloat16()
