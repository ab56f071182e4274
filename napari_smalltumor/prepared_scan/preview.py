"""Shows a sequence as it is shifted and turned, before that is stored."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, QTimer
from smalltumor.data.case import REFERENCE
from smalltumor.geometry.grid import Affine
from smalltumor.scanner.registration.motion import moved_image

from napari_smalltumor import notify
from napari_smalltumor.layers.coordinates import to_display
from napari_smalltumor.layers.previews import begin_preview, end_preview
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.prepared_scan.scan_layers import ScanLayers
from napari_smalltumor.workers import run_in_thread

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

_DELAY_MS = 80
_T1CE_OPACITY = 0.5


class Preview(QObject):
    """Replaces the data of one image layer, and lets it show through T1CE.

    napari draws a layer with a rotation wrongly in 2D, so the image is resampled, in a worker.

    Parameters
    ----------
    viewer : ViewerModel
    parent : QObject
    """

    def __init__(self, viewer: ViewerModel, parent: QObject) -> None:
        super().__init__(parent)
        self._patients = active_patient(viewer)
        self._layers: ScanLayers | None = None
        self._modality = ""
        self._motion: Affine | None = None
        self._before: tuple[bool, float] = (False, 1.0)
        self._computing = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DELAY_MS)
        self._timer.timeout.connect(self._compute)

    @property
    def busy(self) -> bool:
        """Whether an image is being moved."""
        return self._computing or bool(self._timer.isActive())

    def show(self, layers: ScanLayers, modality: str, motion: Affine) -> None:
        """Show a sequence moved; earlier motions of it are replaced."""
        if self._layers is not layers or self._modality != modality:
            self.end()
            self._layers, self._modality = layers, modality
            layer, reference = self._shown(layers)
            begin_preview(layer)
            self._before = self._patients.is_shown(layer), float(reference.opacity)
            for shown in (layer, reference):
                self._patients.set_shown(shown, True)
            reference.opacity = _T1CE_OPACITY
        self._motion = motion
        self._timer.start()

    def end(self) -> None:
        """Show the sequence as it is stored."""
        self._timer.stop()
        layers, self._layers, self._motion = self._layers, None, None
        if layers is None:
            return
        layer, reference = self._shown(layers)
        layer.data = to_display(layers.case.volumes[self._modality], layers.case.grid)
        shown, reference.opacity = self._before
        self._patients.set_shown(layer, shown)  # another patient may be active by now
        end_preview(layer)

    def _shown(self, layers: ScanLayers) -> tuple[Image, Image]:
        return layers.images[self._modality], layers.images[REFERENCE]

    def _compute(self) -> None:
        layers, motion = self._layers, self._motion
        if layers is None or motion is None or self._computing:
            return
        self._computing = True
        image, grid = layers.case.volumes[self._modality], layers.case.grid
        run_in_thread(
            lambda: moved_image(image, grid, motion),
            self,
            partial(self._on_moved, layers, motion),
            self._on_failed,
            name=f"preview of {layers.case.name}",
        )

    def _on_moved(self, layers: ScanLayers, motion: Affine, image: npt.NDArray[np.float32]) -> None:
        self._computing = False
        if layers is not self._layers:
            self._compute()
            return
        layers.images[self._modality].data = to_display(image, layers.case.grid)
        if self._motion is not motion:
            self._compute()

    def _on_failed(self, error: Exception) -> None:
        self._computing = False
        notify.report_error(error)
