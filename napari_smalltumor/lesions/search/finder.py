"""Search for lesions in a worker, repeated when the segmentation is edited."""

from __future__ import annotations

from functools import partial
from typing import Any

from qtpy.QtCore import QObject, Signal
from smalltumor.labels.regions import Region
from smalltumor.lesions import Lesion
from superqt.utils import qthrottled

from napari_smalltumor.deferred_calls import once_idle
from napari_smalltumor.layers.editing.region_edits import EDIT_EVENTS
from napari_smalltumor.lesions.search.snapshot import Snapshot
from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation
from napari_smalltumor.workers import run_in_thread

INTERVAL_MS = 120
"""Least time between two searches, so that one stroke of the brush does not start many."""


class LesionFinder(QObject):
    """Finds the lesions of one region of a segmentation, and finds them again after each edit.

    The mask is copied in the thread of the window. A worker compares the copy with that of the
    last search, because napari emits the same events when it only redraws a layer, and searches
    it for lesions if it has changed.

    Parameters
    ----------
    parent : QObject, optional

    Attributes
    ----------
    follows_edit : bool
        Whether the last search began because of an edit, and was not asked for.

    Signals
    -------
    found : list of Lesion
        The lesions of the mask as it is now; after `set_target` and after every edit.
    failed : str
        Why a search failed, in one line.
    """

    found = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source: ViewerSegmentation | None = None
        self._region = Region.ET
        self._threshold = 0
        self._last: Snapshot | None = None  # of the last search that succeeded
        self._search_number = 0
        self._searching = False
        self._edited = False
        self.follows_edit = False
        self._search_soon = qthrottled(
            self._search_if_edited, timeout=INTERVAL_MS, leading=False, parent=self
        )

    def set_target(self, source: ViewerSegmentation | None, region: Region, threshold: int) -> None:
        """Search a region of a segmentation now and after each edit.

        Parameters
        ----------
        source : ViewerSegmentation or None
            None for no segmentation: `found` is emitted with an empty list.
        region : Region
        threshold : int
            Lesions below this volume in mm3 are small.
        """
        self.stop()
        self._source, self._region, self._threshold = source, region, threshold
        if source is None:
            self.found.emit([])
            return
        self._connect("connect", source)
        self.search()

    def stop(self) -> None:
        """Disconnect from the layers' events and discard a search that is running."""
        if self._source is not None:
            self._connect("disconnect", self._source)
        self._search_soon.cancel()
        self._search_number += 1
        self._source = self._last = None
        self._searching = self._edited = False

    def _connect(self, method: str, source: ViewerSegmentation) -> None:
        """Follow all regions or none: a hidden one tells nothing when those inside it change it."""
        for layer in set(source.layers.values()):
            for name in EDIT_EVENTS:
                getattr(getattr(layer.events, name), method)(self._on_edit)

    @property
    def busy(self) -> bool:
        """Whether a search is running or about to start."""
        return self._searching or self._edited

    def search(self) -> None:
        """Search now, and emit `found` even if the mask has not changed since the last search."""
        if self._source is None:
            return
        self._edited = self.follows_edit = False
        self._last = None
        self._start(self._source.snapshot(self._region))  # a result that is still to come is old

    def _on_edit(self, event: Any = None) -> None:
        self._edited = True
        self._search_soon()

    def _search_if_edited(self) -> None:
        if self._edited and not self._searching and self._source is not None:
            self._edited, self.follows_edit = False, True
            self._start(self._source.snapshot(self._region))

    def _start(self, snapshot: Snapshot) -> None:
        self._searching = True
        self._search_number += 1
        run_in_thread(
            partial(_lesions_if_changed, snapshot, self._last, self._threshold),
            self,
            once_idle(self, partial(self._on_result, self._search_number, snapshot)),
            partial(self._on_error, self._search_number),
            name="search for lesions",
        )

    def _on_result(self, number: int, snapshot: Snapshot, lesions: list[Lesion] | None) -> None:
        if number != self._search_number or self._source is None:
            return
        self._searching = False
        if self._edited and not snapshot.shows_the_same(self._source.snapshot(self._region)):
            self._search_if_edited()
            return
        self._edited = False
        self._last = snapshot
        if lesions is not None:
            self.found.emit(lesions)

    def _on_error(self, number: int, error: Exception) -> None:
        if number != self._search_number:
            return
        self._searching = False
        self._last = None
        self.failed.emit(" ".join(str(error).split()) or type(error).__name__)
        self._search_if_edited()


def _lesions_if_changed(
    snapshot: Snapshot, last: Snapshot | None, threshold: int
) -> list[Lesion] | None:
    """Find the lesions of a snapshot; None if it equals the last one that was searched."""
    return None if snapshot.shows_the_same(last) else snapshot.lesions(threshold)
