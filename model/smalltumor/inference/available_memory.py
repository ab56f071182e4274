"""How much memory a run can use."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

GIGABYTE = 10**9


def available_memory() -> int:
    """Bytes of main memory that this process can still allocate.

    The least of what the machine has available, what a container or batch system (cgroup) allows,
    and what ``ulimit -v`` allows.
    """
    limits: list[int | None]
    limits = [psutil.virtual_memory().available, _control_group(), _address_space()]
    return max(0, min(limit for limit in limits if limit is not None))


# psutil knows the memory of the machine, but neither cgroups nor what is left of RLIMIT_AS.


def _control_group() -> int | None:
    """What is left of the memory limit of this process's cgroup and the groups around it."""
    left = []
    for folder in _group_folders():
        try:
            limit = int((folder / "memory.max").read_text())  # "max" if there is no limit
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
    """Bytes of cached files, which the kernel drops before it ends a process."""
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
    used: int = psutil.Process().memory_info().vms
    return soft - used
