"""Four layer pickers, one for each modality, kept up to date with the viewer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

from magicgui.widgets import ComboBox
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget
from smalltumor.data.naming.case_files import MODALITIES, MODALITY_TITLES

from napari_smalltumor.layers.modalities import (
    Choice,
    fill_missing,
    images,
    modality_of,
    sibling_layers,
)
from napari_smalltumor.layers.patient import Patient, is_unidentified_image, patient_of
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.widgets.elided_combo_box import elide_long_texts
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

    The images of the active patient are listed, and those whose patient is not known. A case that
    is opened is chosen as a whole. If the user chooses a layer of another case, the other layers of
    that case are chosen as well. The choice for each patient is kept while another one is active.
    A modality that the user sets to none stays without a layer until a file of it is opened.

    Parameters
    ----------
    viewer : ViewerModel
    """

    choice_changed = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._patients = active_patient(viewer)
        self._patient = self._patients.current
        self._choices_of: dict[Patient | None, Choice] = {}
        self._set_to_none: set[tuple[Patient | None, str | None]] = set()
        self._combos = {m: self._picker(m) for m in SHOWN}
        form = form_layout(self, list(self._combos.values()))
        self._titles = {m: form.labelForField(combo.native) for m, combo in self._combos.items()}
        self._connected: set[Any] = set()
        for modality, combo in self._combos.items():
            combo.changed.connect(lambda layer, m=modality: self._on_choice(m, layer))
        self._is_connected = False
        self.choice_changed.connect(self._mark)
        self.destroyed.connect(partial(_disconnect, ref(self)))
        self.connect_viewer()

    @property
    def chosen(self) -> Choice:
        """The layer of every modality, or None."""
        return {m: self._combos[m].value for m in MODALITIES}

    def choose(self, modality: str, layer: Image | None) -> None:
        """Choose a layer as the user would."""
        self._combos[modality].value = layer

    def connect_viewer(self) -> None:
        """Follow the viewer's layers and patients; does nothing if they are followed already."""
        if self._is_connected:
            return
        self._is_connected = True
        events = self._viewer.layers.events
        events.inserted.connect(self._on_inserted)
        events.removed.connect(self._refresh)
        events.reordered.connect(self._refresh)
        self._patients.changed.connect(self._on_patient)
        self._on_patient()

    def disconnect_viewer(self) -> None:
        """Disconnect from the events of the viewer and its layers; may be called twice."""
        self._is_connected = False
        events = self._viewer.layers.events
        self._patients.changed.disconnect(self._on_patient, missing_ok=True)
        events.inserted.disconnect(self._on_inserted)
        events.removed.disconnect(self._refresh)
        events.reordered.disconnect(self._refresh)
        for layer in self._connected:
            layer.events.name.disconnect(self._refresh)
        self._connected.clear()

    def _on_inserted(self, event: Any = None) -> None:
        if event is not None:
            self._set_to_none.discard((patient_of(event.value), modality_of(event.value)))
        latest = self._complete(dict.fromkeys(MODALITIES))
        complete = all(latest.values())
        fresh = event is not None and event.value in latest.values()
        self._show(latest if complete and fresh else self._complete(self.chosen))

    def _refresh(self, event: Any = None) -> None:
        self._show(self._complete(self.chosen))

    def _on_patient(self) -> None:
        """Show the choice for the patient that is active now."""
        self._choices_of[self._patient] = self.chosen
        self._patient = self._patients.current
        open_patients = self._patients.patients
        self._choices_of = {p: c for p, c in self._choices_of.items() if p in open_patients}
        self._set_to_none = {(p, m) for p, m in self._set_to_none if p in open_patients}
        before = self._choices_of.get(self._patient, dict.fromkeys(MODALITIES))
        self._show(self._complete(before))

    def _complete(self, chosen: Mapping[str, Image | None]) -> Choice:
        """Choose images for the missing modalities, if possible of the active patient."""
        own, listed = self._patients.layers, self._listed_images()
        kept = {m: layer if layer in listed else None for m, layer in chosen.items()}
        of_patient = fill_missing({m: x if x in own else None for m, x in kept.items()}, own)
        filled = fill_missing({m: kept.get(m) or of_patient[m] for m in MODALITIES}, listed)
        return self._without_those_set_to_none(filled)

    def _without_those_set_to_none(self, chosen: Choice) -> Choice:
        unwanted = {m for patient, m in self._set_to_none if patient == self._patient}
        return {m: None if m in unwanted else layer for m, layer in chosen.items()}

    def _listed_images(self) -> list[Image]:
        in_use = self._patients.layers_in_use
        layers = self._viewer.layers
        others = [x for x in layers if is_unidentified_image(x) and not self._patients.awaits(x)]
        return images(x for x in layers if x in in_use or x in others)

    def _on_choice(self, modality: str, layer: Image | None) -> None:
        if layer is None:
            self._set_to_none.add((self._patient, modality))
            self.choice_changed.emit()
            return
        self._set_to_none.discard((self._patient, modality))
        whole = sibling_layers(layer, modality, self._listed_images())
        if whole is not None:
            self._show(self._without_those_set_to_none(whole))
        else:
            self.choice_changed.emit()

    def _show(self, chosen: Choice) -> None:
        self._connect_names(self._listed_images())
        for modality, combo in self._combos.items():
            with combo.changed.blocked():
                combo.reset_choices()
                combo.value = chosen[modality]
        self.choice_changed.emit()

    def _mark(self) -> None:
        """Mark the modalities that have no layer, or that of another modality."""
        chosen = self.chosen
        for modality, title in self._titles.items():
            own = modality_of(chosen[modality]) if chosen[modality] is not None else None
            is_wrong = own not in (modality, None) or (self._patient and not chosen[modality])
            title.setText(f"{'⚠ ' if is_wrong else ''}{MODALITY_TITLES[modality]}")

    def _choices(self, combo: ComboBox) -> list[tuple[str, Image]]:
        return [(layer.name, layer) for layer in reversed(self._listed_images())]

    def _connect_names(self, layers: list[Image]) -> None:
        for layer in self._connected - set(layers):
            layer.events.name.disconnect(self._refresh)
        for layer in set(layers) - self._connected:
            layer.events.name.connect(self._refresh)
        self._connected = set(layers)

    def _picker(self, modality: str) -> ComboBox:
        combo = ComboBox(
            label=MODALITY_TITLES[modality],
            choices=self._choices,
            nullable=True,  # otherwise `changed` is not emitted for none
            tooltip=f"Layer with {_PURPOSE[modality]}",
        )
        combo.null_string = "none (missing)"
        combo.reset_choices()
        elide_long_texts(combo.native)  # the modality is at the end of a layer's name
        return combo


def _disconnect(pickers: ref[ModalityPickers]) -> None:
    # By reference: the signal would keep the pickers of a closed dock in memory.
    existing = pickers()
    if existing is not None:
        existing.disconnect_viewer()
