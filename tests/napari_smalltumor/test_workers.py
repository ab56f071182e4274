"""The window does not wait for our workers, and the process ends after them."""

from __future__ import annotations

import os
import subprocess
import sys
from threading import Event

import pytest
from qtpy.QtCore import QRunnable, QThreadPool
from qtpy.QtGui import QImage

from napari_smalltumor.workers import prepare_thread_pool


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
        prepare_thread_pool()
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
        prepare_thread_pool()
        assert pool.maxThreadCount() == 64
    finally:
        pool.setMaxThreadCount(before)


EXIT = """
import sys
import time

from qtpy.QtWidgets import QApplication, QWidget

application = QApplication(sys.argv)
from napari_smalltumor.workers import run_in_thread

parent = QWidget()


def work():
    time.sleep(0.2)
    print("done", flush=True)


run_in_thread(work, parent, lambda result: None, print, name="work")
if sys.argv[1:]:
    from qtpy.QtCore import QTimer

    QTimer.singleShot(0, application.quit)
    application.exec_()
"""


@pytest.mark.parametrize("arguments", [[], ["in the event loop"]])
def test_a_process_that_ends_during_a_worker_is_not_aborted(arguments):
    done = subprocess.run(
        [sys.executable, "-c", EXIT, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
