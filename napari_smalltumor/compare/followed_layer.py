"""Notice edits of the layer that a reference was copied from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject
from superqt.utils import QSignalDebouncer

if TYPE_CHECKING:
    from napari.layers import Labels

_DEBOUNCE_MS = 500
_EDIT_EVENTS = ("labels_update", "paint", "data")


class FollowedLayer(QObject):
    """Calls a function some time after a layer was edited.

    Parameters
    ----------
    edited : callable
        Called with the layer.
    parent : QObject
    """

    def __init__(self, edited: Callable[[Labels], None], parent: QObject) -> None:
        super().__init__(parent)
        self._edited = edited
        self._layer: Labels | None = None
        self._debouncer = QSignalDebouncer(parent=self)
        self._debouncer.setTimeout(_DEBOUNCE_MS)
        self._debouncer.triggered.connect(self._report)

    def follow(self, layer: Labels | None) -> None:
        """Follow this layer and no other; None for no layer."""
        if layer is self._layer:
            return
        if self._layer is not None:
            _connect(self._layer, "disconnect", self._on_edit)
        self._layer = layer
        if layer is not None:
            _connect(layer, "connect", self._on_edit)

    def _on_edit(self, event: Any = None) -> None:
        self._debouncer.throttle()

    def _report(self) -> None:
        if self._layer is not None:
            self._edited(self._layer)


def _connect(layer: Labels, method: str, callback: Callable[[Any], None]) -> None:
    for name in _EDIT_EVENTS:
        getattr(getattr(layer.events, name), method)(callback)
