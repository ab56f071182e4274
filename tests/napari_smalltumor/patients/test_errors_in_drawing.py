"""A layer that cannot be drawn leaves no two patients shown at once, and nobody uninformed."""

from __future__ import annotations

import pytest
from napari.layers import Layer
from napari_cases import case_along, write_case_along

from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.switching import shown_patient

pytestmark = pytest.mark.usefixtures("at_once")


@pytest.fixture
def patients(viewer, tmp_path):
    """Two patients of which the second is active."""
    for name in ("First", "Second"):
        open_case(viewer, write_case_along(tmp_path / name, labels=False))
    return active_patient(viewer)


def fail(event) -> None:
    raise ValueError("cannot be triangulated")


def titles_told(patients, signal) -> list[str]:
    """The title of the active patient whenever a signal is emitted from now on."""
    told: list[str] = []
    signal.connect(lambda: told.append(patients.title))
    return told


def layers_of(viewer, name: str):
    return [layer for layer in viewer.layers if patient_of(layer).name == name]


@pytest.mark.parametrize("name", ["First T1CE", "Second T1CE"])
def test_the_other_patient_is_active_all_the_same(viewer, patients, name):
    viewer.layers[name].events.visible.connect(fail)
    first, told = patients.patients[0], titles_told(patients, patients.changed)
    with pytest.raises(ValueError, match="triangulated"):
        patients.activate(first)
    assert patients.current == first and told == ["First"] and viewer.title == "First – napari"
    for layer in viewer.layers:
        assert not layer.visible or patient_of(layer) == first
        assert bool(layer.locked) == (patient_of(layer) != first)


def test_the_other_patient_is_active_also_if_the_stroke_before_cannot_be_drawn(
    viewer, patients, monkeypatch
):
    def fail(layers) -> None:
        raise ValueError("cannot be triangulated")

    monkeypatch.setattr(shown_patient, "end_strokes", fail)
    told = titles_told(patients, patients.changed)
    with pytest.raises(ValueError, match="triangulated"):
        patients.activate(patients.patients[0])
    assert patients.title == "First" and told == ["First"]


def test_nobody_is_active_after_an_error_in_leaving(viewer, patients):
    viewer.layers["Second T1CE"].events.visible.connect(fail)
    told = titles_told(patients, patients.changed)
    with pytest.raises(ValueError, match="triangulated"):
        patients.leave()
    assert patients.current is None and told == [""] and not viewer.layers.selection


def test_a_patient_whose_last_layer_is_removed_is_closed(viewer, patients):
    for layer in layers_of(viewer, "Second")[:-1]:
        viewer.layers.remove(layer)
    viewer.layers["First T1CE"].events.visible.connect(fail)
    told = titles_told(patients, patients.patients_changed)
    with pytest.raises(ValueError, match="triangulated"):
        viewer.layers.remove(layers_of(viewer, "Second")[0])
    assert [patient.name for patient in patients.patients] == ["First"] and told == ["First"]


def test_a_hidden_layer_that_is_removed_is_gone_for_the_docks(viewer, patients):
    hidden = viewer.layers["First T1CE"]
    hidden.events.visible.connect(fail)
    told = titles_told(patients, patients.patients_changed)
    with pytest.raises(ValueError, match="triangulated"):
        viewer.layers.remove(hidden)
    assert told == ["Second"]


def test_a_patient_whose_layer_is_added_is_listed(viewer, patients, tmp_path):
    viewer.layers["Second T1CE"].events.visible.connect(fail)
    folder = write_case_along(tmp_path / "Third", labels=False)
    told = titles_told(patients, patients.patients_changed)
    with pytest.raises(ValueError, match="triangulated"):
        open_case(viewer, folder)
    assert patients.title == "Third" and told == ["Third"]


def test_a_patient_who_is_adopted_is_told(viewer, patients):
    viewer.layers["Second T1CE"].events.visible.connect(fail)
    listed, assigned = (
        titles_told(patients, signal) for signal in (patients.patients_changed, patients.reassigned)
    )
    with pytest.raises(ValueError, match="triangulated"):
        patients.adopt([viewer.layers["Second T2"]], patients.patients[0])
    assert listed == assigned == ["First"]


def test_patients_whose_files_have_been_read_are_listed(viewer, patients):
    for image in image_layers(case_along(name="Third")):
        patients.insert_arriving(Layer.create(*image))
    viewer.layers["Second T1CE"].events.visible.connect(fail)
    told = titles_told(patients, patients.patients_changed)
    with pytest.raises(ValueError, match="triangulated"):
        patients.finish_arrivals()
    assert patients.title == "Third" and told == ["Third"]
    assert patients.layers[-1] in viewer.layers.selection
