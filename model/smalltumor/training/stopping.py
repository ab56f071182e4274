"""Stop requests, noticed between steps and, if steps are long, within one."""

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
"""A step that ends within this time of the stop request is finished; a longer one is aborted."""

_CHECK_SECONDS = 0.25


class StepAborted(Exception):  # noqa: N818 - requested, not a fault
    """A step, a validation or the preparation was aborted; the network is as it was before."""


class StopListener:
    """The run folder's stop request and signals, as one answer; also writes the heartbeat.

    Parameters
    ----------
    run : RunFolder

    Attributes
    ----------
    request : StopRequest or None
        None as long as there is none.
    """

    def __init__(self, run: RunFolder) -> None:
        self.request: StopRequest | None = None
        self._run = run
        self._since = self._checked = self._last_heartbeat = 0.0

    def __call__(self) -> bool:
        """Whether to save the state and end."""
        now = time.monotonic()
        if now - self._last_heartbeat >= HEARTBEAT_SECONDS:
            self._last_heartbeat = now
            write_heartbeat(self._run)
        if self.request is None and now - self._checked >= _CHECK_SECONDS:
            self._checked = now
            request = self._run.read_stop_request()
            if request is not None:
                self.set(request)
        return self.request is not None

    def abort_step(self) -> bool:
        """Whether the request is so old that the current step should be aborted."""
        return self() and time.monotonic() - self._since > STEP_GRACE_SECONDS

    def set(self, request: StopRequest) -> None:
        """Request a stop from within this process."""
        self.request, self._since = request, time.monotonic()


@contextmanager
def stop_on_signals(listener: StopListener, run: RunFolder) -> Iterator[None]:
    """SIGINT and SIGTERM request a stop; a second SIGINT interrupts at once."""

    def on_signal(number: int, frame: FrameType | None) -> None:
        if listener.request is not None and number == signal.SIGINT:
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
    """Within the block every module checks, forwards and backwards, whether to abort.

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
