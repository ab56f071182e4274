"""Number keys show sequences, also while a mask is painted; the overlay can be hidden."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Labels, Points, Shapes
from napari_cases import write_case_along
from smalltumor.data.naming.case_files import MODALITY_TITLES

from napari_smalltumor import keys, notify
from napari_smalltumor.display.overlay import Overlay
from napari_smalltumor.display.shown_sequence import (
    ToolMonitor,
    show_sequence,
    uses_number_keys,
)
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.planes.brush import layer_to_paint


@pytest.fixture
def two_patients(viewer, tmp_path):
    for name in ("A", "B"):
        open_case(viewer, write_case_along(tmp_path / name))
    return viewer


@pytest.mark.parametrize("modality", list(keys.SEQUENCES))
def test_a_sequence_is_shown_alone_and_of_the_active_patient_only(two_patients, modality):
    others = {x: x.visible for x in two_patients.layers if patient_of(x).name == "A"}
    show_sequence(two_patients, modality)
    images = [x for x in two_patients.layers if x._type_string == "image" and x.visible]
    assert [x.name for x in images] == [f"B {MODALITY_TITLES[modality]}"]
    assert two_patients.layers["B labels"].visible
    assert {x: x.visible for x in others} == others
    assert active_patient(two_patients).current.name == "B"


def test_a_missing_sequence_is_said_and_nothing_is_hidden(two_patients, monkeypatch):
    said = []
    monkeypatch.setattr(notify, "info", said.append)
    two_patients.layers.remove("B T1")
    show_sequence(two_patients, "t1")
    assert said == ["The patient has no T1."]
    assert two_patients.layers["B T1CE"].visible


def test_the_layer_whose_tool_is_chosen_is_reported(two_patients):
    states = []
    monitor = ToolMonitor(two_patients, states.append)
    labels = two_patients.layers["B labels"]
    two_patients.layers.selection.active = labels
    assert states[-1] is None
    for mode in ("paint", "fill", "erase", "pick"):
        labels.mode = mode
        assert states[-1] is labels, mode
    two_patients.layers.selection.active = two_patients.layers["B T1CE"]
    assert states[-1] is None
    labels.mode = "pan_zoom"
    two_patients.layers.selection.active = labels
    assert states[-1] is None
    assert monitor


def test_number_keys_choose_a_sequence_while_a_mask_of_a_patient_is_painted(two_patients):
    assert not uses_number_keys(two_patients.layers["B labels"])
    assert not uses_number_keys(None)
    for layer in (Labels(np.zeros((3, 3, 3), np.uint8)), Points(ndim=3), Shapes(ndim=3)):
        assert uses_number_keys(layer)


def test_napari_uses_none_of_the_letters():
    from napari.utils.shortcuts import default_shortcuts

    used = {str(key) for bound in default_shortcuts.values() for key in bound}
    ours = [keys.PEEK, keys.LAYOUT, keys.FOLLOW, keys.EXPORT, *keys.COLUMNS[1]["Lesions"]]
    assert not used & {key.sequence for key in ours}


def test_peeking_changes_no_visibility_and_survives_a_switch_of_patients(two_patients):
    patients, overlay = active_patient(two_patients), Overlay(two_patients)
    labels = two_patients.layers["B labels"]
    before = {x: (x.visible, x.opacity) for x in two_patients.layers}
    overlay.hide()
    assert overlay.hidden
    assert labels.opacity == 0
    assert labels.visible
    patients.activate(patients.patients[0])
    overlay.show()
    assert not overlay.hidden
    assert patients.current.name == "A"
    patients.activate(patients.patients[1])
    assert {x: (x.visible, x.opacity) for x in two_patients.layers} == before


def test_a_transparent_mask_is_not_painted(two_patients):
    overlay, labels = Overlay(two_patients), two_patients.layers["B labels"]
    two_patients.layers.selection.active = labels
    labels.mode = "paint"
    overlay.hide()
    assert labels.mode == "paint", "a peek does not end painting"
    assert layer_to_paint(two_patients) is None
    overlay.show()
    assert layer_to_paint(two_patients) is labels


def test_an_opacity_that_is_set_while_peeking_stays(two_patients):
    overlay, labels = Overlay(two_patients), two_patients.layers["B labels"]
    overlay.hide()
    overlay.hide()
    labels.opacity = 0.3
    overlay.show()
    assert labels.opacity == pytest.approx(0.3)
    assert np.any(labels.data)
