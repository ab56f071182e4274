"""Finds the candidates of the segmentation under review in a worker, and follows its edits."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, Signal
from smalltumor.labels.regions import Region
from smalltumor.lesions import Lesion

from napari_smalltumor.deferred_calls import once_idle
from napari_smalltumor.lesions.decisions.verdicts import is_rejected
from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation
from napari_smalltumor.lesions.second_look.origins import (
    CandidateOrigin,
    CandidateSearch,
    FoundCandidates,
)
from napari_smalltumor.lesions.second_look.status import (
    SecondLookStatus,
    grower_of,
    keep_grower,
    origin_of_source,
    second_look_status,
)
from napari_smalltumor.workers import run_in_thread

if TYPE_CHECKING:
    from napari.layers import Labels


class CandidateFinder(QObject):
    """Finds the candidates of the segmentation under review.

    Candidates are searched once for each origin, such as a result of the network. Later edits only
    remove those that the mask has reached.

    Parameters
    ----------
    parent : QObject, optional

    Signals
    -------
    found : list of Lesion
        The candidates that are neither rejected nor in the mask, the likeliest first.
    failed : str
        Why the search failed, in one line.
    """

    found = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._number = 0
        self._source: ViewerSegmentation | None = None
        self._origin: CandidateOrigin | None = None
        self._threshold = 0
        self._all: list[Lesion] = []
        self.busy = False
        self.score_warning = ""
        """Why the scores may not hold, in one sentence."""

    @property
    def status(self) -> SecondLookStatus:
        """Whether candidates of the segmentation can be found, and are."""
        return second_look_status(self._source)

    @property
    def problem(self) -> str:
        """Why candidates that were to be read are not, in a sentence; empty if they are."""
        return "" if self._origin is None else self._origin.problem

    def set_target(self, source: ViewerSegmentation | None, threshold: int = 0) -> None:
        """List the candidates of a segmentation; none if it has no origin of candidates.

        Parameters
        ----------
        source : ViewerSegmentation or None
        threshold : int
            Candidates below this volume in mm3 are small.
        """
        self._number += 1
        self._source, self._threshold, self._all = source, threshold, []
        self.busy, self.score_warning = False, ""
        self._origin = origin = origin_of_source(source)
        if source is None or source.case is None or origin is None:
            self.found.emit([])
            return
        self.busy = True
        self.found.emit([])
        layer = source.layers[Region.ET]
        search = CandidateSearch(source.case, grower_of(layer), threshold, source.plane)
        run_in_thread(
            partial(origin.find, search),
            self,
            once_idle(self, partial(self._on_found, self._number, layer, origin)),
            partial(self._on_error, self._number),
            name="second look",
        )

    def stop(self) -> None:
        """Discard a search that is running."""
        self._number += 1
        self._source, self._origin, self._all, self.busy = None, None, [], False

    def refresh(self) -> None:
        """Emit the candidates that are still to be decided on; search those of a new origin."""
        if self._has_another_origin:
            self.set_target(self._source, self._threshold)
            return
        self.found.emit(self.undecided)

    @property
    def _has_another_origin(self) -> bool:
        now, before = origin_of_source(self._source), self._origin
        if now is None or before is None:
            return now is not before
        return now.key is not before.key

    @property
    def undecided(self) -> list[Lesion]:
        """The candidates that are neither rejected nor in the mask."""
        return [x for x in self._all if not self._is_in_mask(x) and not self._is_rejected(x)]

    @property
    def rejected(self) -> list[Lesion]:
        """The candidates that were rejected and are not in the mask."""
        return [x for x in self._all if self._is_rejected(x) and not self._is_in_mask(x)]

    def _is_rejected(self, lesion: Lesion) -> bool:
        assert self._source is not None
        return is_rejected(self._source.layers[Region.ET], lesion)

    def _is_in_mask(self, lesion: Lesion) -> bool:
        assert self._source is not None and lesion.indices is not None
        layer = self._source.layers[Region.ET]
        places = np.rint(self._source.to_data(lesion.indices)).astype(np.intp)
        inside = self._source.mask(Region.ET, np.asarray(layer.data)[tuple(places.T)])
        return bool(inside.any())

    def _on_found(
        self, number: int, layer: Labels, origin: CandidateOrigin, found: FoundCandidates
    ) -> None:
        keep_grower(layer, origin, found.grower)
        if number != self._number:
            return
        self._all, self.busy = found.candidates, False
        self.score_warning = found.score_warning
        self.refresh()

    def _on_error(self, number: int, error: Exception) -> None:
        if number == self._number:
            self.busy = False
            self.refresh()
            self.failed.emit(" ".join(str(error).split()) or type(error).__name__)
