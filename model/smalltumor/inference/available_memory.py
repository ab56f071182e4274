"""Available memory."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

GIGABYTE = 10**9


def available_memory() -> int:
    """Bytes of main memory that this process can still allocate.

    The minimum of the memory available on the machine, the remainder of the cgroup limits set by a
    container or batch system, and the remainder of ``ulimit -v``.
    """
    limits: list[int | None]
    limits = [psutil.virtual_memory().available, _control_group(), _address_space()]
    return max(0, min(limit for limit in limits if limit is not None))


# psutil reads the memory of the machine, but neither cgroup limits nor RLIMIT_AS.


def _control_group() -> int | None:
    """Bytes left under the memory limits of this process's cgroup and its parent groups."""
    remaining = []
    for folder in _group_folders():
        try:
            limit = _bytes_in(folder / "memory.max")
            used = _bytes_in(folder / "memory.current")
        except (OSError, ValueError):
            continue
        remaining.append(limit - used + _file_cache(folder))
    return min(remaining, default=None)


def _bytes_in(file: Path) -> int:
    return int(file.read_text(encoding="ascii"))  # a ValueError of "max", which is no limit


def _group_folders() -> list[Path]:
    root = Path("/sys/fs/cgroup")
    try:
        groups = Path("/proc/self/cgroup").read_text(encoding="utf-8")
    except OSError:
        return []
    own = groups.rpartition("::")[2].strip().lstrip("/")
    return [root / own, *(root / own).parents[: len(Path(own).parts)]]


def _file_cache(folder: Path) -> int:
    """Bytes of the file cache, which the kernel frees before it kills a process."""
    try:
        lines = (folder / "memory.stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))


def _address_space() -> int | None:
    """Bytes left under ``ulimit -v``, or None if there is no limit."""
    if sys.platform == "win32":
        return None
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft == resource.RLIM_INFINITY:
        return None
    used: int = psutil.Process().memory_info().vms
    return soft - used
