"""What the planes of a viewer have in common: the crosshair, the view and the shown layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.planes.drawing.ruler import Distance
from napari_smalltumor.planes.plane import Plane, Point
from napari_smalltumor.planes.shown_layers import ShownLayers
from napari_smalltumor.planes.view import View
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_smalltumor.layers.patient import Patient

_EMPTY = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])


class LinkedPlanes:
    """The crosshair and the view of the planes of a viewer.

    The crosshair is the point of napari's sliders, ``viewer.dims.point``, which is kept for each
    patient. The view is kept for each patient, too.

    Parameters
    ----------
    viewer : ViewerModel
    """

    changed = Signal()
    """Draw all planes again."""
    alt_clicked = Signal(tuple, bool)
    """Alt and the left button were pressed: world coordinates, and whether Shift was held."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = ref(viewer)
        self._dims = viewer.dims
        self._patients = active_patient(viewer)
        self._views: dict[Patient | None, View] = {}
        self.follows_cursor = False
        self._is_measuring = False
        self._distances: dict[Patient | None, Distance] = {}
        self.layers = ShownLayers(viewer)
        self.layers.changed.connect(self.changed.emit)
        self._dims.events.point.connect(self._on_point)
        self._patients.patients_changed.connect(self._forget_closed)

    @property
    def viewer(self) -> ViewerModel | None:
        """The viewer, while it exists."""
        return self._viewer()

    @property
    def patient_titles(self) -> list[str]:
        """Names of all open patients, which the name in a plane must not look like."""
        return [self._patients.title_of(patient) for patient in self._patients.patients]

    @property
    def position(self) -> Point:
        """World coordinates of the crosshair."""
        point = (0.0, 0.0, 0.0, *self._dims.point)[-3:]
        return float(point[0]), float(point[1]), float(point[2])

    def move_to(self, point: Point) -> None:
        """Move the crosshair, at most to the edge of the images."""
        bounds = self.layers.bounds
        inside = np.asarray(point) if bounds is None else np.clip(point, *bounds)
        axes = range(self._dims.ndim - 3, self._dims.ndim)
        if self._dims.ndim >= 3 and not np.array_equal(inside, self.position):
            self._dims.set_point(list(axes), [float(x) for x in inside])

    def step(self, plane: Plane, slices: int) -> None:
        """Move the crosshair by some slices along the axis that a plane slices."""
        drawn = self.layers.drawn
        if not drawn:
            return
        placement = self.layers.placement(drawn[0])
        assert placement is not None
        point = list(self.position)
        point[plane.sliced] += slices * abs(float(placement.step[plane.sliced]))
        self.move_to((point[0], point[1], point[2]))

    @property
    def extent(self) -> npt.NDArray[np.float64]:
        """Lowest and highest world coordinates (2, 3) of the head, which a fitted view shows."""
        content = self.layers.content
        return _EMPTY if content is None else content

    @property
    def view(self) -> View:
        """The part of the world that the planes show."""
        return self._views.get(self._patients.current, View())

    @view.setter
    def view(self, view: View) -> None:
        self._views[self._patients.current] = view
        self.changed.emit()

    @property
    def is_measuring(self) -> bool:
        """Whether the left button draws a line, whose length is shown, in place of a stroke."""
        return self._is_measuring

    @is_measuring.setter
    def is_measuring(self, is_measuring: bool) -> None:
        self._is_measuring = is_measuring
        self._distances.clear()
        self.changed.emit()

    @property
    def distance(self) -> Distance | None:
        """The distance that was measured last in the active patient."""
        return self._distances.get(self._patients.current)

    @distance.setter
    def distance(self, distance: Distance) -> None:
        self._distances[self._patients.current] = distance
        self.changed.emit()

    def fit(self) -> None:
        """Show all of the images."""
        self.view = View()

    def look_at(self, point: Point, size_mm: float) -> None:
        """Move crosshair and view to a point; the view is magnified if it shows more than a size.

        Parameters
        ----------
        point : tuple of float
            World coordinates.
        size_mm : float
            What the shorter side of each plane shows at most.
        """
        before = self.view.size_mm
        self._views[self._patients.current] = View(
            point, size_mm if before is None else min(before, size_mm)
        )
        self.move_to(point)
        self.changed.emit()

    def _on_point(self, event: Any = None) -> None:
        self.changed.emit()

    def _forget_closed(self) -> None:
        open_patients = (None, *self._patients.patients)
        self._views = {p: view for p, view in self._views.items() if p in open_patients}
        self._distances = {p: mm for p, mm in self._distances.items() if p in open_patients}


@one_per_viewer
def linked_planes(viewer: ViewerModel) -> LinkedPlanes:
    """The planes of a viewer; all calls for a viewer return the same object."""
    return LinkedPlanes(viewer)
