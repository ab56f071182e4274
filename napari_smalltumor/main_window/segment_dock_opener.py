"""The Segment dock opens with the first case that the user opens in a window without docks.

Whoever drops a case on napari's canvas, or opens it from a menu, would otherwise see images and no
next step. Cases that a script has opened before are not counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from napari_smalltumor.deferred_calls import in_next_turn, when_idle
from napari_smalltumor.patients.active_patient import ActivePatient, active_patient
from napari_smalltumor.viewer import one_per_viewer, qt_main_window
from napari_smalltumor.widgets.docks.open_dock import open_dock

if TYPE_CHECKING:
    from napari.components import ViewerModel


class SegmentDockOpener:
    """Opens the Segment dock once in a window, and never after a dock was opened or closed in it.

    Parameters
    ----------
    viewer : ViewerModel
    patients : ActivePatient
    """

    def __init__(self, viewer: ViewerModel, patients: ActivePatient) -> None:
        self._viewer, self._patients = ref(viewer), patients
        self._is_over = self._is_waiting = False

    def open_with_next_case(self) -> None:
        """Open the dock when the case that the user is opening is active."""
        if not (self._is_waiting or self._is_over):
            self._is_waiting = True
            self._patients.changed.connect(self._on_changed)

    def open_first(self) -> None:
        """Open the dock before another one that is opened with a case, and would end this."""
        viewer: Any = self._viewer()
        if viewer is not None and not self._is_over:
            open_dock(viewer, "Segment")

    def end(self) -> None:
        """Open no dock in this window: it has one, or had one that the user has closed."""
        self._is_over = True

    def _on_changed(self) -> None:
        if self._patients.current is not None:
            self._patients.changed.disconnect(self._on_changed)
            when_idle(self._open_once_shown)

    def _open_once_shown(self) -> None:
        """A case that is named on the command line is read before its window is shown."""
        viewer = self._viewer()
        window = qt_main_window(viewer) if viewer is not None else None
        if window is not None:
            from napari_smalltumor.widgets.docks.once_shown import (
                once_shown,  # readers import no Qt
            )

            once_shown(window, self._open)

    def _open(self) -> None:
        viewer: Any = self._viewer()
        if self._is_over or viewer is None or self._patients.current is None:
            return
        open_dock(viewer, "Segment")
        in_next_turn(self._fit)  # when the canvas has the width that the dock leaves it

    def _fit(self) -> None:
        """Fit the canvas to the case, if it is all there is; no other layer's view is moved."""
        viewer = self._viewer()
        if viewer is not None and len(viewer.layers) == len(self._patients.layers):
            viewer.reset_view(layers=self._patients.layers, reset_camera_angle=False)


@one_per_viewer
def segment_dock_opener(viewer: ViewerModel) -> SegmentDockOpener:
    """What opens the Segment dock of a viewer; all calls for a viewer return the same object."""
    return SegmentDockOpener(viewer, active_patient(viewer))
