"""napari's list of layers: where it is in the window, and what of it is in view."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import ref

from napari_smalltumor.deferred_calls import when_idle
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer import one_per_viewer, qt_main_window

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QAbstractItemView


def layer_lists(viewer: ViewerModel) -> list[QAbstractItemView]:
    """The lists of layers in a viewer's window, known by the menu that their delegate opens."""
    from qtpy.QtWidgets import QAbstractItemView

    window = qt_main_window(viewer)
    views = window.findChildren(QAbstractItemView) if window is not None else []
    return [view for view in views if hasattr(view.itemDelegate(), "show_context_menu")]


class ActivePatientInView:
    """Scrolls the list to the layers of another active patient, which are at its top.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = ref(viewer)
        active_patient(viewer).changed.connect(self._scroll_later)

    def _scroll_later(self) -> None:
        """Scroll when the layers of the other patients have been moved to the bottom."""
        when_idle(self._scroll)

    def _scroll(self) -> None:
        viewer = self._viewer()
        for view in layer_lists(viewer) if viewer is not None else ():
            view.scrollToTop()
            view.scrollTo(view.currentIndex())


@one_per_viewer
def ensure_active_patient_in_view(viewer: ViewerModel) -> ActivePatientInView:
    """Scroll to the layers of each patient who becomes active; returns the same object again."""
    return ActivePatientInView(viewer)
