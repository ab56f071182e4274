"""napari's *Save All Layers* and *Save Selected Layers* write layers of the active patient only.

napari passes all layers to the writer of the chosen format, which may be that of another plugin.
The two commands are off in the *File* menu while they would write hidden layers. The command
palette runs them all the same, and a script calls `LayerList.save`, so that one refuses as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from smalltumor.errors import OutputError
from smalltumor.text import list_text

from napari_smalltumor.layers.patient import Patient, patients_among
from napari_smalltumor.patients.active_patient import ActivePatient, active_patient
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.components import LayerList, ViewerModel
    from napari.layers import Layer

SAVE_ALL = "napari.window.file.save_layers_dialog"
SAVE_SELECTED = "napari.window.file.save_layers_dialog.selected"
_REASON = "Disabled, because it would write hidden layers of another patient"


class SaveCommands:
    """Enables and disables the two commands of napari's *File* menu.

    Parameters
    ----------
    layers : LayerList
    patients : ActivePatient
    menu : QModelMenu
        The *File* menu.
    """

    def __init__(self, layers: LayerList, patients: ActivePatient, menu: Any) -> None:
        self._layers, self._patients, self._menu = layers, patients, menu
        menu.aboutToShow.connect(self._update)  # after napari, which enables both
        patients.changed.connect(self._update)
        patients.patients_changed.connect(self._update)
        layers.selection.events.changed.connect(self._update)
        self._save = layers.save
        layers.save = self._save_unless_hidden
        self._update()

    def _save_unless_hidden(
        self, path: Any, *, selected: bool = False, **options: Any
    ) -> list[str]:
        """Save as `LayerList.save` does.

        Raises
        ------
        OutputError
            If a layer of a hidden patient is among those to save. Nothing is then saved.
        """
        layers = self._layers.selection if selected else self._layers
        hidden = self._hidden_patients(layers)
        if hidden:
            names = list_text(self._patients.title_of(patient) for patient in hidden)
            raise OutputError(
                f"Nothing was saved: some of the layers belong to {names}, and the active patient "
                "is "
                f"{self._patients.title or 'none'}; select layers of one patient"
            )
        return self._save(path, selected=selected, **options)

    def _hidden_patients(self, layers: Iterable[Layer]) -> list[Patient]:
        return [p for p in patients_among(layers) if p != self._patients.current]

    def _update(self, event: Any = None) -> None:
        from qtpy.compat import isalive

        if isalive(self._menu):
            self._enable(SAVE_ALL, self._layers)
            self._enable(SAVE_SELECTED, self._layers.selection)

    def _enable(self, command: str, layers: Iterable[Layer]) -> None:
        action = self._menu.findAction(command)
        if action is None:
            return
        layers = list(layers)
        allowed = not self._hidden_patients(layers)
        action.setEnabled(bool(layers) and allowed)
        action.setStatusTip("" if allowed else _REASON)


_COMMANDS: WeakKeyDictionary[ViewerModel, SaveCommands] = WeakKeyDictionary()


def ensure_save_commands(viewer: ViewerModel) -> None:
    """Keep napari's commands from writing hidden layers; further calls have no effect."""
    viewer = unproxied(viewer)
    window = getattr(viewer, "window", None)
    if window is not None and viewer not in _COMMANDS:
        patients = active_patient(viewer)
        _COMMANDS[viewer] = SaveCommands(viewer.layers, patients, window.file_menu)
