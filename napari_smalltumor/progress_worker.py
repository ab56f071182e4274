"""A napari worker that runs a job, reports its progress, and can be cancelled."""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any
from weakref import WeakSet, ref

from napari.qt.threading import GeneratorWorkerSignals, WorkerBase
from napari.utils import cancelable_progress
from qtpy.compat import isalive
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QMainWindow
from smalltumor.errors import Cancelled
from superqt.utils import create_worker

from napari_smalltumor.workers import NamedCall, prepare_thread_pool

_ENDS = ("returned", "errored", "aborted", "finished")
_STEPS = 100
_NICENESS = 5
"""Of a job, above that of the window; measured with other programs running (docs/lab/window.md)."""
_PROGRESS_INTERVAL_S = 0.25
_SHORT_RUN_S = 4.0
"""A shorter run is not shown in the activity dock; Qt's progress dialog also waits 4 s.

While the activity dock has an entry, a spinner in napari's status bar redraws the window thirty
times a second. Without a GPU, drawing takes processor time from the network.
"""


class ProgressWorker(WorkerBase):
    """Runs a job.

    ``yielded`` is emitted with (fraction, step), ``returned`` with the result, and ``aborted``
    when the job has stopped after `quit`.

    Parameters
    ----------
    job : NamedCall
        Of a function that takes the callbacks ``progress`` and ``cancelled``.
    stores : bool
        Whether the job stores its result. ``returned`` is then emitted even if `quit` was called
        when the job could not stop any more.
    """

    def __init__(self, job: NamedCall, *, stores: bool = False) -> None:
        super().__init__(SignalsClass=GeneratorWorkerSignals)
        self._job, self._stores = job, stores
        self._stored = False
        self.name = str(job)
        self.window: ref[QMainWindow] | None = None
        self.activity: ActivityBar | None = None
        self._last_time = 0.0
        self._step = ""

    def work(self) -> Any:
        """Run the job; called in the thread."""
        _lower_thread_priority()
        try:
            result = self._job(
                progress=self._report,
                cancelled=lambda: self.abort_requested,
            )
        except Cancelled:
            self._abort_requested = True  # so that nothing is returned
            self.aborted.emit()
            return None
        if self._stores:
            self._stored = True
            self._abort_requested = False
        return result

    def quit(self) -> None:
        """Request the job to stop, unless its result is stored."""
        if not self._stored:
            super().quit()

    def _report(self, fraction: float, step: str) -> None:
        """Emit progress at each new step, and otherwise only now and then: each emission redraws.

        Throttled here and not by superqt, whose timers need an event loop in this thread.
        """
        now = time.monotonic()
        if step != self._step or now - self._last_time >= _PROGRESS_INTERVAL_S:
            self._last_time, self._step = now, step
            self.yielded.emit((fraction, step))


def _lower_thread_priority() -> None:
    """On Linux, let the thread of the window run before this thread.

    The threads of the network are started by this thread and inherit its priority.
    """
    if sys.platform.startswith("linux"):
        window_priority = os.getpriority(os.PRIO_PROCESS, os.getpid())
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), window_priority + _NICENESS)


def start(
    job: Callable[..., Any],
    name: str,
    *,
    owner: QObject | None = None,
    window: QMainWindow | None = None,
    stores: bool = False,
    ended: Callable[[], None] | None = None,
    **connections: Callable[..., None],
) -> ProgressWorker:
    """Start a job in a thread.

    Parameters
    ----------
    job : callable
        Called with the callbacks ``progress`` and ``cancelled``, which `smalltumor` takes, too. It
        must not touch widgets or layers.
    name : str
        Shown in napari's activity dock, and by the question before its window closes.
    owner : QObject, optional
        The job is cancelled when it is deleted, and the slots are not called after that, except
        for ``returned`` of a job that stores its result.
    window : QMainWindow, optional
        Asks before it closes while the job runs; by default that of `owner`.
    stores : bool
        Whether the job stores its result, see `ProgressWorker`.
    ended : callable, optional
        Called when the job has ended, even if `owner` was deleted. It is called right after the
        slot of the result or the error, so that nothing finds the job both ended and in progress.
    **connections
        Slots by the name of the worker's signal; called in the thread of the window. That of
        ``aborted`` is also called if the job was asked to stop when it did not look any more. That
        of ``finished`` is called right after `ended`.
    """
    prepare_thread_pool()
    slots: dict[str, Any] = dict(connections)
    if owner is not None:
        for signal, slot in connections.items():
            if not (stores and signal == "returned"):
                slots[signal] = partial(_if_alive, owner, slot)
    worker = create_worker(
        NamedCall(job, name),
        _worker_class=ProgressWorker,
        _connect=slots | _slots_of_the_end(slots, ended),
        _start_thread=False,
        _ignore_errors=True,  # the caller reports errors itself
        stores=stores,
    )
    if owner is not None:
        owner.destroyed.connect(worker.quit)
        disconnect = partial(owner.destroyed.disconnect, worker.quit)
        worker.finished.connect(partial(_if_alive, owner, disconnect))
    window = _window_of(owner) if window is None else window
    worker.window = None if window is None else ref(window)
    _STARTED.add(worker)
    worker.activity = ActivityBar(worker, name)
    worker.start()
    return worker


_STARTED: WeakSet[ProgressWorker] = WeakSet()


def running_in(window: QMainWindow) -> list[str]:
    """Names of the jobs that run in a window and were not asked to stop."""
    return sorted(
        worker.name
        for worker in _STARTED
        if worker.is_running
        and not worker.abort_requested
        and worker.window is not None
        and worker.window() is window
    )


def _window_of(owner: QObject | None) -> QMainWindow | None:
    """The main window of a dock, of one of its objects, or of a dialog."""
    while owner is not None and not isinstance(owner, QMainWindow):
        owner = owner.parent()
    return owner


def _if_alive(owner: QObject, slot: Callable[..., None], *arguments: object) -> None:
    """Call a slot unless its owner was deleted; Qt does not disconnect a partial."""
    if isalive(owner):
        slot(*arguments)


def _slots_of_the_end(
    slots: dict[str, Any], ended: Callable[[], None] | None
) -> dict[str, Callable[..., None]]:
    """Slots that call one of ``returned``, ``errored`` and ``aborted``, `ended`, and ``finished``.

    A worker that is asked to stop after its job has looked for the last time emits ``finished``
    alone. All are called by one slot, since the window could handle a click between two: what that
    starts would be taken for what has ended.
    """
    slots = {signal: slots[signal] for signal in _ENDS if signal in slots}
    then = [slot for slot in (slots.pop("finished", None), ended) if slot is not None]
    ends: list[str] = []

    def call(signal: str, *arguments: object) -> None:
        if signal == "finished":
            if not ends:
                call("aborted")
            slots.clear()  # Qt keeps this function, and would keep their owners alive
            return
        ends.append(signal)
        with ExitStack() as stack:
            for slot in then:  # the last one is called first
                stack.callback(slot)
            then.clear()
            if signal in slots:
                slots[signal](*arguments)

    return {signal: partial(call, signal) for signal in _ENDS}


class ActivityBar:
    """The progress bar of a run in napari's activity dock, added when the run takes long.

    napari processes events while it adds a bar, so the run may end before the bar is added.
    """

    def __init__(self, worker: ProgressWorker, title: str) -> None:
        self._worker, self._title = worker, title
        self._due = time.monotonic() + _SHORT_RUN_S
        self._bar: cancelable_progress | None = None
        self._ended = False
        worker.yielded.connect(self.advance)
        worker.finished.connect(self.close)

    def advance(self, state: tuple[float, str]) -> None:
        """Show the progress, and add the bar if the run takes long."""
        if time.monotonic() >= self._due:
            self._due = math.inf
            self._bar = cancelable_progress(
                total=_STEPS, desc=self._title, cancel_callback=self._worker.quit
            )
            if self._ended:
                self.close()
        done = int(state[0] * _STEPS)
        if self._bar is not None and not self._ended and done > self._bar.n:
            self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Remove the bar."""
        self._ended, self._due = True, math.inf
        if self._bar is not None:
            self._bar.close()
