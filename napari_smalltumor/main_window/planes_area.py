"""Three planes and 3D in four quarters, or one of them alone or beside the earlier scan's."""

from __future__ import annotations

from enum import StrEnum
from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QWidget

from napari_smalltumor.planes.canvas import PlaneCanvas
from napari_smalltumor.planes.earlier_canvas import EarlierCanvas
from napari_smalltumor.planes.linked_planes import LinkedPlanes
from napari_smalltumor.planes.mouse import PlaneMouse
from napari_smalltumor.planes.plane import PLANES
from napari_smalltumor.planes.surface_view import SurfaceView

_LINE = 2
"""Pixels between two quarters."""


class Layout(StrEnum):
    """What the window shows; the values are the names that the user sees."""

    CANVAS = "napari"
    """napari's own canvas."""
    FOUR = "Four views"
    """Axial and coronal above, sagittal and 3D below."""
    AXIAL = "Axial"
    CORONAL = "Coronal"
    SAGITTAL = "Sagittal"
    SURFACES = "3D"


QUARTERS = (Layout.AXIAL, Layout.CORONAL, Layout.SAGITTAL, Layout.SURFACES)


class PlanesArea(QWidget):
    """Four views, of which all or one are shown; a double click enlarges one of them.

    A plane that is shown alone may have the same plane of an earlier scan on its left.

    Parameters
    ----------
    planes : LinkedPlanes
    """

    layout_changed = Signal(str)

    def __init__(self, planes: LinkedPlanes) -> None:
        super().__init__()
        self.canvases = [PlaneCanvas(planes, plane) for plane in PLANES]
        self.surfaces = SurfaceView(planes)
        views: list[PlaneCanvas | SurfaceView] = [*self.canvases, self.surfaces]
        self.views = dict(zip(QUARTERS, views, strict=True))
        self.earlier = {
            Layout(canvas.plane.name): EarlierCanvas(planes, canvas.plane)
            for canvas in self.canvases
        }
        self.shown = Layout.FOUR
        self._is_beside = False
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_LINE)
        for number, (quarter, view) in enumerate(self.views.items()):
            self._grid.addWidget(view, number // 2, 1 + number % 2)
            view.double_clicked.connect(partial(self._toggle_enlarged, quarter))
        for number, (quarter, earlier) in enumerate(self.earlier.items()):
            self._grid.addWidget(earlier, number // 2, 0)
            earlier.double_clicked.connect(partial(self._toggle_enlarged, quarter))
        for canvas in (*self.canvases, *self.earlier.values()):
            PlaneMouse(canvas)
        self.show_layout(Layout.FOUR)

    def show_layout(self, layout: Layout) -> None:
        """Show all four views or one of them.

        Parameters
        ----------
        layout : Layout
            Any except ``CANVAS``.
        """
        self.shown = layout
        visible = [layout in (Layout.FOUR, quarter) for quarter in QUARTERS]
        for view, shown in zip(self.views.values(), visible, strict=True):
            view.setVisible(shown)
        for quarter, earlier in self.earlier.items():
            earlier.setVisible(self._is_beside and quarter is layout)
        for index in (0, 1):
            self._grid.setRowStretch(index, int(any(visible[2 * index : 2 * index + 2])))
            self._grid.setColumnStretch(1 + index, int(any(visible[index::2])))
        self._grid.setColumnStretch(0, int(self._is_beside and layout in self.earlier))
        self.layout_changed.emit(str(layout))

    @property
    def is_beside(self) -> bool:
        """Whether a plane of the earlier scan is shown beside that of the present one."""
        return self._is_beside and self.shown in self.earlier

    def show_beside(self, beside: bool) -> None:
        """Show a plane beside that of the earlier scan, the axial one if no plane is alone."""
        if beside == self._is_beside and (not beside or self.is_beside):
            return
        self._is_beside = beside
        alone = self.shown in self.earlier
        self.show_layout(Layout.AXIAL if beside and not alone else self.shown)

    def _toggle_enlarged(self, quarter: Layout) -> None:
        self.show_layout(Layout.FOUR if self.shown is quarter else quarter)
