"""Say once that a mask from a file, such as an expert's, is being edited, and how that is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakSet, ref

from napari_smalltumor import keys, notify
from napari_smalltumor.display.existing_mask_notice import file_of
from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


class EditedFileMaskNotice:
    """Follows the strokes on each labels layer; the first on a mask from a file is told.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = ref(viewer)
        self._told: WeakSet[Layer] = WeakSet()
        viewer.layers.events.inserted.connect(self._on_inserted)
        for layer in viewer.layers:
            self._follow(layer)

    def _on_inserted(self, event: Any) -> None:
        self._follow(event.value)

    def _follow(self, layer: Layer) -> None:
        if layer._type_string == "labels":
            layer.events.paint.connect(self._on_stroke)

    def _on_stroke(self, event: Any) -> None:
        viewer, layer = self._viewer(), event.source
        if viewer is None or layer in self._told:
            return
        file, patients = file_of(layer), active_patient(viewer)
        if not file or patient_of(layer) != patients.current:
            return
        self._told.add(layer)
        has_regions = any(region_of(each) is not None for each in patients.layers)
        how = (
            "File > Save Selected Layers" if has_regions else f"Save labels ({keys.SAVE.sequence})"
        )
        text = (
            f"{patients.title}: you edited the mask of {file}. That file is never changed; {how} "
            f"writes {layer.name} to another one."
        )
        notify.info(patients.messages.about_active(text))


@one_per_viewer
def ensure_edited_file_mask_notice(viewer: ViewerModel) -> EditedFileMaskNotice:
    """Tell of edits of masks from files from now on; further calls return the same object."""
    return EditedFileMaskNotice(viewer)
