"""Layers of two patients that are linked by the layer list's menu."""

from __future__ import annotations

import pytest
from shown_layers import open_segmented

from napari_smalltumor.patients.active_patient import active_patient

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
