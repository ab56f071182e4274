"""Compares the regions of a patient with the reference in a worker, again after each edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, Signal
from smalltumor.data.case import Case
from smalltumor.data.midsagittal_plane import MidsagittalPlane, midsagittal_plane
from smalltumor.labels.regions import Region
from superqt.utils import qthrottled

from napari_smalltumor.compare.scores import RegionComparison, compare_region
from napari_smalltumor.layers.coordinates import from_display, to_display
from napari_smalltumor.layers.editing.region_edits import EDIT_EVENTS
from napari_smalltumor.workers import run_in_thread

if TYPE_CHECKING:
    from napari.layers import Labels

INTERVAL_MS = 250
"""Least time between two comparisons, so that a stroke of the brush does not start many."""


Scores = Mapping[Region, RegionComparison]
_Masks = Mapping[Region, npt.NDArray[np.integer]]


@dataclass(frozen=True, eq=False)
class ComparedLayers:
    """The layers of a patient that are compared.

    Parameters
    ----------
    case : Case
    segmentation, reference : mapping of Region to Labels layer
        Masks (I, P, L) on the case's grid: 0 outside, any other value inside.
    """

    case: Case
    segmentation: Mapping[Region, Labels]
    reference: Mapping[Region, Labels]

    def is_same(self, other: ComparedLayers | None) -> bool:
        """Whether both have the same layers."""
        return other is not None and (self.segmentation, self.reference) == (
            other.segmentation,
            other.reference,
        )

    @cached_property
    def reference_is_outside(self) -> bool:
        """Whether the reference has voxels, and none of them is inside the images' head."""
        image = next(iter(self.case.volumes.values()), None)
        masks = [np.asarray(layer.data) != 0 for layer in self.reference.values()]
        if image is None or not any(mask.any() for mask in masks):
            return False
        head = to_display(image, self.case.grid) != 0
        return bool(head.any()) and not any(np.any(head[mask]) for mask in masks)


@dataclass(frozen=True, eq=False)
class _Comparison:
    """Copies of masks, and their scores."""

    segmentation: _Masks
    reference: _Masks
    plane: MidsagittalPlane | None
    scores: Scores

    def holds(self, region: Region, segmentation: _Masks, reference: _Masks) -> bool:
        """Whether the masks of a region are those that were compared."""
        pairs = ((self.segmentation, segmentation), (self.reference, reference))
        return all(_equal(old.get(region), new.get(region)) for old, new in pairs)


class RegionScorer(QObject):
    """Scores the regions of a patient against the reference, and scores them again after an edit.

    Masks are copied in the thread of the window and compared in a worker. A region whose masks
    have not changed keeps its scores, because napari reports an edit and another slice by the same
    event.

    Parameters
    ----------
    parent : QObject, optional

    Signals
    -------
    scored : mapping of Region to RegionComparison
        The scores of the masks as they are now.
    failed : str
        Why they could not be compared, in one line.
    """

    scored = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._target: ComparedLayers | None = None
        self._threshold = 0
        self._last: _Comparison | None = None
        self._number = 0
        self._comparing = self._edited = False
        self._compare_soon = qthrottled(
            self._compare, timeout=INTERVAL_MS, leading=False, parent=self
        )

    @property
    def busy(self) -> bool:
        """Whether masks are being compared or about to be."""
        return self._comparing or self._edited

    def set_target(self, target: ComparedLayers | None, threshold: int) -> None:
        """Compare these layers now and after each edit, and no others.

        Parameters
        ----------
        target : ComparedLayers or None
        threshold : int
            Lesions below this volume in mm3 are small.
        """
        if threshold == self._threshold and target is not None and target.is_same(self._target):
            return
        self.stop()
        self._target, self._threshold = target, threshold
        if target is not None:
            self._connect("connect")
            self._compare()

    def stop(self) -> None:
        """Disconnect from the layers and discard a comparison that is running."""
        if self._target is not None:
            self._connect("disconnect")
        self._compare_soon.cancel()
        self._number += 1
        self._target = self._last = None
        self._comparing = self._edited = False

    def _connect(self, method: str) -> None:
        assert self._target is not None
        for layer in (*self._target.segmentation.values(), *self._target.reference.values()):
            for name in EDIT_EVENTS:
                getattr(getattr(layer.events, name), method)(self._on_edit)

    def _on_edit(self, event: Any = None) -> None:
        self._edited = True
        self._compare_soon()

    def _compare(self) -> None:
        """Compare now; if a comparison is running, another one follows."""
        if self._target is None or self._comparing:
            return
        self._comparing, self._edited = True, False
        self._number += 1
        segmentation, reference = (
            {region: np.array(layer.data) for region, layer in layers.items()}
            for layers in (self._target.segmentation, self._target.reference)
        )
        run_in_thread(
            partial(
                _compare, self._target.case, segmentation, reference, self._threshold, self._last
            ),
            self,
            partial(self._on_result, self._number),
            partial(self._on_error, self._number),
            name="comparison with the reference",
        )

    def _on_result(self, number: int, comparison: _Comparison) -> None:
        if number != self._number:
            return
        self._comparing, self._last = False, comparison
        self.scored.emit(comparison.scores)
        if self._edited:
            self._compare_soon()

    def _on_error(self, number: int, error: Exception) -> None:
        if number != self._number:
            return
        self._comparing, self._last = False, None
        self.failed.emit(" ".join(str(error).split()) or type(error).__name__)
        if self._edited:
            self._compare_soon()


def _compare(
    case: Case, segmentation: _Masks, reference: _Masks, threshold: int, last: _Comparison | None
) -> _Comparison:
    plane = midsagittal_plane(case) if last is None else last.plane
    scores = {
        region: last.scores[region]
        if last is not None and last.holds(region, segmentation, reference)
        else compare_region(
            _volume(segmentation, region, case),
            _volume(reference, region, case),
            case.grid,
            region,
            threshold=threshold,
            plane=plane,
        )
        for region in Region
    }
    return _Comparison(segmentation, reference, plane, scores)


def _volume(masks: _Masks, region: Region, case: Case) -> npt.NDArray[np.bool_] | None:
    return from_display(masks[region] != 0, case.grid) if region in masks else None


def _equal(one: npt.NDArray[np.integer] | None, other: npt.NDArray[np.integer] | None) -> bool:
    if one is None or other is None:
        return one is other
    return bool(np.array_equal(one, other))
