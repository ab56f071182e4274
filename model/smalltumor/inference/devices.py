"""Choice of the device and of the precision."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.errors import SmalltumorError

if TYPE_CHECKING:
    import torch

_NAME = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
_NVIDIA_DRIVER = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg")
_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}
_ISA_LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
"""Environment variables that limit the instruction sets of oneDNN, used by PyTorch and OpenVINO."""

_ISA_WITHOUT_BFLOAT16 = {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2"}
_ISA_WITHOUT_BFLOAT16 |= {"AVX512_CORE", "AVX512_CORE_VNNI"}


@dataclass(frozen=True)
class DeviceChoice:
    """A device, and a warning if it is not the requested one.

    Parameters
    ----------
    device : str
        Its name in torch: ``cpu``, ``cuda:0``, ``mps``.
    warning : str, optional
        Why the requested device is not used.
    """

    device: str
    warning: str | None = None


def choose_device(name: str) -> DeviceChoice:
    """Choose the device to run on.

    Parameters
    ----------
    name : str
        ``auto`` selects an NVIDIA GPU if there is one, otherwise the CPU. It never selects an Apple
        GPU (``mps``), for which torch lacks some 3D operations.

    Raises
    ------
    SmalltumorError
        If the name is not one of auto, cpu, cuda, cuda:N, mps.
    """
    if not _NAME.fullmatch(name):
        raise SmalltumorError(f"device {name!r} is unknown; use auto, cpu, cuda, cuda:1 or mps")
    if name == "cpu" or (name == "auto" and not may_have_nvidia_gpu()):
        return DeviceChoice("cpu")
    import torch

    if name == "mps":
        available = torch.backends.mps.is_available()
    else:
        number = int(name.partition(":")[2] or 0)
        available = torch.cuda.is_available() and number < torch.cuda.device_count()
        name = name if name == "auto" else f"cuda:{number}"
    if available:
        return DeviceChoice("cuda:0" if name == "auto" else name)
    warning = None if name == "auto" else f"{name} is not available here; the CPU was used"
    return DeviceChoice("cpu", warning)


def may_have_nvidia_gpu() -> bool:
    """Whether an NVIDIA driver may be installed.

    A quick check before torch is imported, which takes a second.
    """
    if "torch" in sys.modules or sys.platform == "win32":
        return True
    return sys.platform == "linux" and any(Path(path).exists() for path in _NVIDIA_DRIVER)


def describe_device(device: str) -> str:
    """A device's name for display, such as ``cuda:0 (NVIDIA H100)``."""
    if device.startswith("cuda"):
        import torch

        return f"{device} ({torch.cuda.get_device_name(device)})"
    return device


def has_openvino() -> bool:
    """Whether OpenVINO is installed; does not import it."""
    return util.find_spec("openvino") is not None


def cpu_has_bfloat16() -> bool:
    """Whether oneDNN can use bfloat16 instructions; without them float32 is faster."""
    limit = next((os.environ[name] for name in _ISA_LIMITS if name in os.environ), "")
    if limit.upper() in _ISA_WITHOUT_BFLOAT16:
        return False
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return not _BFLOAT16_FLAGS.isdisjoint(flags.split())


def torch_precision(device: str) -> torch.dtype:
    """The precision in which the network is computed on a device.

    Half precision if the device has instructions for it, otherwise float32. Half precision is
    bfloat16 on CPUs, and float16 on GPUs, where its rounding error is an eighth of bfloat16's.
    """
    import torch

    if device.startswith("cuda"):
        return (
            torch.float16 if torch.cuda.get_device_capability(device) >= (7, 0) else torch.float32
        )
    return torch.bfloat16 if device == "cpu" and cpu_has_bfloat16() else torch.float32
