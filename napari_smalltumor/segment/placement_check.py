"""Looks in a worker whether the regions of a case lie where the tumour is in its images."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, Signal
from smalltumor.data.case import Case
from smalltumor.data.mask_placement.mask_placement import placement_text
from smalltumor.labels.regions import Region

from napari_smalltumor import notify
from napari_smalltumor.layers.masks.region_masks import compose
from napari_smalltumor.workers import run_in_thread

if TYPE_CHECKING:
    from napari.layers import Labels


class PlacementCheck(QObject):
    """Checks regions, and forgets what it is asked about when it is asked again.

    Parameters
    ----------
    parent : QObject
    """

    found = Signal(str)
    """What is doubtful about the place of the regions asked about last; empty if nothing is."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._number = 0

    def start(self, case: Case, layers: Mapping[Region, Labels]) -> None:
        """Check regions as they are now."""
        self.forget()
        masks = {region: np.array(layer.data) for region, layer in layers.items()}
        run_in_thread(
            lambda: placement_text(case, compose(masks, case).classes),
            self,
            partial(self._on_checked, self._number),
            partial(self._on_failed, self._number),
            name="check of the masks",
        )

    def forget(self) -> None:
        """Report nothing about the regions that are being checked."""
        self._number += 1

    def _on_failed(self, number: int, error: Exception) -> None:
        if number == self._number:
            notify.report_error(error)

    def _on_checked(self, number: int, text: str) -> None:
        if number == self._number:
            self.found.emit(text)
