"""Where a network can run, and in which precision."""

from __future__ import annotations

import contextlib
import re
import sys
import threading
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


@dataclass(frozen=True)
class DeviceChoice:
    """A device, and a warning where it is not the one that was asked for.

    Parameters
    ----------
    device : str
        As torch names it: ``cpu``, ``cuda:0``, ``mps``.
    warning : str, optional
    """

    device: str
    warning: str | None = None


def choose_device(name: str) -> DeviceChoice:
    """The device to run on.

    Parameters
    ----------
    name : str
        ``auto`` takes an NVIDIA GPU if there is one, else the CPU. An Apple GPU (``mps``) is
        only taken when asked for: torch lacks some 3D operations there.

    Raises
    ------
    SmalltumorError
        If the name is none of auto, cpu, cuda, cuda:N, mps.
    """
    if not _NAME.fullmatch(name):
        raise SmalltumorError(f"device {name!r} is not known; use auto, cpu, cuda, cuda:1 or mps")
    if name == "cpu" or (name == "auto" and not may_have_nvidia_gpu()):
        return DeviceChoice("cpu")
    import torch

    if name == "mps":
        found = torch.backends.mps.is_available()
    else:
        number = int(name.partition(":")[2] or 0)
        found = torch.cuda.is_available() and number < torch.cuda.device_count()
        name = name if name == "auto" else f"cuda:{number}"
    if found:
        return DeviceChoice("cuda:0" if name == "auto" else name)
    warning = None if name == "auto" else f"{name} is not available here; the CPU was used"
    return DeviceChoice("cpu", warning)


def may_have_nvidia_gpu() -> bool:
    """Whether it is worth a second to import torch and ask it."""
    if "torch" in sys.modules or sys.platform == "win32":
        return True
    return sys.platform == "linux" and any(Path(path).exists() for path in _NVIDIA_DRIVER)


def describe_device(device: str) -> str:
    """A device's name for people, such as ``cuda:0 (NVIDIA ...)``."""
    if device.startswith("cuda"):
        import torch

        return f"{device} ({torch.cuda.get_device_name(device)})"
    return device


def has_openvino() -> bool:
    """Whether the extra is installed; it is not imported."""
    return util.find_spec("openvino") is not None


def import_in_background(device: str, backend: str) -> None:
    """Begin to import what a run on the CPU will need, while the case is being read.

    Modules that a thread imports are there for all; what is not installed is told later.
    """

    def load() -> None:
        with contextlib.suppress(Exception):
            import openvino  # noqa: F401
            from skimage.measure import label  # noqa: F401

    on_cpu = device == "cpu" or (device == "auto" and not may_have_nvidia_gpu())
    if on_cpu and backend != "torch" and has_openvino():
        threading.Thread(target=load, daemon=True).start()


def cpu_has_bfloat16() -> bool:
    """Whether the processor computes in bfloat16 itself; where it is emulated, it is slower."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return not _BFLOAT16_FLAGS.isdisjoint(flags.split())


def torch_precision(device: str) -> torch.dtype:
    """What the network computes in on a device, as torch knows it.

    Half precision where the device has units for it: float16 on GPUs, whose rounding error is an
    eighth of bfloat16's; bfloat16 on CPUs. Else float32.
    """
    import torch

    if device.startswith("cuda"):
        return (
            torch.float16 if torch.cuda.get_device_capability(device) >= (7, 0) else torch.float32
        )
    return torch.bfloat16 if device == "cpu" and cpu_has_bfloat16() else torch.float32
