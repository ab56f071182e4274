"""How much memory a run may take."""

from __future__ import annotations

import os
import sys
from pathlib import Path

GIGABYTE = 10**9


def available_memory() -> int:
    """Bytes of main memory this process may still take.

    The least of what the machine has left, what a container or batch system (cgroup) allows,
    and what ``ulimit -v`` allows; 4 GB where the system does not tell.
    """
    limits = [_machine(), _control_group(), _address_space()]
    return max(0, min((limit for limit in limits if limit is not None), default=4 * GIGABYTE))


def _machine() -> int | None:
    information = _fields(Path("/proc/meminfo"))
    if "MemAvailable" in information:
        return information["MemAvailable"]
    if sys.platform == "win32":
        return _windows_memory()
    try:  # macOS keeps little free on purpose: most of the rest is cache that it gives up
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 6 // 10
    except (ValueError, OSError):
        return None


def _control_group() -> int | None:
    """What is left of the memory limit of this process's group, or of one around it."""
    left = []
    for folder in _group_folders():
        try:
            limit = int((folder / "memory.max").read_text())  # "max" where there is none
            used = int((folder / "memory.current").read_text())
        except (OSError, ValueError):
            continue
        left.append(limit - used + _file_cache(folder))
    return min(left, default=None)


def _group_folders() -> list[Path]:
    root = Path("/sys/fs/cgroup")
    try:
        own = Path("/proc/self/cgroup").read_text().rpartition("::")[2].strip().lstrip("/")
    except OSError:
        return []
    return [root / own, *(root / own).parents[: len(Path(own).parts)]]


def _file_cache(folder: Path) -> int:
    """Bytes of cached files, which the kernel gives up before it kills."""
    try:
        lines = (folder / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))


def _address_space() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft == resource.RLIM_INFINITY:
        return None
    return soft - _fields(Path("/proc/self/status")).get("VmSize", 0)


def _fields(path: Path) -> dict[str, int]:
    """Lines such as ``MemFree:  1234 kB`` as bytes by name."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    rows = (line.split() for line in lines if line.endswith(" kB"))
    return {row[0].rstrip(":"): int(row[1]) * 1024 for row in rows if len(row) == 3}


def _windows_memory() -> int | None:
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            ("total", ctypes.c_ulonglong),
            ("available", ctypes.c_ulonglong),
            ("rest", ctypes.c_ulonglong * 5),
        )

    status = Status()
    status.length = ctypes.sizeof(status)
    library = ctypes.windll.kernel32  # type: ignore[attr-defined]
    return int(status.available) if library.GlobalMemoryStatusEx(ctypes.byref(status)) else None
