"""What napari's status bar says while the planes are shown."""

from __future__ import annotations

import pytest
from napari_cases import write_case_along
from planes_in_window import drag, open_planes
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtWidgets import QApplication

from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.main_window.planes_area import Layout
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.status_line import READY, status_line

NO_BUTTON = Qt.MouseButton.NoButton


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


@pytest.fixture
def axial(viewer, tmp_path):
    for seed, name in enumerate(("Anna", "Bert")):
        open_case(viewer, write_case_along(tmp_path / name, seed=seed))
    window = open_planes(viewer)
    return window.area.canvases[0]


def move_to_middle(canvas) -> None:
    drag(canvas, NO_BUTTON, QPoint(canvas.width() // 2, canvas.height() // 2))


def say_as_napari(viewer, layer: str) -> None:
    """Do what napari does when its thread has found what is under the cursor of its canvas."""
    texts = dict.fromkeys(("layer_base", "source_type", "plugin"), "")
    viewer.status = {**texts, "layer_name": layer, "coordinates": " [9 9 9]: 7"}


def test_it_says_what_is_under_the_cursor(viewer, axial):
    move_to_middle(axial)
    assert viewer.status.startswith("T1CE ") and viewer.status.endswith(" mm")
    before = viewer.status
    axial.planes.step(axial.plane, 1)  # as the wheel
    assert viewer.status != before
    QApplication.sendEvent(axial, QEvent(QEvent.Type.Leave))
    assert viewer.status == READY


def test_napari_does_not_speak_of_its_hidden_canvas(viewer, axial):
    say_as_napari(viewer, "Bert T1CE")
    assert viewer.status == READY
    move_to_middle(axial)
    said = viewer.status
    say_as_napari(viewer, "Bert T1CE")
    assert viewer.status == said


def test_napari_speaks_of_its_canvas_when_it_is_shown(viewer, axial):
    open_planes(viewer, Layout.CANVAS)
    say_as_napari(viewer, "Bert T1CE")
    assert viewer.status["coordinates"] == " [9 9 9]: 7"
    say_as_napari(viewer, "Anna T1CE")  # who is not active
    assert viewer.status == READY


def test_it_speaks_of_the_active_patient(viewer, axial):
    move_to_middle(axial)
    before, patients = viewer.status, active_patient(viewer)
    patients.activate(patients.patients[0])
    assert viewer.status != before
    patients.activate(patients.patients[1])
    assert viewer.status == before


def test_words_to_be_read_stay_when_the_mouse_moves(viewer, axial):
    status_line(viewer).say("Nothing can be painted here")
    move_to_middle(axial)
    say_as_napari(viewer, "Bert T1CE")
    assert viewer.status == "Nothing can be painted here"
    status_line(viewer).remove()
    assert viewer.status.startswith("T1CE ")


def test_files_that_are_being_read_are_named_instead_of_a_layer_that_is_not_shown_yet(
    viewer, axial
):
    open_planes(viewer, Layout.CANVAS)
    patients = active_patient(viewer)
    patients.arrivals.reading = "Carl"
    say_as_napari(viewer, "Anna T1CE")  # who is not active, as Carl, whose layers arrive
    assert viewer.status == "Reading Carl"
    patients.activate(patients.patients[0])
    assert viewer.status == "Reading Carl"
    patients.finish_arrivals()
    say_as_napari(viewer, "Bert T1CE")
    assert viewer.status == READY
