"""Processes that have written a file, and whether they still run."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from platform import node

_CLOCK_S = 2.0
"""By how much the clock by which processes start may differ from that of the computer."""


def this_computer() -> str:
    """What tells apart computers on which a number can mean different processes.

    Containers can have the name of their host, and number their processes themselves.
    """
    name = node()
    if sys.platform == "linux":
        with suppress(OSError):
            name += f" {Path('/proc/self/ns/pid').readlink()}"
    return name


def has_ended(process: int, wrote_at: float) -> bool | None:
    """Whether a process of this computer has ended; None if that may not be known here.

    A later process may have its number.

    Parameters
    ----------
    process : int
        Its number.
    wrote_at : float
        A time at which it ran, in seconds since 1970.
    """
    import psutil

    try:
        found = psutil.Process(process)
        if found.status() == psutil.STATUS_ZOMBIE:
            return True
        return bool(found.create_time() > wrote_at + _CLOCK_S)
    except (psutil.NoSuchProcess, OverflowError):
        return True
    except psutil.AccessDenied:
        return None
