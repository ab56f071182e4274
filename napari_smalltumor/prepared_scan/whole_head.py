"""Shows T1CE before the brain extraction, so that the brain mask can be painted where it lacks."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject
from smalltumor.data.case import REFERENCE
from smalltumor.scanner.prepared.prepared_case import PreparedCase
from smalltumor.scanner.prepared.series_of_case import NotTheScanError, series_in

from napari_smalltumor import notify
from napari_smalltumor.deferred_calls import once_idle, when_idle
from napari_smalltumor.layers.coordinates import display_transform, to_display
from napari_smalltumor.layers.create import contrast_limits
from napari_smalltumor.layers.patient import assign, patient_of
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.case_title import case_title
from napari_smalltumor.prepared_scan.scan_layers import ScanLayers
from napari_smalltumor.scanner.archives import unpacked_folder
from napari_smalltumor.scanner.known_scans import forget_scan, remember_scan
from napari_smalltumor.workers import run_in_thread

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer


class WholeHead(QObject):
    """An image layer of the whole head in place of T1CE, while the brain mask is painted.

    It is a plain layer of the patient: it is neither segmented nor exported.

    Parameters
    ----------
    parent : QObject
    viewer : Viewer
    """

    def __init__(self, parent: QObject, viewer: Viewer) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._wanted: ScanLayers | None = None
        self._layer: Image | None = None
        self.busy = False

    def show(self, layers: ScanLayers, prepared: PreparedCase, scan: Path) -> None:
        """Read the head from the scan in a worker, and show it."""
        self.hide()
        self._wanted, self.busy = layers, True
        run_in_thread(
            lambda: _read(prepared, scan),
            self,
            once_idle(self, partial(self._on_read, layers, scan)),
            partial(self._on_failed, layers),
            name=f"reading of {case_title(self._viewer, layers.case)}",
        )

    def hide(self) -> None:
        """Show T1CE as it is stored."""
        layers, self._wanted = self._wanted, None
        head, self._layer = self._layer, None
        if head is not None and head in self._viewer.layers:
            head.visible = False
            when_idle(partial(_remove, self._viewer, head))
            if layers is not None:
                active_patient(self._viewer).set_shown(layers.images[REFERENCE], True)

    def _on_read(self, layers: ScanLayers, scan: Path, head: npt.NDArray[np.generic]) -> None:
        self.busy = False
        remember_scan(layers.folder, scan)
        reference = layers.images[REFERENCE]
        if layers is not self._wanted or reference not in self._viewer.layers:
            return
        self._layer = self._add(layers, head)
        active_patient(self._viewer).set_shown(reference, False)

    def _add(self, layers: ScanLayers, head: npt.NDArray[np.generic]) -> Image:
        """Insert the layer below T1CE; the brush stays in hand."""
        from napari.layers import Image

        layer = Image(
            to_display(head, layers.case.grid),
            name=f"{layers.case.name} whole head",
            colormap="gray",
            contrast_limits=contrast_limits(head),
            interpolation2d="linear",
            **display_transform(layers.case.grid),
        )
        reference = layers.images[REFERENCE]
        patient = patient_of(reference)
        if patient is not None:
            assign(layer, patient)
        selected = list(self._viewer.layers.selection)
        self._viewer.layers.insert(self._viewer.layers.index(reference), layer)
        self._viewer.layers.selection = selected
        return layer

    def _on_failed(self, layers: ScanLayers, error: Exception) -> None:
        self.busy = False
        if layers is self._wanted:
            self._wanted = None
        if isinstance(error, NotTheScanError):  # ask for the folder again at the next attempt
            forget_scan(layers.folder)
        notify.report_error(error)


def _remove(viewer: Viewer, layer: Image) -> None:
    """Remove a layer if it is still there.

    It is called when napari has removed the layers that were selected: it raises an error for one
    that is gone before its turn.
    """
    if layer in viewer.layers:
        viewer.layers.remove(layer)


def _read(prepared: PreparedCase, scan: Path) -> npt.NDArray[np.generic]:
    return series_in(unpacked_folder(scan), prepared)[REFERENCE].read().data
