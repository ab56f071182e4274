"""Search for the devices of this computer and their memory, in a background thread."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from napari.qt.threading import FunctionWorker
from qtpy.QtCore import QObject

from napari_smalltumor.workers import run_in_thread

Devices = list[tuple[str, str]]
"""Pairs of a display name and PyTorch's name."""

_TORCH_LIBRARIES = ("libc10.so", "libtorch_cpu.so", "libtorch_python.so")


def find_devices(parent: QObject, found: Callable[[Devices], None]) -> FunctionWorker:
    """Search for devices in a thread.

    PyTorch, whose import takes two seconds, is imported only on a computer that may have a GPU.

    Parameters
    ----------
    parent : QObject
        `found` is not called after its deletion.
    found : callable
        Called in the thread of the window with the devices, ``auto`` first; not called if
        the search fails.
    """
    return run_in_thread(_devices, parent, found, _ignore, name="search for devices")


def find_memory(parent: QObject, found: Callable[[dict[str, int]], None]) -> FunctionWorker:
    """Find in a thread how much memory each device has for training.

    Parameters
    ----------
    parent : QObject
        `found` is not called after its deletion.
    found : callable
        Called in the thread of the window with bytes by PyTorch's name of the device: what is
        free of the main memory, and all of a GPU's memory. ``auto`` is the first GPU if there
        is one, otherwise the CPU. Not called if the search fails.
    """
    return run_in_thread(_memory, parent, found, _ignore, name="search for memory")


def _ignore(error: Exception) -> None:
    pass


def _memory() -> dict[str, int]:
    from smalltumor.inference.available_memory import available_memory

    memory = {"cpu": available_memory()}
    if any(name.startswith("cuda") for _, name in _devices()):
        import torch

        for number in range(torch.cuda.device_count()):
            memory[f"cuda:{number}"] = torch.cuda.get_device_properties(number).total_memory
    return {"auto": memory.get("cuda:0", memory["cpu"]), **memory}


def _devices() -> Devices:
    from smalltumor.inference.devices import may_have_nvidia_gpu

    cpu = (f"CPU, {os.cpu_count()} cores (cpu)", "cpu")
    if sys.platform.startswith("linux") and not may_have_nvidia_gpu():
        return [("auto", "auto"), cpu]
    load_libraries()
    import torch

    cuda = [
        (f"{torch.cuda.get_device_name(i)} (cuda:{i})", f"cuda:{i}")
        for i in range(torch.cuda.device_count())
    ]
    mps = [("Apple GPU (mps)", "mps")] if torch.backends.mps.is_available() else []
    return [("auto", "auto"), *cuda, *mps, cpu]


def load_libraries() -> None:
    """Load PyTorch's largest libraries without holding the GIL.

    An import holds the GIL while the system loads a library, for 0.3 s in the case of the
    largest, and the window would freeze for that time. The import of PyTorch then finds the
    libraries in memory. Where this function does nothing, the import loads them as usual.
    """
    if not sys.platform.startswith("linux") or "torch" in sys.modules:
        return
    torch = find_spec("torch")
    if torch is None or torch.origin is None:
        return
    load = ctypes.CDLL(None).dlopen  # ctypes releases the GIL during a call
    load.argtypes, load.restype = [ctypes.c_char_p, ctypes.c_int], ctypes.c_void_p
    for name in _TORCH_LIBRARIES:
        path = Path(torch.origin).parent / "lib" / name
        if path.is_file():
            load(os.fsencode(path), os.RTLD_LAZY)
