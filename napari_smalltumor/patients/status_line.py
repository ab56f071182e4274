"""Words in napari's status bar that go with a state of the active patient, and end with it.

napari names the layer under the cursor there until the cursor moves, also if it is hidden by then.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.deferred_calls import later
from napari_smalltumor.patients.next_picture import next_picture
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
        active_patient(viewer).changed.connect(self._on_patient)
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
            viewer.status = READY
        self._text = ""

    def _on_patient(self) -> None:
        """Remove all words, those of napari about the patient before as well."""
        viewer = self._viewer()
        if viewer is not None:
            viewer.status, viewer.tooltip.text = READY, ""
            next_picture(viewer).then(self._follow_cursor)
        self._text = ""

    def _follow_cursor(self) -> None:
        """Ask napari again, which may have found the layer before while the patient changed."""
        viewer = self._viewer()
        if viewer is not None and not self._text:
            viewer.status, viewer.tooltip.text = READY, ""
            viewer.update_status_from_cursor()

    def _remove_if(self, text: str) -> None:
        if self._text == text:
            self.remove()

    def _on_selection(self, event: Any) -> None:
        self.remove()


@one_per_viewer
def status_line(viewer: ViewerModel) -> StatusLine:
    """The words of a viewer; all calls for a viewer return the same object."""
    return StatusLine(viewer)
