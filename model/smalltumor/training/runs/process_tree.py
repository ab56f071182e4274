"""Processes of this machine: whether they run, their priority, and how they are ended."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from smalltumor.files.processes import is_running

_POLL_SECONDS = 0.05
_TERMINATE_SECONDS = 0.25
_KILL_SECONDS = 5.0


def is_process_running(pid: int) -> bool:
    """Whether a process runs, as far as this may be known."""
    return is_running(pid) is not False


def lower_priority(pid: int, niceness: int) -> None:
    """Give a process less of the processor than this one.

    Parameters
    ----------
    pid : int
    niceness : int
        Added to that of this process; on Windows any number means "below normal".
    """
    with suppress(psutil.Error, OSError):
        if sys.platform == "win32":
            psutil.Process(pid).nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
            return
        psutil.Process(pid).nice(psutil.Process().nice() + niceness)
    # Where Linux shares the processor by session, niceness counts within a session only.
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(niceness), encoding="ascii")


class ProcessTree:
    """A process and all it has started, even if it ends before them.

    Parameters
    ----------
    pid : int
    """

    def __init__(self, pid: int) -> None:
        self._members: set[psutil.Process] = set()
        with suppress(psutil.NoSuchProcess):
            self._members.add(psutil.Process(pid))
        self._pid = pid
        self._add_children()

    def wait(self, seconds: float) -> bool:
        """Wait for the process itself to end, and return whether it has."""
        limit = time.monotonic() + seconds
        while is_process_running(self._pid):
            if time.monotonic() >= limit:
                return False
            self._add_children()
            time.sleep(_POLL_SECONDS)
        return True

    def end(self) -> None:
        """Terminate what still runs, and kill what does not end at once."""
        self._add_children()
        self._send("terminate", _TERMINATE_SECONDS)
        self._send("kill", _KILL_SECONDS)

    def _send(self, signal: str, seconds: float) -> None:
        for process in self._running():
            with suppress(psutil.Error):
                getattr(process, signal)()
        limit = time.monotonic() + seconds
        while self._running() and time.monotonic() < limit:
            time.sleep(_POLL_SECONDS)

    def _add_children(self) -> None:
        for process in list(self._members):
            with suppress(psutil.Error):
                self._members.update(process.children(recursive=True))

    def _running(self) -> list[psutil.Process]:
        # Not psutil.wait_procs, which waits for a zombie until its parent reads its exit code.
        return [p for p in self._members if p.is_running() and is_process_running(p.pid)]
