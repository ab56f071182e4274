"""The active patient's name in the title of the viewer's window."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from weakref import ref

from napari_smalltumor.patients.switching.next_frame import next_frame

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from psygnal import SignalInstance


class WindowTitle:
    """Puts the active patient's name before the title that the viewer has otherwise.

    No title is above the frame of another patient: nobody is named from the time at which another
    patient becomes active until its frame is drawn.

    Parameters
    ----------
    viewer : ViewerModel
    patient_name : callable
        Returns the active patient's name; empty if there is none.
    changes : iterable of SignalInstance
        Emitted when the name may have changed.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        patient_name: Callable[[], str],
        changes: Iterable[SignalInstance],
    ) -> None:
        self._viewer, self._patient_name = ref(viewer), patient_name
        self._frame = next_frame(viewer)
        self._base = self._shown = viewer.title
        self._named = ""
        for changed in changes:
            changed.connect(self._on_change)
        self._name()

    def _on_change(self) -> None:
        if self._patient_name() == self._named:
            self._show(self._named)
            return
        self._show("")
        self._frame.then(self._name)

    def _name(self) -> None:
        self._show(self._patient_name())

    def _show(self, name: str) -> None:
        viewer = self._viewer()
        if viewer is None:
            return
        if viewer.title != self._shown:  # another program has changed it
            self._base = viewer.title
        self._named = name
        self._shown = f"{name} – {self._base}" if name else self._base
        if viewer.title != self._shown:
            viewer.title = self._shown
