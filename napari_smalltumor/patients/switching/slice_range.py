"""The slices of the sliders: those of the active patient, whose images others may not share.

napari's sliders run through the space that all layers fill together, in steps of the smallest
voxel. Beside a patient with another origin or voxel size, many of these slices would be empty, and
their numbers would be nobody's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import ref

from napari_smalltumor.layers.metadata import LayerKind, role_of
from napari_smalltumor.layers.patient import Patient, patient_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


class SliceRange:
    """Keeps the range of the sliders to the layers of the active patient, and those of none.

    Rings are of no patient, but lie within the images of the one whose lesions they show; until
    they are drawn they have the voxel size of the last one.

    Parameters
    ----------
    viewer : ViewerModel
    active : callable
        Returns the active patient.
    """

    def __init__(self, viewer: ViewerModel, active: Callable[[], Patient | None]) -> None:
        self._viewer, self._active = ref(viewer), active
        viewer.dims.events.range.connect(self.fit)  # napari sets it whenever a layer changes

    def fit(self) -> None:
        """Set the range; without an active patient it stays as it is."""
        viewer, patient = self._viewer(), self._active()
        if viewer is None or patient is None:
            return
        patients = {layer: patient_of(layer) for layer in viewer.layers}
        layers = [
            layer
            for layer, owner in patients.items()
            if owner in (None, patient) and not _is_of_rings(layer)
        ]
        if patient not in patients.values() or len(layers) == len(patients):
            return
        extent = viewer.layers.get_extent(layers)
        ranges = tuple(zip(*extent.world, extent.step, strict=True))
        if len(ranges) == viewer.dims.ndim and ranges != viewer.dims.range:
            viewer.dims.range = ranges


def _is_of_rings(layer: Layer) -> bool:
    role = role_of(layer)
    return role is not None and role.kind is LayerKind.RINGS
