"""Messages about the active patient, which are removed when another one is active."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_smalltumor import notify
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel


class ActiveMessages:
    """The messages about the active patient of a viewer.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._texts: set[str] = set()
        active_patient(viewer).changed.connect(self.remove)

    def say(self, text: str) -> None:
        """Show a message, in the place of the same one if that is still shown."""
        if text in self._texts:
            self.remove(text)
        self._texts.add(text)
        notify.info(text)

    def remove(self, text: str = "") -> None:
        """Remove a message that is still shown, or all of them."""
        texts = {text} if text else set(self._texts)
        self._texts -= texts
        if texts:
            from napari_smalltumor.widgets.readable_messages import close_messages

            close_messages(texts)


@one_per_viewer
def active_messages(viewer: ViewerModel) -> ActiveMessages:
    """The messages of a viewer; all calls for a viewer return the same object."""
    return ActiveMessages(viewer)
