"""Writes to autosave files, in a thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from typing import ParamSpec

from smalltumor.errors import SmalltumorError

Parameters = ParamSpec("Parameters")


class WriteQueue:
    """The writes of one viewer, which are done in their order."""

    def __init__(self) -> None:
        self._pending: list[Future[None]] = []

    def submit(
        self,
        write: Callable[Parameters, None],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Future[None]:
        """Do a write after those that were submitted before."""
        future = _thread().submit(write, *args, **kwargs)
        self._pending.append(future)
        return future

    def wait(self) -> None:
        """Wait until all writes have ended. `problem` returns the error of a failed write."""
        wait(self._pending)

    def problem(self) -> str | None:
        """The message of the first write error since the last call, or None."""
        done = [write for write in self._pending if write.done()]
        self._pending = [write for write in self._pending if write not in done]
        errors = [error for write in done if (error := write.exception()) is not None]
        for error in errors:
            if not isinstance(error, SmalltumorError):
                raise error
        return str(errors[0]) if errors else None


@cache
def _thread() -> ThreadPoolExecutor:
    """One thread for the writes of all viewers, in order; Python waits for it at exit."""
    return ThreadPoolExecutor(1, "smalltumor-autosave")
