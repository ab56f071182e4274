"""Layers of two patients that are linked by the layer list's menu."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from napari.components import LayerList
from napari.experimental import link_layers
from napari.layers import Image
from napari.layers._layer_actions import _duplicate_layer
from shown_layers import open_segmented

from napari_smalltumor.layers.metadata import role_of, set_role, source_role_of
from napari_smalltumor.layers.patient import Patient, assign, layers_of_patient, patient_of
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.switching.hidden_layers import HiddenLayers

pytestmark = pytest.mark.usefixtures("at_once")


@pytest.fixture
def linked(viewer):
    """ET of two patients, linked; the second patient is active."""
    for name in ("First", "Second"):
        open_segmented(viewer, name)
    layers = viewer.layers["First ET"], viewer.layers["Second ET"]
    viewer.layers.link_layers(layers)
    return layers


def test_the_eye_of_the_active_patient_shows_nobody_else(viewer, linked):
    hidden, own = linked
    for visible in (False, True):
        own.visible = visible
        assert active_patient(viewer).title == "Second"
        assert own.visible == visible and not hidden.visible and hidden.locked


def test_what_hides_no_patient_stays_linked(linked):
    hidden, own = linked
    own.opacity = 0.25
    assert hidden.opacity == 0.25


def test_layers_of_one_patient_stay_linked(viewer):
    open_segmented(viewer, "First")
    et, tc = viewer.layers["First ET"], viewer.layers["First TC"]
    viewer.layers.link_layers([et, tc])
    et.visible = False
    assert not tc.visible


def test_linked_layers_of_a_patient_return_as_they_were_shown(viewer):
    open_segmented(viewer, "First")
    viewer.layers.link_layers([viewer.layers["First ET"], viewer.layers["First TC"]])
    open_segmented(viewer, "Second")
    patients = active_patient(viewer)
    patients.activate(patients.patients[0])
    assert viewer.layers["First ET"].visible and viewer.layers["First TC"].visible


def test_a_layer_that_a_link_has_shown_is_hidden_again_and_stays_linked_otherwise():
    layers = LayerList([Image(np.zeros((4, 4, 4))) for _ in range(2)])
    first, second = Patient("First"), Patient("Second")
    assign(layers[0], first)
    assign(layers[1], second)
    hidden = HiddenLayers(lambda unlocked: None)
    hidden.show_only(layers, first)
    layers.link_layers()
    hidden.show_only(layers, second)
    (own,), (other,) = (layers_of_patient(layers, patient) for patient in (second, first))
    assert own.visible and not own.locked and not other.visible and other.locked
    own.opacity = 0.25
    assert other.opacity == 0.25


@pytest.mark.parametrize("names", [("First T1CE", "Second T1CE"), ("First T1CE", "First T2")])
def test_what_tells_the_case_of_a_layer_is_never_passed_to_another(viewer, names):
    for name in ("First", "Second"):
        open_segmented(viewer, name)
    one, other = (viewer.layers[name] for name in names)
    before = dict(other.metadata)
    viewer.layers.link_layers([one, other])
    one.metadata = {**one.metadata, "note": 1}
    assert other.metadata == before


def test_layers_that_were_linked_stay_linked_when_the_patient_arrives(viewer):
    viewer.add_image(np.zeros((4, 4, 4)), name="one")
    viewer.add_image(np.zeros((4, 4, 4)), name="other")
    viewer.layers.link_layers([viewer.layers["one"], viewer.layers["other"]])
    open_segmented(viewer, "First")
    assign(viewer.layers["one"], Patient("First"))
    assert "smalltumor_patient" not in viewer.layers["other"].metadata


def test_layers_that_a_script_has_linked_stay_of_their_own_patients(viewer):
    for name in ("First", "Second"):
        open_segmented(viewer, name)
    layers = [viewer.layers[f"{name} ET"] for name in ("First", "Second")]
    link_layers(layers)  # no event tells of it
    assign(layers[0], Patient("First", Path("/scans")))
    set_role(layers[1], replace(role_of(layers[1]), checksum=1))
    assert [patient_of(layer).name for layer in layers] == ["First", "Second"]
    viewer.layers.selection = {layers[1]}
    _duplicate_layer(viewer.layers)
    copy = viewer.layers["Second ET copy"]
    assert patient_of(copy).name == "Second"
    assert source_role_of(copy.metadata).case.name == "Second"
