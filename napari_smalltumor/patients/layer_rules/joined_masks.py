"""Masks that were opened without images are checked for their place when they join a patient.

A mask that is opened with its images is checked when it is read. One that is opened by itself has
no images until it has joined a patient, or images are opened later that it belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import Case
from smalltumor.data.mask_placement.mask_placement import placement_text
from smalltumor.labels.masks import Classes
from smalltumor.labels.regions import Region
from smalltumor.labels.schemes import SCHEMES

from napari_smalltumor import notify
from napari_smalltumor.deferred_calls import when_idle
from napari_smalltumor.layers.coordinates import from_display
from napari_smalltumor.layers.masks.region_masks import compose
from napari_smalltumor.layers.metadata import (
    LayerKind,
    case_of,
    cases_among,
    region_of,
    role_of,
    same_case,
    set_role,
)
from napari_smalltumor.layers.patient import Patient, layers_of_patient, patient_of
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer import one_per_viewer, qt_main_window

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


@dataclass(frozen=True, eq=False)
class _Mask:
    """A mask that was opened without images: its layers, and the case of its file."""

    layers: Sequence[Layer]
    case: Case

    @property
    def title(self) -> str:
        return ", ".join(layer.name for layer in self.layers)

    def classes(self) -> Callable[[], Classes]:
        """A function that computes the tissue classes in any thread, of a copy of the layers."""
        if region_of(self.layers[0]) is None:
            return _decoded(self.layers[0])
        data = {r: np.array(x.data) for x in self.layers if (r := region_of(x)) is not None}
        return partial(_composed, data, self.case)


class JoinedMasks:
    """Warns of masks that have joined a patient and do not lie where FLAIR shows the tumour.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._patients, self._layers = active_patient(viewer), viewer.layers
        self._viewer = ref(viewer)
        self._checked: WeakKeyDictionary[Layer, Patient] = WeakKeyDictionary()
        self._is_due = False
        self._patients.patients_changed.connect(self._on_changed)
        self._patients.arrivals.changed.connect(self._on_changed)
        self._on_changed()

    def _on_changed(self) -> None:
        if not self._is_due:
            self._is_due = True
            when_idle(self._check_new)  # when all layers that arrive together are there

    def _check_new(self) -> None:
        self._is_due = False
        if self._patients.arrivals.reading:  # it is checked when all files have been read
            return
        for patient in self._patients.patients:
            layers = layers_of_patient(self._layers, patient)
            new = [x for x in layers if _is_alone(x) and self._checked.get(x) != patient]
            for mask in _masks_among(new):
                images = _images_on_grid_of(mask.case, layers)
                if images is not None:
                    self._checked.update(dict.fromkeys(mask.layers, patient))
                    self._check(mask, images, patient)

    def _check(self, mask: _Mask, images: Case, patient: Patient) -> None:
        classes = mask.classes()

        def work() -> str:
            return placement_text(images, classes())

        say = partial(self._say, mask, patient)
        viewer = self._viewer()
        window = qt_main_window(viewer) if viewer is not None else None
        if window is None:
            say(work())
        else:
            from napari_smalltumor.workers import run_in_thread

            run_in_thread(work, window, say, notify.report_error, name="check of a mask")

    def _say(self, mask: _Mask, patient: Patient, text: str) -> None:
        is_there = all(x in self._layers and patient_of(x) == patient for x in mask.layers)
        if not is_there:
            return
        warning = f"{mask.title}: {text}" if text else ""
        if warning:
            notify.warn(self._patients.messages.about(patient, warning))
        roles = {layer: role_of(layer) for layer in mask.layers if region_of(layer) is None}
        other = {x: r for x, r in roles.items() if r is not None and r.placement != warning}
        for layer, role in other.items():
            set_role(layer, replace(role, placement=warning))
        if other:
            self._patients.patients_changed.emit()  # docks show it as long as the mask is open


def _is_alone(layer: Layer) -> bool:
    """Whether a layer is a mask that was opened without images."""
    role, case = role_of(layer), case_of(layer)
    is_mask = role is not None and role.kind in (LayerKind.TISSUE_CLASSES, LayerKind.REGION)
    return is_mask and case is not None and not case.volumes


def _images_on_grid_of(mask: Case, layers: Iterable[Layer]) -> Case | None:
    """A case of all images of a patient on the grid of a mask, also if each was opened alone.

    A mask of the patient's name may be on another grid.
    """
    found = [x for x in cases_among(layers) if x.volumes and x.grid.matches(mask.grid)]
    if not found:
        return None
    volumes = {role: data for case in found for role, data in case.volumes.items()}
    return Case(found[0].name, volumes, found[0].grid)


def _masks_among(layers: Sequence[Layer]) -> list[_Mask]:
    """Label volumes one by one, and the regions of each case together."""
    regions = [x for x in layers if region_of(x) is not None]
    return [
        *(_Mask([x], case) for x in layers if x not in regions and (case := case_of(x))),
        *(
            _Mask([x for x in regions if same_case(case_of(x), case)], case)
            for case in cases_among(regions)
        ),
    ]


def _composed(masks: Mapping[Region, npt.NDArray[np.generic]], case: Case) -> Classes:
    return compose(masks, case).classes


def _decoded(layer: Layer) -> Callable[[], Classes]:
    role = role_of(layer)
    assert role is not None and role.case is not None and role.scheme is not None
    scheme, grid, data = SCHEMES[role.scheme], role.case.grid, np.array(layer.data)
    return lambda: scheme.decode(from_display(data, grid))


@one_per_viewer
def ensure_joined_masks(viewer: ViewerModel) -> JoinedMasks:
    """Check masks that join a patient from now on; further calls return the same object."""
    return JoinedMasks(viewer)
