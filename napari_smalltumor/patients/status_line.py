"""Words in napari's status bar that go with a state of the active patient, and end with it.

napari names the selected layer there, which a thread of its own may have found before another
patient became active, and says what is under the cursor on its canvas, also while that is hidden.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

from napari_smalltumor.deferred_calls import later
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel

READY = "Ready"
_READ_MS = 10_000


class StatusLine:
    """The words of a viewer, which are removed with another patient or layer, and after some time.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = ref(viewer)
        self._text = ""
        self._at_cursor: str | None = None  # None while napari's own canvas is shown
        self._patients = active_patient(viewer)
        self._patients.changed.connect(self._on_patient)
        # Last, so that the window shows what this leaves.
        viewer.events.status.connect(self._on_status, position="last")
        viewer.layers.selection.events.active.connect(self._on_selection)

    def say(self, text: str) -> None:
        """Show words, in place of those before."""
        viewer = self._viewer()
        if viewer is not None:
            self._text = viewer.status = text
            later(_READ_MS, partial(self._remove_if, text))

    def remove(self) -> None:
        """Remove the words, unless napari has shown something else since."""
        viewer = self._viewer()
        if viewer is not None and self._text and viewer.status == self._text:
            viewer.status = self._at_cursor or self._otherwise
        self._text = ""

    def follow_planes(self, are_shown: bool) -> None:
        """Show what is under the cursor on the planes, or on napari's canvas again."""
        self._at_cursor = "" if are_shown else None
        viewer = self._viewer()
        if viewer is not None and isinstance(viewer.status, dict):
            viewer.status = self._otherwise

    def say_at_cursor(self, text: str) -> None:
        """Show what is under the cursor on the planes, once other words have been read."""
        viewer = self._viewer()
        if viewer is None or self._at_cursor is None:
            return
        self._at_cursor = text
        if not self._text or viewer.status != self._text:
            viewer.status = text or self._otherwise

    @property
    def _otherwise(self) -> str:
        """What is shown while there is nothing else: that files are being read, if they are."""
        name = self._patients.arrivals.reading
        return f"Reading {name}" if name else READY

    def _on_patient(self) -> None:
        """Remove all words, those of napari about the patient before as well."""
        viewer = self._viewer()
        if viewer is not None:
            viewer.status, viewer.tooltip.text = self._otherwise, ""
        self._text = ""
        if self._at_cursor is not None:
            self._at_cursor = ""

    def _on_status(self, event: Any) -> None:
        """Remove what napari says of its hidden canvas, or of a layer of another patient."""
        viewer = self._viewer()
        if viewer is None or not isinstance(viewer.status, dict):
            return
        if self._at_cursor is not None:
            viewer.status = self._text or self._at_cursor or self._otherwise
            return
        named = viewer.status.get("layer_name") or viewer.status.get("layer_base")
        layer = next((layer for layer in viewer.layers if layer.name == named), None)
        if layer is not None and patient_of(layer) not in (None, self._patients.current):
            viewer.status, viewer.tooltip.text = self._otherwise, ""

    def _remove_if(self, text: str) -> None:
        if self._text == text:
            self.remove()

    def _on_selection(self, event: Any) -> None:
        self.remove()


@one_per_viewer
def status_line(viewer: ViewerModel) -> StatusLine:
    """The words of a viewer; all calls for a viewer return the same object."""
    return StatusLine(viewer)
