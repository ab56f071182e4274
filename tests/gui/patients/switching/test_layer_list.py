"""The layers of the active patient are in view in napari's list of layers."""

from __future__ import annotations

import pytest
from event_loop import let_turns_pass
from layer_list_clicks import row_of
from napari_cases import write_case_along

from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient


@pytest.fixture
def viewer(make_napari_viewer, tmp_path, qtbot):
    """Anna and Bert, who is active, in a window whose list has room for few layers."""
    viewer = make_napari_viewer(show=True)
    for name in ("Anna", "Bert"):
        open_case(viewer, write_case_along(tmp_path / name))
    view = viewer.window._qt_viewer.layers
    view.setFixedHeight(130)
    qtbot.waitUntil(lambda: view.height() == 130 and view.verticalScrollBar().maximum() > 0)
    let_turns_pass(qtbot)
    return viewer


def in_view(viewer, name: str) -> bool:
    view = viewer.window._qt_viewer.layers
    return view.viewport().rect().contains(view.visualRect(row_of(viewer, name)))


def test_the_list_is_scrolled_to_the_patient_who_becomes_active(viewer, qtbot):
    patients = active_patient(viewer)
    anna, bert = patients.patients
    view = viewer.window._qt_viewer.layers
    for patient, name in ((anna, "Anna"), (bert, "Bert")):
        view.scrollToBottom()
        assert not in_view(viewer, f"{patients.title} T1CE")
        patients.activate(patient)
        let_turns_pass(qtbot)
        (selected,) = viewer.layers.selection
        assert selected.name.startswith(name) and in_view(viewer, selected.name)
        top = view.indexAt(view.viewport().rect().topLeft())
        assert top.data().startswith(name), "the first rows are those of the other patient"


def test_the_list_stays_where_it_is_while_no_other_patient_becomes_active(viewer, qtbot):
    view = viewer.window._qt_viewer.layers
    view.scrollToBottom()
    before = view.verticalScrollBar().value()
    viewer.layers["Bert T1"].visible = False
    patients = active_patient(viewer)
    patients.activate(patients.current)
    let_turns_pass(qtbot)
    assert view.verticalScrollBar().value() == before > 0
