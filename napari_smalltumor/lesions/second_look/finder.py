"""Computes the second look at a patient in a worker, and its candidates after each edit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, Signal
from smalltumor.labels.regions import Region
from smalltumor.lesions import Lesion
from smalltumor.second_look import SecondLook, score_warning

from napari_smalltumor.lesions.second_look.decisions import is_rejected
from napari_smalltumor.lesions.second_look.looks import (
    LookStatus,
    keep_look,
    look_of,
    look_status,
    network_result,
)
from napari_smalltumor.lesions.source import LesionSource
from napari_smalltumor.workers import run_in_thread

if TYPE_CHECKING:
    from napari.layers import Labels
    from smalltumor.data.case import Case
    from smalltumor.data.midsagittal_plane import MidsagittalPlane
    from smalltumor.data.segmentation import Segmentation


FIRST_ID = 1_000_000
"""`id` of the first candidate, above those of all components of a mask."""


class CandidateFinder(QObject):
    """Finds the candidates of the segmentation under review.

    Candidates are searched once for each result of the network. Later edits only remove those
    that the mask has reached.

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
        self._source: LesionSource | None = None
        self._result: Segmentation | None = None
        self._threshold = 0
        self._all: list[Lesion] = []
        self.busy = False
        self.score_warning = ""
        """Why the scores may not hold, in one sentence."""

    @property
    def status(self) -> LookStatus:
        """Whether candidates of the segmentation can be found, and are."""
        return look_status(self._source)

    def set_target(self, source: LesionSource | None, threshold: int = 0) -> None:
        """Search the candidates of a segmentation; none if the network did not make it.

        Parameters
        ----------
        source : LesionSource or None
        threshold : int
            Candidates below this volume in mm3 are small.
        """
        self._number += 1
        self._source, self._threshold, self._all = source, threshold, []
        self.busy, self.score_warning = False, ""
        self._result = result = None if source is None else network_result(source)
        if source is None or source.case is None or result is None:
            self.found.emit([])
            return
        self.busy = True
        self.found.emit([])
        layer = source.layers[Region.ET]
        known = look_of(layer)
        run_in_thread(
            partial(_search, known, source.case, result, threshold, source.plane),
            self,
            partial(self._on_result, self._number, layer, result),
            partial(self._on_error, self._number),
            name="second look",
        )

    def stop(self) -> None:
        """Discard a search that is running."""
        self._number += 1
        self._source, self._result, self._all, self.busy = None, None, [], False

    def refresh(self) -> None:
        """Emit the candidates that are still to be decided on; search those of a new result."""
        if self._source is not None and network_result(self._source) is not self._result:
            self.set_target(self._source, self._threshold)
            return
        self.found.emit(self.undecided)

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

    def _on_result(
        self,
        number: int,
        layer: Labels,
        result: Segmentation,
        found: tuple[SecondLook | None, list[Lesion]],
    ) -> None:
        look, candidates = found
        keep_look(layer, result, look)
        if number != self._number:
            return
        self._all, self.busy = candidates, False
        self.score_warning = "" if look is None else score_warning(result, look.parameters) or ""
        self.refresh()

    def _on_error(self, number: int, error: Exception) -> None:
        if number == self._number:
            self.busy = False
            self.refresh()
            self.failed.emit(" ".join(str(error).split()) or type(error).__name__)


def _search(
    known: SecondLook | None,
    case: Case,
    result: Segmentation,
    threshold: int,
    plane: Callable[[], MidsagittalPlane | None],
) -> tuple[SecondLook | None, list[Lesion]]:
    assert result.cropped is not None
    look = known or SecondLook.of(case, result.cropped)
    if look is None:
        return None, []
    mask = result.mask(Region.ET)
    return look, look.candidates(mask, first_id=FIRST_ID, threshold=threshold, plane=plane())
