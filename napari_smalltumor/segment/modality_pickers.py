"""Four layer pickers, one for each modality, kept up to date with the viewer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

from magicgui.widgets import ComboBox
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget
from smalltumor.data.case_files import MODALITIES, MODALITY_TITLES

from napari_smalltumor.layers.modalities import (
    Choice,
    fill_missing,
    images,
    newest_case_layers,
    sibling_layers,
)
from napari_smalltumor.widgets.layouts import form_layout

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

SHOWN = ("t1", "t1ce", "t2", "flair")
_PURPOSE = {
    "t1": "T1 without contrast agent",
    "t1ce": "T1 with contrast agent; results lie on its grid",
    "t2": "T2",
    "flair": "T2 with the fluid suppressed",
}


class ModalityPickers(QWidget):
    """A row for each modality with the layer that is used for it.

    A case that is opened is chosen as a whole. If the user chooses a layer of another case, the
    other layers of that case are chosen as well.

    Parameters
    ----------
    viewer : ViewerModel
    """

    choice_changed = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._combos = {m: self._picker(m) for m in SHOWN}
        form_layout(self, list(self._combos.values()))
        self._connected: set[Any] = set()
        for modality, combo in self._combos.items():
            combo.changed.connect(lambda layer, m=modality: self._on_choice(m, layer))
        events = viewer.layers.events
        events.inserted.connect(self._on_inserted)
        events.removed.connect(self._refresh)
        events.reordered.connect(self._refresh)
        self.destroyed.connect(partial(_disconnect, ref(self)))
        self._show(newest_case_layers(viewer.layers))

    @property
    def chosen(self) -> Choice:
        """The layer of every modality, or None."""
        return {m: self._combos[m].value for m in MODALITIES}

    def choose(self, modality: str, layer: Image | None) -> None:
        """Choose a layer as the user would."""
        self._combos[modality].value = layer

    def disconnect_viewer(self) -> None:
        """Disconnect from the events of the viewer and its layers; may be called twice."""
        events = self._viewer.layers.events
        events.inserted.disconnect(self._on_inserted)
        events.removed.disconnect(self._refresh)
        events.reordered.disconnect(self._refresh)
        for layer in self._connected:
            layer.events.name.disconnect(self._refresh)
        self._connected.clear()

    def _on_inserted(self, event: Any = None) -> None:
        latest = newest_case_layers(self._viewer.layers)
        complete = all(latest.values())
        fresh = event is not None and event.value in latest.values()
        self._show(latest if complete and fresh else fill_missing(self.chosen, self._viewer.layers))

    def _refresh(self, event: Any = None) -> None:
        self._show(fill_missing(self.chosen, self._viewer.layers))

    def _on_choice(self, modality: str, layer: Image | None) -> None:
        if layer is None:
            self.choice_changed.emit()
            return
        whole = sibling_layers(layer, modality, self._viewer.layers)
        if whole is not None:
            self._show(whole)
        else:
            self.choice_changed.emit()

    def _show(self, chosen: Choice) -> None:
        self._connect_names(images(self._viewer.layers))
        for modality, combo in self._combos.items():
            with combo.changed.blocked():
                combo.reset_choices()
                combo.value = chosen[modality]
        self.choice_changed.emit()

    def _choices(self, combo: ComboBox) -> list[tuple[str, Image | None]]:
        layers = reversed(images(self._viewer.layers))
        return [("none", None), *((layer.name, layer) for layer in layers)]

    def _connect_names(self, layers: list[Image]) -> None:
        for layer in self._connected - set(layers):
            layer.events.name.disconnect(self._refresh)
        for layer in set(layers) - self._connected:
            layer.events.name.connect(self._refresh)
        self._connected = set(layers)

    def _picker(self, modality: str) -> ComboBox:
        return ComboBox(
            label=MODALITY_TITLES[modality],
            choices=self._choices,
            tooltip=f"Layer with {_PURPOSE[modality]}",
        )


def _disconnect(pickers: ref[ModalityPickers]) -> None:
    # By reference: the signal would keep the pickers of a closed dock in memory.
    existing = pickers()
    if existing is not None:
        existing.disconnect_viewer()
