"""Room in Qt's pool of threads, so that the window never waits for our workers."""

from __future__ import annotations

import sys

from qtpy.QtCore import QThreadPool

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
