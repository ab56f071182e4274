"""Which masks of a window may change, and what is autosaved of them."""

from __future__ import annotations

import zlib
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Layer
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.masks import region_mask

from napari_smalltumor.autosave.mask_files import read_masks
from napari_smalltumor.autosave.masks import key_of, layer_key
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.layers.coordinates import to_display
from napari_smalltumor.layers.masks.region_masks import display_mask
from napari_smalltumor.layers.metadata import case_of, cases_among, region_of, role_of
from napari_smalltumor.layers.patient import Patient, patient_of
from napari_smalltumor.patients.active_patient import active_patient


class MaskChanges:
    """Notices masks that change although nobody edits them, or although they are hidden.

    Parameters
    ----------
    viewer : Viewer
    expected : mapping of str to (i, j, k) array
        The tissue classes that the network finds, by the folder of the case.
    """

    def __init__(self, viewer: Any, expected: dict[str, np.ndarray]) -> None:
        self._layers, self._expected = viewer.layers, expected
        self._patients = active_patient(viewer)
        self._active = self._patients.current
        self._seen: WeakKeyDictionary[Layer, int] = WeakKeyDictionary()
        self._results: WeakKeyDictionary[Layer, Segmentation | None] = WeakKeyDictionary()
        self._answered: set[Patient] = set()

    def note_answer(self, question: str) -> None:
        """Allow changes of the masks of a patient if the question is whether to restore its edits.

        That patient may have been opened behind the active one.
        """
        self._answered |= {
            patient
            for patient in self._patients.patients
            if question.startswith(f"Edits of {self._patients.title_of(patient)}, ")
        }

    def check(self, *, may_edit: bool) -> None:
        """Since the last call, only results came, and edits of the patient that was active then.

        One that became active meanwhile is not edited: the user has not seen it. Edits of any
        patient may have been restored, as `note_answer` was told.
        """
        for layer in self._layers:
            if layer._type_string != "labels":
                continue
            before, now = self._seen.get(layer), _checksum(layer)
            is_new_result = self._is_new_result(layer)
            self._seen[layer] = now
            if before in (None, now):
                continue
            patient = patient_of(layer)
            is_edited = may_edit and patient == self._active
            may_change = patient is None or is_edited or patient in self._answered
            assert may_change or is_new_result, f"{layer.name} has changed"
        self._active, self._answered = self._patients.current, set()

    def _is_new_result(self, layer: Layer) -> bool:
        """Whether a layer has become a region as the network finds it for its patient."""
        region, patient, role = region_of(layer), patient_of(layer), role_of(layer)
        result = None if role is None else role.result
        last, self._results[layer] = self._results.get(layer), result
        if region is None or result in (None, last) or str(patient.folder) not in self._expected:
            return False
        mask = region_mask(self._expected[str(patient.folder)], region)
        return np.array_equal(layer.data, display_mask(mask, case_of(layer)))


def _checksum(layer: Layer) -> int:
    return zlib.crc32((np.asarray(layer.data) != 0).tobytes())


def check_autosave(viewer: Any) -> None:
    """The autosaved masks of each patient that is open are those of its layers."""
    autosave = ensure_autosave(viewer).autosave
    autosave.save()
    autosave.wait()
    for case in cases_among(viewer.layers):
        own = [x for x in viewer.layers if case_of(x) is not None and case_of(x) is case]
        shown = {layer_key(x): np.asarray(x.data) for x in own if x._type_string == "labels"}
        file = autosave.folder.file_of(case)
        masks = read_masks(file) if file.exists() else ()
        saved = {key_of(mask.region, mask.name): mask.on_grid(case.grid.shape) for mask in masks}
        edited = autosave.edited(own)
        assert {layer_key(x) for x in own if x.name in edited} <= set(saved), (
            f"edits of {case.name}"
        )
        for key in set(saved) & set(shown):
            of_file = to_display(saved[key], case.grid)
            assert np.array_equal(of_file, shown[key]), f"{key} of {case.name} in {file}"
