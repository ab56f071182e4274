"""Which layers that are created in the window belong to the active patient.

A result of another plugin is added when its computation has ended. The active patient may be
another one by then, on a grid like that of the first. So a layer that arrives with contents belongs
to a patient only if nothing else was ever open that it can be made of; the user assigns others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from psygnal import Signal
from smalltumor.text import list_text

from napari_smalltumor import notify
from napari_smalltumor.deferred_calls import when_idle
from napari_smalltumor.layers.drawings import is_new
from napari_smalltumor.layers.editing.earlier_scan import is_earlier_scan
from napari_smalltumor.layers.metadata import role_of
from napari_smalltumor.layers.patient import (
    Patient,
    assign,
    is_drawn,
    patient_of,
    patients_among,
    unassign,
)
from napari_smalltumor.patients.created_layers import make_of_patient

if TYPE_CHECKING:
    from napari.components import LayerList
    from napari.layers import Layer

HOW_TO_ASSIGN = (
    "To assign a layer, make its patient active, select the layer, and choose File > IO Utilities "
    "> Assign selected layers to the active patient."
)

_STACK = "stack of images"
"""Name of a merged stack that may show several patients or scans."""


class NewLayers:
    """Assigns new layers to the active patient, and names those that belong to no patient.

    Parameters
    ----------
    layers : LayerList
    active, title : callable
        Return the active patient, and its name for the user.
    """

    unassigned = Signal()
    """A layer belongs to no patient any more."""

    def __init__(
        self, layers: LayerList, active: Callable[[], Patient | None], title: Callable[[], str]
    ) -> None:
        self._layers, self._active, self._title = layers, active, title
        self._selected: list[Layer] = []
        self._seen: WeakSet[Layer] = WeakSet()
        layers.events.inserting.connect(self._on_inserting)
        self._patients: set[Patient] = set()
        self._others_are_open = False
        self._others_were_removed = self._earlier_scan_was_removed = False
        self._unreported: list[Layer] = []
        self._reported: dict[str, WeakSet[Layer]] = {}

    def follow(self, layers: Iterable[Layer]) -> None:
        """Remember whose layers were open.

        A patient who was closed is never forgotten, because nothing tells when the last computation
        on its images ends. A layer that was assigned counts no more.
        """
        layers = list(layers)
        self._patients.update(patients_among(layers))
        unassigned = {layer for layer in layers if _is_unassigned(layer)}
        self._others_are_open = bool(unassigned)
        for text in [t for t, named in self._reported.items() if not unassigned & set(named)]:
            from napari_smalltumor.widgets.readable_messages import close_messages

            del self._reported[text]
            close_messages({text})

    def add(self, layer: Layer) -> None:
        """Assign a layer that was just created to the active patient, if it can only be its own."""
        self._make_of_active(layer)
        active, is_back = self._active(), layer in self._seen
        self._seen.add(layer)
        layer.events.data.connect(self._on_data)
        if not is_back and _is_stack(layer) and not self._can_only_show(patient_of(layer)):
            layer.name = _STACK  # not that of the first image
            self._make_of_nobody(layer)
            return
        if active is None or not is_drawn(layer) or patient_of(layer) is not None:
            return
        original = _original_of(layer)
        if is_new(layer) or self._is_only(active) or _is_of_the_active(original):
            assign(layer, active)
        elif original is None:  # else the user has just copied a layer of no patient
            self._name(layer)

    def _on_inserting(self) -> None:
        """Remember what is selected, which napari makes new labels of."""
        self._selected = list(self._layers.selection)

    def _make_of_active(self, layer: Layer) -> None:
        """Give a layer that the user has just created the name and place of the active patient."""
        active, selected, self._selected = self._active(), self._selected, []
        if active is not None and is_drawn(layer) and patient_of(layer) is None and is_new(layer):
            make_of_patient(layer, selected, self._layers, active, self._title())

    def remove(self, layer: Layer, layers: Iterable[Layer]) -> None:
        """Follow the contents of a layer no more; the others remain."""
        layer.events.data.disconnect(self._on_data)
        self._others_were_removed |= _is_unassigned(layer)
        self._earlier_scan_was_removed |= is_earlier_scan(layer)
        self.follow(layers)

    def _on_data(self, event: Any) -> None:
        """Nothing tells of whom contents are that a plugin has put in the place of others.

        napari has it fill the layer of the same name again, whichever patient that belongs to. Or
        it has added an empty layer, which nothing tells from one that the user created.
        """
        layer = event.source
        patient = patient_of(layer)
        if patient is None or role_of(layer) is not None or self._is_only(patient):
            return
        if patient != self._active() or not _may_be_drawn(event):
            self._make_of_nobody(layer)

    def _make_of_nobody(self, layer: Layer) -> None:
        unassign(layer)
        self._name(layer)
        self.unassigned.emit()

    def _is_only(self, patient: Patient | None) -> bool:
        """Whether no other patient was open, and no layer that still belongs to none."""
        others = self._others_are_open or self._others_were_removed
        return self._patients <= {patient} and not others

    def _can_only_show(self, patient: Patient | None) -> bool:
        """Whether a merged stack holds current images of a patient; napari has removed these."""
        return self._is_only(patient) and not self._earlier_scan_was_removed

    def _name(self, layer: Layer) -> None:
        self._unreported.append(layer)
        if len(self._unreported) == 1:
            when_idle(self._report)

    def _report(self) -> None:
        """Name the layers that belong to no patient, when all that arrive together are there."""
        layers, self._unreported = list(dict.fromkeys(self._unreported)), []
        names = [layer.name for layer in layers]
        one = len(names) == 1
        belong, it, it_is = ("belongs", "it", "it is") if one else ("belong", "they", "they are")
        text = (
            f"{list_text(names)} {belong} to no patient: {it} may have been made of another one "
            f"than the active patient. Until {it_is} assigned, {it_is} shown with every "
            f"patient. {HOW_TO_ASSIGN}"
        )
        self._reported[text] = WeakSet(layers)
        notify.warn(text)


def _is_unassigned(layer: Layer) -> bool:
    return patient_of(layer) is None and role_of(layer) is None


def _is_stack(layer: Layer) -> bool:
    """Whether a layer that was just added has the patient of one image but may show several.

    napari gives a stack that it has merged the metadata of the first image. A copy of a stack shows
    what that shows.
    """
    original = _original_of(layer)
    is_copy = original is not None and patient_of(original) == patient_of(layer)
    is_own = role_of(layer) is not None or patient_of(layer) is None or is_copy
    is_larger = layer.ndim > 3 or getattr(layer, "rgb", False)
    return layer._type_string == "image" and is_larger and not is_own


def _may_be_drawn(event: Any) -> bool:
    """Whether the user may have changed the contents of a layer by hand.

    The brush emits no such event. Points and shapes that are drawn are counted from the end.
    """
    from napari.layers.base import ActionType

    if event.source._type_string not in ("points", "shapes"):
        return False
    return event.action != ActionType.ADDING or min(event.data_indices, default=-1) < 0


def _original_of(layer: Layer) -> Layer | None:
    """The layer that the user has duplicated or converted just now."""
    parent = layer.source.parent
    return parent() if parent is not None else None


def _is_of_the_active(original: Layer | None) -> bool:
    """Whether a layer is the plugin's own and has no case, as the rings of the active patient."""
    return original is not None and role_of(original) is not None
