"""The window does not wait for our workers."""

from __future__ import annotations

from threading import Event

from qtpy.QtCore import QRunnable, QThreadPool
from qtpy.QtGui import QImage

from napari_smalltumor.workers import reserve_threads_for_qt


class Waiting(QRunnable):
    """A worker that cannot go on before the window does."""

    def __init__(self, window: Event) -> None:
        super().__init__()
        self._window = window

    def run(self) -> None:
        self._window.wait(30)


def test_an_image_is_converted_while_every_core_has_a_worker_that_waits():
    pool = QThreadPool.globalInstance()
    before = pool.maxThreadCount()
    pool.setMaxThreadCount(2)
    try:
        reserve_threads_for_qt()
        assert pool.maxThreadCount() > 2
        window = Event()
        for _ in range(2):
            pool.start(Waiting(window))
        image = QImage(2000, 2000, QImage.Format.Format_RGB32).convertToFormat(
            QImage.Format.Format_RGBA8888
        )
        window.set()
        assert pool.waitForDone(10_000)
        assert image.width() == 2000
    finally:
        pool.setMaxThreadCount(before)


def test_a_larger_pool_is_left_as_it_is():
    pool = QThreadPool.globalInstance()
    before = pool.maxThreadCount()
    pool.setMaxThreadCount(64)
    try:
        reserve_threads_for_qt()
        assert pool.maxThreadCount() == 64
    finally:
        pool.setMaxThreadCount(before)
