"""Whatever is done with several patients, what is shown, listed and exported is that of one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from napari.components import ViewerModel
from napari.layers import Layer
from napari.layers._layer_actions import _duplicate_layer, _toggle_lock
from napari_cases import case_along
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region

from napari_smalltumor import keys
from napari_smalltumor.compare.choices import ReferenceChoice
from napari_smalltumor.compare.shown_reference import show_reference
from napari_smalltumor.display.overlay import Overlay
from napari_smalltumor.display.reference_visibility import toggle_reference
from napari_smalltumor.display.shown_sequence import show_sequence
from napari_smalltumor.export.case_export import case_to_export, export_case
from napari_smalltumor.layers.coordinates import display_shape
from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.layers.editing.nesting import ensure_nesting
from napari_smalltumor.layers.masks.reference import reference_of
from napari_smalltumor.layers.masks.region_masks import segmentation_of
from napari_smalltumor.layers.metadata import LayerKind, checksum, region_layers, role_of
from napari_smalltumor.layers.patient import layers_of_patient, patient_of, patient_of_case
from napari_smalltumor.layers.views.ring_boxes import ring_boxes_of
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.layer_rules.assign_selected import assign_selected
from napari_smalltumor.patients.layer_rules.stacking import covered_masks, ensure_stacking
from napari_smalltumor.patients.removed.closed_patients import closed_patients
from napari_smalltumor.patients.removed.removed_layers import removed_layers
from napari_smalltumor.planes.brush import Stroke, layer_to_paint
from napari_smalltumor.planes.linked_planes import linked_planes
from napari_smalltumor.planes.plane import PLANES

pytestmark = pytest.mark.usefixtures("at_once")

numbers = st.integers(0, 10_000)


def is_ring_layer(layer: Layer) -> bool:
    role = role_of(layer)
    return role is not None and role.kind is LayerKind.RINGS


def cases():
    """Two examinations of one name on one grid, and another patient."""
    found = [case_along(name=name) for name in ("Pat", "Pat", "Other")]
    for case, folder in zip(found, ("first", "second", "other"), strict=True):
        case.folder = Path("/data") / folder / case.name
    return found


class SeveralPatients(RuleBasedStateMachine):
    """Random actions of a user, and results that arrive late."""

    def __init__(self) -> None:
        super().__init__()
        self.viewer = ViewerModel()
        self.patients = active_patient(self.viewer)
        self.removed = removed_layers(self.viewer)
        self.closed = closed_patients(self.viewer)
        ensure_stacking(self.viewer)
        ensure_nesting(self.viewer)
        self.review = LesionReview(self.viewer)
        self.planes = linked_planes(self.viewer)
        self.overlay = Overlay(self.viewer)
        self.cases = cases()
        self.zooms: dict[Any, float] = {}
        self.painted: Layer | None = None
        self.has_locked = False
        self.hidden_masks: dict[Layer, int] = {}

    @initialize()
    def open_and_segment_two_patients(self):
        for number in (0, 1):
            self.open(number)
            self.result_arrives(number, number)

    @property
    def layers(self) -> list[Layer]:
        return list(self.viewer.layers)

    @property
    def masks(self) -> list[Layer]:
        return [layer for layer in self.layers if layer._type_string == "labels"]

    def layer(self, number: int) -> Layer:
        return self.layers[number % len(self.layers)]

    @rule(number=numbers)
    def open(self, number):
        case = self.cases[number % 3]
        for data in image_layers(case):
            self.viewer.add_layer(Layer.create(*data))
        assert self.patients.current == patient_of_case(case)

    @rule(number=numbers)
    def layer_arrives(self, number):
        """A layer of files that are being read; it may be the last one that ever arrives."""
        before = self.patients.current, self.patients.patients
        data = image_layers(self.cases[number % 3])[number % 4]
        selection = set(self.viewer.layers.selection)
        arrived = Layer.create(*data)
        self.patients.insert_arriving(arrived)
        is_hidden = arrived in self.patients._hidden
        assert self.viewer.layers.selection == (selection if is_hidden else {arrived})
        assert (self.patients.current, self.patients.patients) == before

    @rule()
    def all_have_arrived(self):
        last = self.patients.arrivals.last_patient
        self.patients.finish_arrivals()
        assert last not in self.patients.patients or self.patients.current == last

    @precondition(lambda self: self.patients.patients)
    @rule(number=numbers)
    def close(self, number):
        patients = self.patients.patients
        for layer in layers_of_patient(self.layers, patients[number % len(patients)]):
            if layer in self.viewer.layers:
                self.viewer.layers.remove(layer)

    @precondition(lambda self: self.patients.patients)
    @rule(number=numbers)
    def switch(self, number):
        patients = self.patients.patients
        self.patients.activate(patients[number % len(patients)])

    @precondition(lambda self: self.patients.current)
    @rule(zoom=st.floats(1, 9))
    def zoom(self, zoom):
        self.viewer.scene.camera.zoom = zoom
        self.zooms[self.patients.current] = zoom

    @precondition(lambda self: self.layers)
    @rule(number=numbers)
    def select(self, number):
        self.viewer.layers.selection.active = self.layer(number)

    @precondition(lambda self: self.layers)
    @rule(number=numbers)
    def duplicate(self, number):
        before = self.patients.current
        self.viewer.layers.selection = {self.layer(number)}
        _duplicate_layer(self.viewer.layers)
        assert self.patients.current == before

    @rule(labels=st.booleans())
    def draw(self, labels):
        if labels:
            drawn = self.viewer.add_labels(np.zeros((4, 4, 4), np.uint8))
        else:
            drawn = self.viewer.add_points(ndim=3)
            drawn.add(np.ones(3))
        assert patient_of(drawn) == self.patients.current

    @rule(assign=st.booleans())
    def result_of_another_plugin_arrives(self, assign):
        """It was begun while any of the patients was active."""
        layer = self.viewer.add_labels(np.ones((4, 4, 4), np.uint8))
        assert patient_of(layer) is None
        if assign:
            assign_selected(self.viewer)
            assert patient_of(layer) == self.patients.current

    @precondition(lambda self: self.layers)
    @rule(number=numbers)
    def rename(self, number):
        self.layer(number).name = "renamed"

    @precondition(lambda self: self.layers)
    @rule(number=numbers)
    def delete_selected(self, number):
        self.viewer.layers.selection = {self.layer(number)}
        hidden = {x for x in self.layers if patient_of(x) not in (None, self.patients.current)}
        self.viewer.layers.remove_selected()
        assert hidden <= set(self.layers)

    @precondition(lambda self: self.layers)
    @rule(number=numbers, place=numbers)
    def move(self, number, place):
        before, there = self.patients.current, set(self.layers)
        if self.viewer.layers.move(number % len(self.layers), place % len(self.layers)):
            for patient in self.patients.patients:
                assert not covered_masks(layers_of_patient(self.layers, patient))
        assert (self.patients.current, set(self.layers)) == (before, there)

    @precondition(lambda self: self.closed.patients)
    @rule()
    def reopen(self):
        closed, others = self.closed.patients[-1], set(self.layers)
        is_read = self.patients.arrivals.holds(closed)  # it is opened by its files
        self.closed.reopen(closed)
        assert {patient_of(x) for x in self.layers if x not in others} <= {closed}
        assert (closed in self.closed.patients) == is_read
        self.hidden_masks.clear()

    @precondition(lambda self: self.layers)
    @rule(number=numbers)
    def click_eye(self, number):
        layer = self.layer(number)
        layer.visible = not layer.visible

    @precondition(lambda self: self.layers)
    @rule(some=st.lists(numbers, min_size=1, max_size=4))
    def toggle_several(self, some):
        for layer in [self.layer(number) for number in some]:  # napari's order is that of a set
            layer.visible = not layer.visible

    @precondition(lambda self: self.layers)
    @rule(some=st.lists(numbers, min_size=1, max_size=3))
    def toggle_lock(self, some):
        self.viewer.layers.selection = {self.layer(number) for number in some}
        _toggle_lock(self.viewer.layers)
        self.has_locked = True

    @precondition(lambda self: self.layers)
    @rule(some=st.lists(numbers, min_size=2, max_size=3))
    def link(self, some):
        self.viewer.layers.link_layers({self.layer(number) for number in some}, ["visible"])

    @rule(number=numbers, seed=st.integers(0, 3))
    def result_arrives(self, number, seed):
        case = self.cases[number % 3]
        if patient_of_case(case) not in self.patients.patients:
            return
        before = self.patients.current
        classes = np.random.default_rng(seed).integers(0, 4, case.grid.shape).astype(np.uint8)
        with self.patients.in_background():
            show_segmentation(self.viewer, case, Segmentation(case.name, classes, case.grid))
        assert self.patients.current == before
        self.hidden_masks.clear()

    @precondition(lambda self: self.masks)
    @rule(number=numbers, value=st.integers(0, 1), leave=st.booleans())
    def paint(self, number, value, leave):
        layer = self.masks[number % len(self.masks)]
        layer.mode = "paint"
        if layer.mode == "paint":  # otherwise napari does not paint
            assert patient_of(layer) in (None, self.patients.current)
            layer.brush_size = 3
            layer.paint((2, 3, 4), value)
            self.painted = layer
        if leave:
            self.switch(number)

    @precondition(lambda self: self.masks)
    @rule(number=numbers, plane=st.sampled_from(PLANES), mode=st.sampled_from(["paint", "erase"]))
    def stroke_in_a_plane(self, number, plane, mode):
        layer = self.masks[number % len(self.masks)]
        self.viewer.layers.selection.active = layer
        layer.mode = mode
        layer = layer_to_paint(self.viewer)
        if layer is not None:
            assert patient_of(layer) in (None, self.patients.current)
            assert layer.visible
            stroke = Stroke(layer, plane)
            stroke.continue_to(self.planes.position)
            stroke.end()
            self.painted = layer

    @rule(number=numbers, seed=st.integers(0, 3))
    def reference_is_read(self, number, seed):
        """It may have been chosen when another patient was active."""
        case = self.cases[number % 3]
        if patient_of_case(case) not in self.patients.patients:
            return
        before = self.patients.current, set(self.viewer.layers.selection)
        mask = np.random.default_rng(seed).integers(0, 2, display_shape(case.grid))
        masks = dict.fromkeys(Region, mask.astype(np.uint8))
        show_reference(self.viewer, case, masks, ReferenceChoice("expert"))
        assert self.patients.current == before[0]
        selected = set(self.viewer.layers.selection)
        if before[1] & set(self.layers):
            assert selected <= before[1]
        else:  # what was selected was replaced
            assert {patient_of(layer) for layer in selected} <= {before[0]}
        self.hidden_masks.clear()

    @rule()
    def toggle_reference(self):
        before = self.patients.current
        toggle_reference(self.viewer)
        assert self.patients.current == before

    @rule(modality=st.sampled_from(list(keys.SEQUENCES)))
    def show_sequence(self, modality):
        before = self.patients.current
        show_sequence(self.viewer, modality)
        assert self.patients.current == before

    @rule()
    def peek_or_stop(self):
        before = {x for x in self.layers if x.visible}
        (self.overlay.show if self.overlay.hidden else self.overlay.hide)()
        assert {x for x in self.layers if x.visible} == before

    @precondition(lambda self: self.painted in self.masks)
    @rule()
    def press_undo(self):
        layer = self.painted
        self.viewer.layers.selection.active = layer
        own = {str(key): function for key, function in layer.keymap.items()}
        own.get("Ctrl+Z", type(layer).undo)(layer)

    @precondition(lambda self: self.removed.of(self.patients.current))
    @rule()
    def restore_regions(self):
        self.removed.restore(self.patients.current)
        assert not self.removed.of(self.patients.current)

    @rule()
    def list_lesions(self):
        source = self.review.source
        if source is not None:
            self.review.set_lesions(source.snapshot(self.review.region).lesions(50))

    @rule()
    def export(self):
        case = case_to_export(self.viewer)
        if case is None:
            assert not any(region_layers(self.patients.layers, c) for c in self.cases)
            return
        assert patient_of_case(case) == self.patients.current
        with tempfile.TemporaryDirectory() as folder:
            (path,) = export_case(self.viewer, case, Path(folder) / "m.nii", scheme="brats2023")
            written = np.asarray(nib.load(path).dataobj)
        assert np.array_equal(written, segmentation_of(self.patients.layers, case).classes)

    @invariant()
    def one_patient_is_active_and_only_it_is_visible(self):
        visible = {patient_of(layer) for layer in self.layers if layer.visible}
        assert visible <= {None, self.patients.current}
        assert (self.patients.current in self.patients.patients) or not self.patients.patients
        assert self.patients.current is not None or not self.patients.patients
        for layer in self.layers:
            is_hidden = patient_of(layer) not in (None, self.patients.current)
            assert bool(layer.locked) == is_hidden or (self.has_locked and layer.locked)

    @invariant()
    def planes_show_the_active_patient_only(self):
        shown = [*self.planes.layers.drawn, *self.planes.layers.of_type("points")]
        assert all(layer.visible for layer in shown)
        assert {patient_of(layer) for layer in shown} <= {None, self.patients.current}
        ringed = [x for x in self.planes.layers.of_type("points") if ring_boxes_of(x) is not None]
        assert not ringed or self.review.lesions

    @invariant()
    def lesions_and_rings_are_those_of_the_active_patient(self):
        for source in self.review.segmentation.sources:
            assert patient_of(source.any_layer) in (None, self.patients.current)
            assert reference_of(source.any_layer) is None
        source = self.review.source
        assert source is None or source.any_layer in self.viewer.layers
        rings = [x for x in self.layers if is_ring_layer(x)]
        assert len(rings) <= 1
        if rings and (source is None or not self.review.lesions):
            assert not len(rings[0].data)

    @invariant()
    def masks_of_other_patients_do_not_change(self):
        others = [x for x in self.masks if patient_of(x) not in (None, self.patients.current)]
        now = {layer: checksum(layer.data) for layer in others}
        for layer, before in self.hidden_masks.items():
            assert now.get(layer, before) == before
        self.hidden_masks = now

    @invariant()
    def the_view_of_each_patient_returns(self):
        for patient in self.zooms.keys() - set(self.patients.patients):
            del self.zooms[patient]
        zoom = self.zooms.get(self.patients.current)
        assert zoom is None or self.viewer.scene.camera.zoom == zoom

    def teardown(self) -> None:
        self.review.close()


SeveralPatients.TestCase.settings = settings(
    max_examples=10, stateful_step_count=25, deadline=None, derandomize=True
)
TestSeveralPatients = SeveralPatients.TestCase
