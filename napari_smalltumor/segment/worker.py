"""The thread a segmentation runs in, as napari knows it: in the activity dock, asked on closing."""

from __future__ import annotations

import math
import os
import sys
import threading
import time

from napari.qt.threading import GeneratorWorkerSignals, WorkerBase, create_worker
from napari.utils import cancelable_progress
from smalltumor.errors import Cancelled

from napari_smalltumor.segment.job import Outcome, SegmentationJob
from napari_smalltumor.workers import reserve_threads_for_qt

_STEPS = 100
_NICENESS = 10
_SHORTEST_STEP_S = 0.25
_SHORT_RUN_S = 4.0
"""A run that ends sooner does not come to the activity dock; Qt's own dialog waits as long.

While napari has anything there, a spinner in its status bar redraws the window thirty times a
second. Where no GPU draws, that takes the network's processors away.
"""


class OneRun:
    """A job that is taken once.

    napari remembers each worker, and what it was to run, as long as its window lives: the images
    of every case that was ever segmented, if they were not let go.
    """

    def __init__(self, job: SegmentationJob) -> None:
        self._job: SegmentationJob | None = job
        self._name = str(job)

    def take(self) -> SegmentationJob:
        """The job; it is no longer held here."""
        job, self._job = self._job, None
        assert job is not None
        return job

    def __str__(self) -> str:
        return self._name

    __repr__ = __str__  # napari's close dialog names what still runs


class SegmentWorker(WorkerBase):
    """Runs a job; ``yielded`` carries (fraction, step), ``returned`` the outcome.

    `quit` asks it to stop, ``aborted`` says that it has.
    """

    def __init__(self, job: OneRun) -> None:
        super().__init__(SignalsClass=GeneratorWorkerSignals)
        self._job = job
        self.activity: ActivityBar | None = None
        self._told = 0.0
        self._step = ""

    def work(self) -> Outcome | None:
        """Called by the thread."""
        _yield_to_the_window()
        try:
            return self._job.take()(
                progress=self._tell,
                cancelled=lambda: self.abort_requested,
            )
        except Cancelled:
            self._abort_requested = True  # so that nothing is returned
            self.aborted.emit()
            return None

    def _tell(self, fraction: float, step: str) -> None:
        """Pass progress on, not more often than one sees it: each time the window is drawn."""
        now = time.monotonic()
        if step != self._step or now - self._told >= _SHORTEST_STEP_S:
            self._told, self._step = now, step
            self.yielded.emit((fraction, step))


def _yield_to_the_window() -> None:
    """Give the window the processor first, where threads have a priority of their own (Linux).

    The network's own threads are started by this one and inherit it.
    """
    if sys.platform.startswith("linux"):
        windows_own = os.getpriority(os.PRIO_PROCESS, os.getpid())
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), windows_own + _NICENESS)


def start(job: SegmentationJob, **connections: object) -> SegmentWorker:
    """Start a job in a thread.

    Parameters
    ----------
    job : SegmentationJob
    **connections
        A slot for each of the worker's signals, called in the thread of the window.
    """
    reserve_threads_for_qt()
    worker = create_worker(
        OneRun(job),
        _worker_class=SegmentWorker,
        _connect=dict(connections),
        _start_thread=False,
        _ignore_errors=True,  # the dock tells the user itself
    )
    worker.activity = ActivityBar(worker, str(job))
    worker.start()
    return worker


class ActivityBar:
    """A worker's bar in napari's activity dock, once the run has taken a while.

    While napari adds a bar it handles events: the run may go on or end in the midst of it.
    """

    def __init__(self, worker: SegmentWorker, title: str) -> None:
        self._worker, self._title = worker, title
        self._due = time.monotonic() + _SHORT_RUN_S
        self._bar: cancelable_progress | None = None
        self._ended = False
        worker.yielded.connect(self.advance)
        worker.finished.connect(self.close)

    def advance(self, state: tuple[float, str]) -> None:
        """Show how far the run is."""
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
        """Take the bar away."""
        self._ended, self._due = True, math.inf
        if self._bar is not None:
            self._bar.close()
