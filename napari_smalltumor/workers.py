"""Work in threads beside the window."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from napari.qt.threading import FunctionWorker, create_worker
from qtpy.QtCore import QObject, QThreadPool, Slot

ROOM = 16
"""Far more threads than the workers of all docks; those that are not needed are not started."""

LOCK_INTERVAL_S = 0.001
"""How long a worker may keep Python's lock while the window asks for it; 5 ms is usual.

Drawing lets go of the lock at each call of OpenGL, some hundred times a frame, and has to ask for
it again each time.
"""


def leave_room_for_qt() -> None:
    """Call before a worker is started.

    Qt 5 scales images in the same pool that napari's workers run in, and waits for that while
    it holds Python's lock. With all threads taken by workers that wait for the lock, as two
    suffice for on two cores, the window would hang for good.
    """
    pool = QThreadPool.globalInstance()
    pool.setMaxThreadCount(max(pool.maxThreadCount(), ROOM))
    sys.setswitchinterval(min(sys.getswitchinterval(), LOCK_INTERVAL_S))


class _Named:
    """A function that napari's close dialog can name."""

    def __init__(self, work: Callable[[], Any], name: str) -> None:
        self._work, self._name = work, name

    def __call__(self) -> Any:
        return self._work()

    def __repr__(self) -> str:
        return self._name


class _Receiver(QObject):
    """Lives as long as its parent: what ends after the dock has gone is not told to it."""

    def __init__(
        self, parent: QObject, done: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> None:
        super().__init__(parent)
        self._done, self._failed = done, failed

    @Slot(object)
    def done(self, result: Any) -> None:
        self._done(result)
        self.deleteLater()

    @Slot(object)
    def failed(self, error: Exception) -> None:
        self._failed(error)
        self.deleteLater()


def in_thread(
    work: Callable[[], Any],
    parent: QObject,
    done: Callable[[Any], None],
    failed: Callable[[Exception], None],
    *,
    name: str,
) -> FunctionWorker:
    """Call a function in a thread.

    Parameters
    ----------
    work : callable
        Must touch neither widgets nor layers.
    parent : QObject
        When it has gone, nothing is told any more.
    done, failed : callable
        Take the result, or the exception, in the thread of the window.
    name : str
        For napari's question before it closes.
    """
    leave_room_for_qt()
    receiver = _Receiver(parent, done, failed)
    worker = create_worker(_Named(work, name), _ignore_errors=True, _start_thread=False)
    worker.returned.connect(receiver.done)
    worker.errored.connect(receiver.failed)
    worker.start()
    return worker
