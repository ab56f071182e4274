"""Finds lesions anew when a segmentation is edited, in another thread."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal
from smalltumor.lesions import Lesion

from napari_smalltumor.lesions.source import LesionSource, Snapshot
from napari_smalltumor.workers import reserve_threads_for_qt

EVERY_MS = 120
"""Pause between a change and the look at it, so that a stroke is not followed dab by dab."""

_SIGNALS = ("labels_update", "paint", "set_data", "data")


class LesionWatch(QObject):
    """Follows a region of a segmentation.

    A change is looked at `EVERY_MS` after it happened, however many follow it: the data are
    copied, and a worker thread compares them with the last copy and searches them. The thread
    touches neither layer nor widget.

    Parameters
    ----------
    parent : QObject, optional

    Signals
    -------
    found : list of Lesion
        After every change, and after `follow`.
    failed : str
        What went wrong, in a line.
    """

    found = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source: LesionSource | None = None
        self._region: Any = None
        self._threshold = 0
        self._layer: Any = None
        self._last: Snapshot | None = None
        self._last_threshold = 0
        self._worker: Any = None
        self._stale = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.look)

    def follow(self, source: LesionSource | None, region: Any, threshold: int) -> None:
        """Find this region's lesions now, and again at every change; None to stop."""
        self._let_go()
        self._source, self._region, self._threshold = source, region, threshold
        self._last = None
        if source is None:
            self.found.emit([])
            return
        self._layer = source.layers[region]
        for name in _SIGNALS:
            getattr(self._layer.events, name).connect(self._on_change)
        self.look()

    def stop(self) -> None:
        """Follow nothing more; a search that is going on is forgotten."""
        self._let_go()
        self._source = None

    @property
    def busy(self) -> bool:
        """Whether a change is waiting to be looked at, or a search is going on."""
        return self._timer.isActive() or self._worker is not None

    def look(self) -> None:
        """Search now, if anything has changed since the last time."""
        if self._source is None:
            return
        if self._worker is not None:
            self._stale = True
            return
        self._start(self._source.snapshot(self._region))

    def _start(self, snapshot: Snapshot) -> None:
        from napari.qt.threading import create_worker

        before = self._last if self._last_threshold == self._threshold else None
        self._last, self._last_threshold = snapshot, self._threshold
        reserve_threads_for_qt()
        worker = create_worker(_search, snapshot, before, self._threshold, _start_thread=False)
        worker.returned.connect(lambda lesions: self._finish(worker, lesions))
        worker.errored.connect(lambda error: self._fail(worker, error))
        self._worker, self._stale = worker, False
        worker.start()

    def _finish(self, worker: Any, lesions: list[Any]) -> None:
        if worker is not self._worker:
            return
        self._worker = None
        if lesions is not None:
            self.found.emit(lesions)
        if self._stale:
            self.look()

    def _fail(self, worker: Any, error: Exception) -> None:
        if worker is self._worker:
            self._worker = None
            self.failed.emit(" ".join(str(error).split()) or type(error).__name__)

    def _on_change(self, event: Any = None) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _let_go(self) -> None:
        self._timer.stop()
        self._worker = None
        if self._layer is not None:
            for name in _SIGNALS:
                getattr(self._layer.events, name).disconnect(self._on_change)
            self._layer = None


def _search(snapshot: Snapshot, before: Snapshot | None, threshold: int) -> list[Lesion] | None:
    """The lesions of a snapshot, or None if it shows what was searched before."""
    return None if snapshot.shows_the_same(before) else snapshot.lesions(threshold)
