"""Work in background threads; results are delivered in the thread of the window.

The workers are created by superqt: napari's own function lists each of them in a question before
its window closes, also those that nobody waits for, such as a search for lesions.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from napari.qt.threading import FunctionWorker, WorkerBase
from qtpy.QtCore import QObject, QThreadPool, Slot
from superqt.utils import create_worker

MINIMUM_POOL_SIZE = 16
"""Far more threads than the workers of all docks; Qt starts only the threads that it needs."""

SWITCH_INTERVAL_S = 0.001
"""How long a worker may hold the GIL while the window waits for it; Python's default is 5 ms.

Drawing releases the GIL at each OpenGL call, some hundred times a frame, and has to acquire it
again each time.
"""


def prepare_thread_pool() -> None:
    """Enlarge Qt's thread pool and shorten Python's switch interval; call before each worker.

    Qt 5 scales images in the pool that napari's workers run in, and holds the GIL while it waits
    for them. If workers that wait for the GIL occupied every thread of the pool (two are enough
    on two cores), the window would hang forever.
    """
    pool = QThreadPool.globalInstance()
    pool.setMaxThreadCount(max(pool.maxThreadCount(), MINIMUM_POOL_SIZE))
    sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_INTERVAL_S))
    _end_workers_before_exit()


@cache
def _end_workers_before_exit() -> None:
    """Ask workers to quit, and wait for them, before Python deletes Qt's objects.

    A worker that reports later raises an error in its thread, which aborts the process. Qt would
    wait for its threads in any case.
    """
    atexit.register(WorkerBase.await_workers)


class NamedCall:
    """A function to be called once, with a name that napari's close dialog can show.

    napari keeps every worker, and the function that it runs, until its window is closed. The
    function is therefore released when it is called, or the images of every case would stay in
    memory.

    Parameters
    ----------
    function : callable
    name : str
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self._function: Callable[..., Any] | None = function
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Release the function and call it."""
        function, self._function = self._function, None
        assert function is not None, "a NamedCall can be called only once"
        return function(*args, **kwargs)

    def __repr__(self) -> str:
        return self._name


class _Receiver(QObject):
    """Receives a result in the thread of the window; deleted with its parent."""

    def __init__(
        self, parent: QObject, done: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> None:
        super().__init__(parent)
        self._done, self._failed = done, failed

    @Slot(object)
    def on_returned(self, result: Any) -> None:
        self._done(result)
        self.deleteLater()

    @Slot(object)
    def on_errored(self, error: Exception) -> None:
        self._failed(error)
        self.deleteLater()


def run_in_thread(
    work: Callable[[], Any],
    parent: QObject,
    done: Callable[[Any], None],
    failed: Callable[[Exception], None],
    *,
    name: str,
) -> FunctionWorker:
    """Call a function in a background thread.

    Parameters
    ----------
    work : callable
        Must not touch widgets or layers.
    parent : QObject
        Neither `done` nor `failed` is called after its deletion.
    done, failed : callable
        Called in the thread of the window with the result or with the exception.
    name : str
        Shown by napari's close dialog while the function runs.
    """
    prepare_thread_pool()
    receiver = _Receiver(parent, done, failed)
    call = NamedCall(work, name)
    worker = create_worker(call, _ignore_errors=True, _start_thread=False)
    worker.returned.connect(receiver.on_returned)
    worker.errored.connect(receiver.on_errored)
    worker.start()
    return worker
