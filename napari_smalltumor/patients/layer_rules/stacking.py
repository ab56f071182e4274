"""Masks lie above the images of their patient: below one, a mask is listed but not seen.

If layers are moved so that an image covers a mask, or images are opened after their mask, the masks
are put above the images. A region that is added comes to lie below those within it, so that it does
not cover their outlines; regions that the user moves stay where they are put.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from weakref import ref

from smalltumor.text import list_text

from napari_smalltumor import notify
from napari_smalltumor.deferred_calls import when_idle
from napari_smalltumor.layers.masks.regions import OUTERMOST_FIRST
from napari_smalltumor.layers.metadata import LayerKind, region_of, role_of
from napari_smalltumor.layers.patient import Patient, layers_of_patient, patient_of
from napari_smalltumor.patients.active_patient import ActivePatient, active_patient
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import LayerList, ViewerModel
    from napari.layers import Layer


class Stacking:
    """Keeps the masks of each patient of a viewer above its images.

    Parameters
    ----------
    viewer : ViewerModel
    patients : ActivePatient
    """

    def __init__(self, viewer: ViewerModel, patients: ActivePatient) -> None:
        self._viewer, self._patients = ref(viewer), patients
        self._waiting = self._moved_by_hand = False
        self._added_regions: list[Layer] = []
        viewer.layers.events.reordered.connect(self._on_reordered)
        viewer.layers.events.inserted.connect(self._on_inserted)

    def _on_reordered(self, event: Any = None) -> None:
        self._moved_by_hand = True
        self._check_later()

    def _on_inserted(self, event: Any) -> None:
        if _is_region(event.value):
            self._added_regions.append(event.value)
        self._check_later()

    def _check_later(self) -> None:
        """Check the order when napari has ended the move, or has added all layers."""
        if not self._waiting:
            self._waiting = True
            when_idle(self._check)

    def _check(self) -> None:
        viewer, by_hand = self._viewer(), self._moved_by_hand
        if viewer is not None:
            for patient in self._patients.patients:
                self._put_above(viewer.layers, patient, say=by_hand)
            for owner in set(map(patient_of, self._added_regions)):
                if owner is not None:
                    nest_regions(viewer.layers, layers_of_patient(viewer.layers, owner))
        self._added_regions.clear()
        self._waiting = self._moved_by_hand = False

    def _put_above(self, layers: LayerList, patient: Patient, *, say: bool) -> None:
        own = layers_of_patient(layers, patient)
        covered = covered_masks(own)
        if not covered:
            return
        uncover_masks(layers, own)
        if patient == self._patients.current and say:
            names = list_text(layer.name for layer in covered)
            were, them = ("was", "it") if len(covered) == 1 else ("were", "them")
            text = f"{names} {were} put back above the images, which would cover {them}."
            notify.info(self._patients.messages.about(patient, text))


def covered_masks(layers: Sequence[Layer]) -> list[Layer]:
    """The masks that lie below an image of their patient, whether it is shown or not.

    Parameters
    ----------
    layers : sequence of Layer
        Of one patient, from bottom to top.
    """
    images = [n for n, layer in enumerate(layers) if _is_image(layer)]
    return [x for n, x in enumerate(layers) if _is_mask(x) and n < max(images, default=-1)]


def uncover_masks(layers: LayerList, own: Sequence[Layer]) -> None:
    """Move masks above the images of their patient, or these below, with as few moves as possible.

    Regions are nested then, the innermost on top. Other layers stay where they are.

    Parameters
    ----------
    layers : LayerList
    own : sequence of Layer
        The layers of a patient, from bottom to top.
    """
    masks, images = covered_masks(own), [layer for layer in own if _is_image(layer)]
    covering = [x for x in images if layers.index(x) > layers.index(masks[0])]
    if len(covering) < len(masks):
        for image in covering:
            layers.move(layers.index(image), layers.index(masks[0]))
    else:
        _move_above(layers, [images[-1], *masks])
    nest_regions(layers, own)


def nest_regions(layers: LayerList, own: Sequence[Layer]) -> None:
    """Move each region above those that it is within.

    Parameters
    ----------
    layers : LayerList
    own : sequence of Layer
        The layers of a patient, from bottom to top.
    """
    _move_above(layers, sorted(filter(_is_region, own), key=_depth))


def _move_above(layers: LayerList, ascending: Sequence[Layer]) -> None:
    """Move each of these layers above the one before, if it is not above it already."""
    for lower, upper in pairwise(ascending):
        if layers.index(upper) < layers.index(lower):
            layers.move(layers.index(upper), layers.index(lower) + 1)


def _depth(layer: Layer) -> int:
    region = region_of(layer)
    assert region is not None
    return OUTERMOST_FIRST.index(region)


def _is_region(layer: Layer) -> bool:
    return region_of(layer) is not None


def _is_image(layer: Layer) -> bool:
    role = role_of(layer)
    return role is not None and role.kind is LayerKind.IMAGE


def _is_mask(layer: Layer) -> bool:
    role = role_of(layer)
    return role is not None and role.kind not in (LayerKind.IMAGE, LayerKind.RINGS)


@one_per_viewer
def ensure_stacking(viewer: ViewerModel) -> Stacking:
    """Keep masks above images from now on; further calls return the same object."""
    return Stacking(viewer, active_patient(viewer))
