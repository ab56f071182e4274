"""A plane of an earlier scan of the patient, beside the same plane of the current one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QPainter, QPaintEvent

from napari_smalltumor.layers.editing.earlier_scan import layers_of_earlier_scan
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.planes.canvas import PlaneCanvas
from napari_smalltumor.planes.drawing import overlays
from napari_smalltumor.planes.linked_planes import LinkedPlanes
from napari_smalltumor.planes.plane import Plane

if TYPE_CHECKING:
    from napari.layers import Image, Labels, Layer

_NONE = "No earlier scan of this patient is compared"


class EarlierCanvas(PlaneCanvas):
    """Shows the earlier scan at the crosshair, with its contours; nothing can be painted on it.

    Its image is drawn whether or not its layer is visible, so that it never covers the current scan
    in the other planes.

    Parameters
    ----------
    planes : LinkedPlanes
    plane : Plane
    """

    def __init__(self, planes: LinkedPlanes, plane: Plane) -> None:
        super().__init__(planes, plane)
        self.setAccessibleName(f"{plane.name} plane of the earlier scan")

    @property
    def layers(self) -> list[Layer]:
        """The image of the earlier scan, and its contours if they can be seen."""
        viewer = self.planes.viewer
        if viewer is None:
            return []
        found = layers_of_earlier_scan(active_patient(viewer).layers_in_use)
        return [layer for layer in found if self.planes.layers.placement(layer)]

    @property
    def ringed(self) -> list[Layer]:
        """No rings: they mark lesions of the current scan."""
        return []

    @property
    def painted(self) -> Labels | None:
        """No layer: the masks are those of the current scan."""
        return None

    @property
    def windowed(self) -> Image | None:
        """The image of the earlier scan."""
        return next((x for x in self.layers if x._type_string == "image"), None)

    @property
    def may_edit(self) -> bool:
        """Never."""
        return False

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the earlier scan, or say that there is none."""
        super().paintEvent(event)
        if not self.layers:
            painter = QPainter(self)
            where = QRectF(self.rect())
            overlays.draw_text(painter, where, _NONE, Qt.AlignmentFlag.AlignCenter, self.font())
