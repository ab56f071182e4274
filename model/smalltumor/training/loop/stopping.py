"""How a run in this process is stopped: between two steps or, if a step is long, within it."""

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
"""How long after a stop request the current step may go on before it is aborted."""

_CHECK_SECONDS = 0.25


class StepAborted(Exception):  # noqa: N818 - requested, not a fault
    """Preparation, a step or a validation was aborted. The network is as it was before."""


class StopListener:
    """Whether the run has been asked to stop, through its folder or by a signal.

    The training loop calls it after every step, so it also writes the heartbeat.

    Parameters
    ----------
    run : RunFolder

    Attributes
    ----------
    stop_request : StopRequest or None
        None as long as nobody has asked.
    """

    def __init__(self, run: RunFolder) -> None:
        self.stop_request: StopRequest | None = None
        self._run = run
        self._requested_at = self._checked_at = self._heartbeat_at = 0.0

    def __call__(self) -> bool:
        """Whether to save the state and end."""
        now = time.monotonic()
        if now - self._heartbeat_at >= HEARTBEAT_SECONDS:
            self._heartbeat_at = now
            write_heartbeat(self._run)
        if self.stop_request is None and now - self._checked_at >= _CHECK_SECONDS:
            self._checked_at = now
            stop_request = self._run.read_stop_request()
            if stop_request is not None:
                self.set(stop_request)
        return self.stop_request is not None

    def abort_step(self) -> bool:
        """Whether to abort the current step, because a stop was requested too long ago."""
        return self() and time.monotonic() - self._requested_at > STEP_GRACE_SECONDS

    def set(self, stop_request: StopRequest) -> None:
        """Request a stop from within this process."""
        self.stop_request, self._requested_at = stop_request, time.monotonic()


@contextmanager
def stop_on_signals(listener: StopListener, run: RunFolder) -> Iterator[None]:
    """Within the block, SIGINT and SIGTERM request a stop; a second SIGINT raises at once."""

    def on_signal(number: int, frame: FrameType | None) -> None:
        if listener.stop_request is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        listener.set(run.read_stop_request() or StopRequest.STOP)

    before = {s: signal.signal(s, on_signal) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def abortable(should_abort: Callable[[], bool]) -> Iterator[None]:
    """Within the block, every forward and backward pass of a module checks whether to abort.

    Parameters
    ----------
    should_abort : callable
        Whether to raise `StepAborted`.
    """

    def check(*_: Any) -> None:
        if should_abort():
            raise StepAborted

    def after_forward(module: nn.Module, inputs: Any, output: Any) -> None:
        check()
        if isinstance(output, Tensor) and output.requires_grad:
            output.register_hook(check)  # type: ignore[no-untyped-call]

    handle = torch.nn.modules.module.register_module_forward_hook(after_forward)
    try:
        yield
    finally:
        handle.remove()
