"""Processes of this computer: whether they run, and which computer this is."""

from __future__ import annotations

import math
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


def is_running(process: int, ran_at: float = math.inf) -> bool | None:
    """Whether a process of this computer runs; None if that may not be known here.

    One that has ended and whose exit code was not read does not run.

    Parameters
    ----------
    process : int
        Its number.
    ran_at : float
        A time at which it ran, in seconds since 1970: a process that started later has only its
        number.
    """
    import psutil

    try:
        found = psutil.Process(process)
        if found.status() == psutil.STATUS_ZOMBIE:
            return False
        return bool(found.create_time() <= ran_at + _CLOCK_S)
    except (psutil.NoSuchProcess, OverflowError):
        return False
    except psutil.AccessDenied:
        return None
