"""A shift by hand that is not applied stays with its patient, and is said not to be applied."""

from __future__ import annotations

import numpy as np
import pytest
from event_loop import let_turns_pass
from raw_scans import SHIFT_MM
from smalltumor.data.read_case import read_case
from smalltumor.scanner.prepared.stored_case import stored_case
from two_prepared_scans import (
    activate,
    dock_of_a,
    known_prepared_scans,
    open_prepared,
    patient,
)

from napari_smalltumor import notify, questions
from napari_smalltumor.closing.close_patient import close_patient, reopen_closed
from napari_smalltumor.closing.unsaved_work import what_is_unsaved, what_is_unsaved_of_closed
from napari_smalltumor.layers.coordinates import to_display
from napari_smalltumor.layers.metadata import case_of, role_of
from napari_smalltumor.layers.patient import layers_of_patient
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.prepared_scan.dock import PreparedScanDock

pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no registration")

T2_OF_A = "Not applied: T2 shifted 5.0 mm to the right."


@pytest.fixture
def folders(tmp_path):
    with known_prepared_scans(tmp_path) as folders:
        yield folders


@pytest.fixture
def viewer(make_napari_viewer, monkeypatch, folders):
    return open_prepared(make_napari_viewer(), folders, monkeypatch)


@pytest.fixture
def dock(viewer, qtbot):
    """The dock; T2 of A, the active patient, is shifted."""
    dock = dock_of_a(viewer, qtbot)
    choose(dock, "t2")
    dock.registration.shift[0].setValue(5.0)
    qtbot.waitUntil(lambda: is_moved(viewer, "A T2"))
    yield dock
    qtbot.waitUntil(lambda: not dock.busy)


def choose(dock, modality: str) -> None:
    box = dock.registration.sequences
    box.setCurrentIndex(box.findData(modality))
    box.activated.emit(box.currentIndex())


def is_moved(viewer, name: str) -> bool:
    """Whether a layer shows something else than its image as it is stored."""
    layer = viewer.layers[name]
    case, modality = case_of(layer), role_of(layer).modality
    return not np.array_equal(layer.data, to_display(case.volumes[modality], case.grid))


def registration_in(folder) -> np.ndarray:
    return stored_case(read_case(folder)).sequences["t2"].registration.matrix


def test_the_brain_mask_is_painted_on_images_as_stored_and_the_shift_returns_afterwards(
    dock, viewer, qtbot
):
    assert dock.registration.unapplied.text() == T2_OF_A
    dock.edit_button.click()
    assert not is_moved(viewer, "A T2") and not dock.registration.isEnabled()
    assert viewer.layers["A T1CE"].opacity == 1.0
    assert dock.registration.unapplied.text() == T2_OF_A
    qtbot.waitUntil(lambda: not dock.busy)
    dock.edit_button.click()
    qtbot.waitUntil(lambda: is_moved(viewer, "A T2"))
    assert dock.registration.isEnabled() and dock.registration.shift_mm == (5.0, 0.0, 0.0)


def test_an_applied_brain_mask_leaves_the_shift_of_a_sequence_unapplied(
    dock, viewer, folders, qtbot, errors
):
    before = registration_in(folders["A"])
    dock.edit_button.click()
    qtbot.waitUntil(lambda: not dock.busy)
    brain = viewer.layers["A brain mask"]
    brain.data[2, 14:18, 14:18] = 1 - brain.data[2, 14:18, 14:18]
    dock.apply_mask_button.click()
    qtbot.waitUntil(lambda: not dock.busy)
    np.testing.assert_array_equal(registration_in(folders["A"]), before)
    assert dock.registration.shift_mm == (5.0, 0.0, 0.0)
    assert dock.registration.unapplied.text() == T2_OF_A
    dock.registration.apply_button.click()
    qtbot.waitUntil(lambda: not dock.busy)
    assert registration_in(folders["A"])[0, 3] == pytest.approx(SHIFT_MM - 5.0)
    assert dock.registration.unapplied.text() == "" and not dock.registration.moves
    assert errors == []


def test_the_hint_to_shift_a_sequence_goes_when_it_is_shifted(dock):
    dock.registration.reset()
    dock.registration.apply_button.click()
    assert dock.step.text() == "Shift or turn a sequence first."
    dock.registration.shift[1].setValue(2.0)
    assert dock.step.text() == "" and dock.step.isHidden()


def test_strokes_on_a_brain_mask_are_said_to_be_unapplied_when_their_patient_is_active_again(
    dock, viewer, qtbot
):
    dock.edit_button.click()
    qtbot.waitUntil(lambda: not dock.busy)
    brain = viewer.layers["A brain mask"]
    brain.paint((2, 15, 15), 1 - brain.data[2, 15, 15])
    activate(viewer, dock, qtbot, "B")
    assert dock.step.text() == ""
    activate(viewer, dock, qtbot, "A")
    assert dock.step.text() == "Not applied: strokes on the brain mask."
    assert brain.mode == "pan_zoom", "a click would paint"
    dock.apply_mask_button.click()
    qtbot.waitUntil(lambda: not dock.busy)
    assert dock.step.text() == "Stored. Segment the case."
    assert not brain.visible and brain.mode == "pan_zoom"


def test_a_shift_waits_for_its_patient_and_is_never_that_of_another(
    dock, viewer, folders, qtbot, errors, monkeypatch
):
    said: list[str] = []
    monkeypatch.setattr(notify, "info", said.append)
    before = registration_in(folders["B"])
    activate(viewer, dock, qtbot, "B")
    assert said == [
        "A: the registration of T2 by hand is not applied. It is kept until the patient is closed."
    ]
    assert dock.registration.modality == "t2" and not dock.registration.moves
    assert dock.registration.unapplied.isHidden()
    assert not is_moved(viewer, "A T2") and not is_moved(viewer, "B T2")
    dock.registration.apply_button.click()
    assert dock.step.text() == "Shift or turn a sequence first." and not dock.busy
    choose(dock, "flair")
    activate(viewer, dock, qtbot, "A")
    assert dock.step.text() == "", "what was said of B"
    qtbot.waitUntil(lambda: is_moved(viewer, "A T2"))
    assert dock.registration.modality == "t2" and dock.registration.shift_mm == (5.0, 0.0, 0.0)
    assert dock.registration.unapplied.text() == T2_OF_A
    dock.registration.apply_button.click()
    qtbot.waitUntil(lambda: not dock.busy)
    assert registration_in(folders["A"])[0, 3] == pytest.approx(SHIFT_MM - 5.0)
    np.testing.assert_array_equal(registration_in(folders["B"]), before)
    activate(viewer, dock, qtbot, "B")
    assert len(said) == 1 and errors == []


def test_each_sequence_keeps_its_own_shift(dock, viewer, qtbot):
    choose(dock, "flair")
    assert not dock.registration.moves and not is_moved(viewer, "A T2")
    dock.registration.turn[2].setValue(-3.0)
    assert dock.registration.unapplied.text() == (
        f"{T2_OF_A}\nNot applied: FLAIR turned -3.0° about the head-foot axis."
    )
    choose(dock, "t2")
    assert dock.registration.shift_mm == (5.0, 0.0, 0.0)
    dock.registration.reset_button.click()
    assert dock.registration.unapplied.text() == (
        "Not applied: FLAIR turned -3.0° about the head-foot axis."
    )


def test_images_are_shown_as_stored_while_the_dock_is_closed_and_shifted_when_it_is_opened_again(
    dock, viewer, qtbot
):
    viewer.window.remove_dock_widget(dock)
    assert not is_moved(viewer, "A T2")
    opened = PreparedScanDock(viewer)
    viewer.window.add_dock_widget(opened, area="right")
    qtbot.waitUntil(lambda: is_moved(viewer, "A T2"))
    assert opened.registration.unapplied.text() == T2_OF_A
    qtbot.waitUntil(lambda: not opened.busy)


def test_a_shift_is_forgotten_when_its_patient_is_closed_after_a_question(
    dock, viewer, folders, qtbot, monkeypatch
):
    asked: list[str] = []
    monkeypatch.setattr(questions, "confirm", lambda p, t, text, a: asked.append(text))
    choose(dock, "flair")
    dock.registration.turn[2].setValue(-3.0)
    assert not close_patient(viewer, patient(viewer, "A"))
    assert asked == [
        "The registration of T2 and FLAIR of A by hand is not applied, and will be lost."
    ]
    monkeypatch.setattr(questions, "confirm", lambda p, t, text, a: asked.append(text) or True)
    assert close_patient(viewer, patient(viewer, "A"))
    qtbot.waitUntil(lambda: dock.prepared is not None and dock.prepared.name == "B")
    open_case(viewer, folders["A"])
    qtbot.waitUntil(lambda: dock.prepared is not None and dock.prepared.name == "A")
    choose(dock, "t2")
    assert not dock.registration.moves and dock.registration.unapplied.isHidden()


def test_a_shift_returns_with_a_patient_whose_layers_were_removed(dock, viewer, qtbot):
    a = patient(viewer, "A")
    for layer in layers_of_patient(viewer.layers, a):
        viewer.layers.remove(layer)
    qtbot.waitUntil(lambda: dock.prepared is not None and dock.prepared.name == "B")
    let_turns_pass(qtbot)  # what is forgotten is forgotten in a later turn
    lost = "The registration of T2 of A by hand is not applied, and will be lost."
    assert lost in what_is_unsaved_of_closed(viewer)
    reopen_closed(viewer, a)
    activate(viewer, dock, qtbot, "A")
    choose(dock, "t2")
    assert dock.registration.shift_mm == (5.0, 0.0, 0.0)
    assert what_is_unsaved_of_closed(viewer) == [] and what_is_unsaved(viewer, a) == [lost]


def test_an_applied_shift_does_not_return_with_the_automatic_registration(
    dock, viewer, folders, qtbot, errors
):
    dock.registration.apply_button.click()
    qtbot.waitUntil(lambda: not dock.busy)
    dock.registration.automatic_button.click()
    qtbot.waitUntil(lambda: not dock.busy)
    assert registration_in(folders["A"])[0, 3] == pytest.approx(SHIFT_MM)
    assert not dock.registration.moves and dock.registration.unapplied.isHidden()
    assert errors == []
