"""Notice edits of region layers, some time after the first of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject
from superqt.utils import qthrottled

if TYPE_CHECKING:
    from napari.layers import Labels

INTERVAL_MS = 500
EDIT_EVENTS = ("labels_update", "paint", "set_data", "data")
"""`set_data` alone tells of an undo; it is also emitted for each slice that is shown."""


class RegionEdits:
    """Calls a function at most every `INTERVAL_MS` while the layers that it follows are edited.

    Parameters
    ----------
    edited : callable
    parent : QObject
    """

    def __init__(self, edited: Callable[[], None], parent: QObject) -> None:
        self._report = qthrottled(edited, timeout=INTERVAL_MS, leading=False, parent=parent)
        self._layers: tuple[Labels, ...] = ()

    def follow(self, layers: Iterable[Labels]) -> None:
        """Follow these layers and no others."""
        wanted = tuple(layers)
        for layer in self._layers:
            if layer not in wanted:
                _connect(layer, "disconnect", self._on_edit)
        for layer in wanted:
            if layer not in self._layers:
                _connect(layer, "connect", self._on_edit)
        self._layers = wanted
        if not wanted:
            self._report.cancel()

    def _on_edit(self, event: Any = None) -> None:
        self._report()


def _connect(layer: Labels, method: str, callback: Callable[[Any], None]) -> None:
    for name in EDIT_EVENTS:
        getattr(getattr(layer.events, name), method)(callback)
