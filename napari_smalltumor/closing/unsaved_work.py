"""What of a patient is in no file that the user has saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from smalltumor.labels.regions import Region
from smalltumor.text import list_text

from napari_smalltumor import settings
from napari_smalltumor.autosave.edit_texts import not_saved_text
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.export.case_export import case_to_export
from napari_smalltumor.export.edited_labels import edited_labels
from napari_smalltumor.export.save_state import SAVE, SAVE_AS_REVIEWED, save_state
from napari_smalltumor.layers.drawings import holds_drawing
from napari_smalltumor.layers.masks.brain_mask import brain_mask_of
from napari_smalltumor.layers.metadata import region_layers, region_of
from napari_smalltumor.layers.patient import Patient, layers_of_patient
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.removed.closed_patients import closed_patients
from napari_smalltumor.patients.removed.removed_layers import removed_layers
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels, Layer

UnsavedTexts = Callable[[Patient], list[str]]
"""What of a patient who is open, or was closed by hand, is in no file: sentences with its name."""

_SAVED = {SAVE: "saved", SAVE_AS_REVIEWED: "saved as reviewed"}


def can_be_saved(viewer: ViewerModel, patient: Patient) -> bool:
    """Whether *Save* would write edits, or the result of a network, of a patient."""
    return bool(edited_labels(viewer, patient)) or _can_save_regions(viewer, patient)


def saving_action(viewer: ViewerModel, patient: Patient) -> str:
    """What saving is called; edited labels of a case that is being reviewed are no review."""
    if not _can_save_regions(viewer, patient):
        return SAVE
    return save_state(viewer).action_for(patient)


def _can_save_regions(viewer: ViewerModel, patient: Patient) -> bool:
    case = case_to_export(viewer, patient)
    if case is None:
        return False
    layers, state = layers_of_patient(viewer.layers, patient), save_state(viewer)
    regions = region_layers(layers, case).values()
    autosave = ensure_autosave(viewer).autosave
    edited = autosave.edited(regions)
    if any(x.name in edited for x in regions) or state.is_replaced(patient):
        return True
    return bool(autosave.unsaved_results(regions)) and not state.are_saved(patient, layers)


def what_is_unsaved(viewer: ViewerModel, patient: Patient) -> list[str]:
    """What of an open patient is in no file, as sentences with its name; empty if nothing is."""
    layers = layers_of_patient(viewer.layers, patient)
    title = active_patient(viewer).title_of(patient)
    return [
        *_edits(viewer, patient, title, layers),
        *_results(viewer, patient, title, layers),
        *_replaced(viewer, patient, title),
        *_drawings(title, layers),
        *_of_docks(viewer, patient),
    ]


@one_per_viewer
def unsaved_work_of_docks(viewer: ViewerModel) -> list[UnsavedTexts]:
    """What docks know to be unsaved, to which each adds a function that tells of a patient."""
    return []


def what_is_unsaved_of_closed(viewer: ViewerModel) -> list[str]:
    """What is in no file of patients who were closed by hand and can be opened again."""
    closed = closed_patients(viewer)
    masks = [
        f"{', '.join(names)} of {closed.title_of(patient)} {_were(names)} not saved and will be "
        f"lost; click Open {closed.title_of(patient)} again at the top of a Small Tumour dock."
        for patient in closed.patients
        if (names := _unsaved_of_closed(viewer, patient))
    ]
    return [*masks, *(text for patient in closed.patients for text in _of_docks(viewer, patient))]


def _unsaved_of_closed(viewer: ViewerModel, patient: Patient) -> list[str]:
    """What was drawn or edited, then results of a network."""
    closed = closed_patients(viewer)
    results = _lost_results(viewer, patient, closed.layers_of(patient))
    return list(dict.fromkeys([*closed.unsaved_of(patient), *_names_of_regions(results)]))


def _of_docks(viewer: ViewerModel, patient: Patient) -> list[str]:
    return [text for unsaved in unsaved_work_of_docks(viewer) for text in unsaved(patient)]


def _edits(viewer: ViewerModel, patient: Patient, title: str, layers: Sequence[Layer]) -> list[str]:
    both = [*layers, *removed_layers(viewer).layers_of(patient)]
    edited = ensure_autosave(viewer).autosave.edited(both)
    if not edited:
        return []
    of_regions = [x for x in both if x.name in edited and region_of(x) is not None]
    others = [name for name in edited if all(x.name != name for x in of_regions)]
    names = [*_names_of_regions(of_regions), *others]
    kept = _what_is_kept(viewer, names, layers)
    saving = _SAVED[saving_action(viewer, patient)]
    saved_with = {x.name for x in (*edited_labels(viewer, patient), brain_mask_of(layers)) if x}
    labels = [x.name for x in layers if x.name in others and x.name not in saved_with]
    how = f" File > Save Selected Layers saves {list_text(labels)}." if labels else ""
    return [f"Edits of {title} {not_saved_text(names, layers, saving)}. {kept}{how}"]


def _what_is_kept(viewer: ViewerModel, edited: Sequence[str], layers: Sequence[Layer]) -> str:
    """What becomes of edits that are not saved, and of the results that go with them."""
    if not settings.get("autosave"):
        return "Autosave is off: they will be lost."
    autosave = ensure_autosave(viewer).autosave
    lost = autosave.lost_results(layers)
    kept = [x for x in autosave.unsaved_results(layers) if x not in lost]
    others = [name for name in _names_of_regions(kept) if name not in edited]
    them = f"them, with {list_text(others)}," if others else "them"
    return f"You can restore {them} when you open the same files again."


def _results(
    viewer: ViewerModel, patient: Patient, title: str, layers: Sequence[Layer]
) -> list[str]:
    names = _names_of_regions(_lost_results(viewer, patient, layers))
    if not names:
        return []
    return [f"{', '.join(names)} of {title} {_were(names)} segmented, not saved, and will be lost."]


def _lost_results(viewer: ViewerModel, patient: Patient, layers: Sequence[Layer]) -> list[Labels]:
    """Results of a network that nobody has edited, and that no file holds."""
    autosave = ensure_autosave(viewer).autosave
    edited = autosave.edited(layers)
    results = [x for x in autosave.lost_results(layers) if x.name not in edited]
    is_lost = results and not save_state(viewer).are_saved(patient, layers)
    return results if is_lost else []


def _replaced(viewer: ViewerModel, patient: Patient, title: str) -> list[str]:
    if not save_state(viewer).is_replaced(patient):
        return []
    return [
        f"The masks of {title} were saved, but the file was changed or deleted since by another "
        "window or program: these masks are in no file, and will be lost."
    ]


def _drawings(title: str, layers: Sequence[Layer]) -> list[str]:
    names = [layer.name for layer in layers if holds_drawing(layer)]
    if not names:
        return []
    return [
        f"{', '.join(names)} of {title} {_were(names)} not saved and will be lost; save with "
        "File > Save Selected Layers."
    ]


def _names_of_regions(layers: Sequence[Layer]) -> list[str]:
    """ET, TC and WT, as far as there are layers of them."""
    return [region.name for region in Region if any(region_of(x) == region for x in layers)]


def _were(names: Sequence[str]) -> str:
    return "was" if len(names) == 1 else "were"
