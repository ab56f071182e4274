"""Add, replace and remove the reference of a patient in the viewer."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from smalltumor.data.case import Case

from napari_smalltumor.compare.choices import ReferenceChoice
from napari_smalltumor.compare.reference_file import DisplayMasks
from napari_smalltumor.layers.masks.reference import reference_layer, reference_layers
from napari_smalltumor.layers.masks.regions import OUTERMOST_FIRST
from napari_smalltumor.layers.metadata import region_layers
from napari_smalltumor.layers.patient import (
    assign,
    layers_of_patient,
    patient_of_shown_case,
)
from napari_smalltumor.layers.selection import selection_untouched
from napari_smalltumor.layers.warm_up import garbage_collection_paused
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.layer_rules.kept_selection import selection_kept

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels


def show_reference(
    viewer: ViewerModel, case: Case, masks: DisplayMasks, choice: ReferenceChoice
) -> None:
    """Show masks as the reference of a case's patient, in the place of an earlier reference.

    Its layers lie above the images and below the regions. They are hidden with their patient.

    Parameters
    ----------
    viewer : ViewerModel
    case : Case
    masks : mapping of Region to (I, P, L) uint8 array
        They become the layers' data.
    choice : ReferenceChoice
        Where the masks are from.
    """
    patient = patient_of_shown_case(viewer.layers, case)
    earlier = reference_layers(layers_of_patient(viewer.layers, patient))
    with active_patient(viewer).in_background(), selection_kept(viewer):
        _remove(viewer, earlier.values())
        for region in OUTERMOST_FIRST:
            if region in masks:
                layer = reference_layer(case, masks[region], choice.mask(region))
                assign(layer, patient)
                with garbage_collection_paused(), selection_untouched(viewer):
                    viewer.layers.insert(_index_below_regions(viewer, case), layer)


def remove_reference(viewer: ViewerModel) -> None:
    """Remove the reference of the active patient."""
    with selection_kept(viewer):
        _remove(viewer, reference_layers(active_patient(viewer).layers).values())


def _remove(viewer: ViewerModel, layers: Collection[Labels]) -> None:
    if not layers:
        return
    # napari collects garbage after every removal, or once after all of a batch.
    with viewer.layers.batched_update():
        for layer in layers:
            viewer.layers.remove(layer)


def _index_below_regions(viewer: ViewerModel, case: Case) -> int:
    regions = region_layers(viewer.layers, case).values()
    return min((viewer.layers.index(x) for x in regions), default=len(viewer.layers))
