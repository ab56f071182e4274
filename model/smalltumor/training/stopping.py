"""A wish to stop, heard between steps and, if steps are long, within one."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from smalltumor.training.runs.run_folder import RunFolder, StopRequest
from smalltumor.training.runs.run_lock import HEARTBEAT_SECONDS, write_heartbeat

STEP_GRACE_SECONDS = 1.0
"""A step that ends within this time of the wish is finished; a longer one is given up."""

_LOOK_SECONDS = 0.25


class StepAborted(Exception):  # noqa: N818 - a wish, not a fault
    """A step or a validation was given up; nothing was learnt from it."""


class StopListener:
    """Signals and the run folder's ``request``, as one answer; also keeps the heartbeat.

    Parameters
    ----------
    run : RunFolder
    """

    def __init__(self, run: RunFolder) -> None:
        self.wish: StopRequest | None = None
        self._run = run
        self._since = self._looked = self._beaten = 0.0

    def __call__(self) -> bool:
        """Whether to save and leave."""
        now = time.monotonic()
        if now - self._beaten >= HEARTBEAT_SECONDS:
            self._beaten = now
            write_heartbeat(self._run)
        if self.wish is None and now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            wish = self._run.read_stop_request()
            if wish is not None:
                self.note(wish)
        return self.wish is not None

    def hurry(self) -> bool:
        """Whether the wish is so old that the step under way should be given up."""
        return self() and time.monotonic() - self._since > STEP_GRACE_SECONDS

    def note(self, wish: StopRequest) -> None:
        """Remember a wish."""
        self.wish, self._since = wish, time.monotonic()


@contextmanager
def listen_for_stop(run: RunFolder) -> Iterator[StopListener]:
    """SIGINT, SIGTERM and the folder's ``request`` ask for a stop; a second SIGINT ends at once."""
    requests = StopListener(run)

    def on_signal(number: int, frame: FrameType | None) -> None:
        if requests.wish is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        requests.note(run.read_stop_request() or StopRequest.STOP)

    before = {s: signal.signal(s, on_signal) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield requests
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        run.stop_request_file.unlink(missing_ok=True)


@contextmanager
def abortable(wanted: Callable[[], bool]) -> Iterator[None]:
    """Within the block every module asks, forwards and backwards, whether to go on.

    Parameters
    ----------
    wanted : callable
        Whether to give up, by `StepAborted`.
    """

    def ask(*_: Any) -> None:
        if wanted():
            raise StepAborted

    def after(module: nn.Module, inputs: Any, output: Any) -> None:
        ask()
        if isinstance(output, Tensor) and output.requires_grad:
            output.register_hook(ask)  # type: ignore[no-untyped-call]

    handle = torch.nn.modules.module.register_module_forward_hook(after)
    try:
        yield
    finally:
        handle.remove()
