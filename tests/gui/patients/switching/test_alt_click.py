"""A click with Alt on the eye of a layer shows it alone, also if its patient is hidden."""

from __future__ import annotations

import pytest
from event_loop import let_turns_pass
from layer_list_clicks import alt_click
from napari_cases import write_case_along

from napari_smalltumor.layers.patient import layers_of_patient
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient


@pytest.fixture
def viewer(make_napari_viewer, tmp_path):
    """Anna and Bert, who is active; T1 of both is hidden, and all else is shown."""
    viewer = make_napari_viewer(show=True)
    for name in ("Anna", "Bert"):
        open_case(viewer, write_case_along(tmp_path / name, labels=False))
        for layer in active_patient(viewer).layers:
            layer.visible = not layer.name.endswith("T1")
    return viewer


def shown(viewer) -> list[str]:
    return sorted(layer.name for layer in viewer.layers if layer.visible)


def all_of(name: str) -> list[str]:
    return [f"{name} FLAIR", f"{name} T1CE", f"{name} T2"]


def test_a_layer_of_a_hidden_patient_is_shown_alone_and_the_other_patient_as_before(viewer, qtbot):
    patients = active_patient(viewer)
    anna, bert = patients.patients
    assert patients.current == bert and shown(viewer) == all_of("Bert")
    alt_click(viewer, "Anna T2", qtbot)
    assert patients.current == anna and shown(viewer) == ["Anna T2"]
    patients.activate(bert)
    assert shown(viewer) == all_of("Bert")
    patients.activate(anna)
    assert shown(viewer) == ["Anna T2"]


def test_a_second_click_shows_both_patients_as_before_the_first(viewer, qtbot):
    patients = active_patient(viewer)
    anna, bert = patients.patients
    for _ in range(2):
        alt_click(viewer, "Anna T1", qtbot)
        assert patients.current == anna and shown(viewer) == ["Anna T1"]
        alt_click(viewer, "Anna T1", qtbot)
        assert patients.current == bert and shown(viewer) == all_of("Bert")
    patients.activate(anna)
    assert shown(viewer) == all_of("Anna")


def test_the_other_patient_is_shown_as_before_after_an_error_in_drawing(viewer, qtbot):
    patients = active_patient(viewer)
    anna, bert = patients.patients

    def fail(event) -> None:
        if patients.current == anna:
            raise ValueError("cannot be triangulated")

    layer = viewer.layers["Anna T2"]
    layer.events.visible.connect(fail)
    with qtbot.capture_exceptions() as raised:
        alt_click(viewer, "Anna T2", qtbot)
    assert [str(error) for _, error, _ in raised] == ["cannot be triangulated"]
    assert patients.current == anna
    layer.events.visible.disconnect(fail)
    patients.activate(bert)
    assert shown(viewer) == all_of("Bert")


def test_a_layer_of_the_active_patient_is_shown_alone_and_then_all_again(viewer, qtbot):
    patients = active_patient(viewer)
    anna, bert = patients.patients
    alt_click(viewer, "Bert T1", qtbot)
    assert patients.current == bert and shown(viewer) == ["Bert T1"]
    alt_click(viewer, "Bert T1", qtbot)
    assert shown(viewer) == all_of("Bert")
    patients.activate(anna)
    assert shown(viewer) == all_of("Anna")
    assert all(not layer.visible for layer in layers_of_patient(viewer.layers, bert))


def test_a_layer_that_is_shown_without_alt_is_shown_with_those_of_its_patient(viewer, qtbot):
    patients = active_patient(viewer)
    viewer.layers["Bert T2"].visible = False
    let_turns_pass(qtbot)
    viewer.layers["Anna T1"].visible = True
    qtbot.waitUntil(lambda: patients.title == "Anna")
    assert shown(viewer) == ["Anna FLAIR", "Anna T1", "Anna T1CE", "Anna T2"]
