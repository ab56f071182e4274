"""The devices of this machine by their real names, found without holding up the window."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from napari.qt.threading import FunctionWorker, create_worker

from napari_smalltumor.workers import reserve_threads_for_qt

Devices = list[tuple[str, str]]

_TORCH_LIBRARIES = ("libc10.so", "libtorch_cpu.so", "libtorch_python.so")


def find_devices(found: Callable[[Devices], None]) -> FunctionWorker:
    """Look for devices in a thread and hand them to `found` in the window's own.

    Only a machine that may have a GPU imports torch for it, which takes two seconds.

    Parameters
    ----------
    found : callable
        Takes pairs of a name for people and one for torch, "auto" first.
    """
    reserve_threads_for_qt()
    worker = create_worker(_devices, _ignore_errors=True)
    worker.returned.connect(found)
    worker.start()
    return worker


def find_memory(found: Callable[[dict[str, int]], None]) -> FunctionWorker:
    """Look, in a thread, how many bytes each device has for training, by its name for torch.

    Main memory is what is left of it, a GPU's all it has; ``auto`` is the first GPU's, if any.
    """
    reserve_threads_for_qt()
    worker = create_worker(_memory, _ignore_errors=True)
    worker.returned.connect(found)
    worker.start()
    return worker


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
    """Load torch's largest libraries without Python's lock.

    An import holds the lock while the system loads a library, 0.3 s for the largest; the window
    would stand still. A library that is in memory already costs the import nothing. Where this
    does not work the import does it all, as usual.
    """
    if not sys.platform.startswith("linux") or "torch" in sys.modules:
        return
    torch = find_spec("torch")
    if torch is None or torch.origin is None:
        return
    load = ctypes.CDLL(None).dlopen  # a call through ctypes lets go of the lock
    load.argtypes, load.restype = [ctypes.c_char_p, ctypes.c_int], ctypes.c_void_p
    for name in _TORCH_LIBRARIES:
        path = Path(torch.origin).parent / "lib" / name
        if path.is_file():
            load(os.fsencode(path), os.RTLD_LAZY)
