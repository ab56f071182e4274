"""What a layer is called never says another open patient."""

from __future__ import annotations

import numpy as np
import pytest
from napari_cases import write_case_along

from napari_smalltumor import notify
from napari_smalltumor.layers.patient import Patient, patient_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.layer_rules import patient_names
from napari_smalltumor.patients.layer_rules.assign_selected import assign_selected
from napari_smalltumor.patients.layer_rules.patient_names import other_patient_in

pytestmark = pytest.mark.usefixtures("at_once")


@pytest.fixture
def said(monkeypatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(notify, "warn", said.append)
    return said


@pytest.fixture
def opened(viewer, tmp_path, said):
    """Anna and Bert, who is active."""
    for name in ("Anna", "Bert"):
        open_case(viewer, write_case_along(tmp_path / name))
    return viewer


@pytest.mark.parametrize("name", ["Bert T2", "Bert T9", "Bert", "Bert_T9"])
@pytest.mark.parametrize("kind", ["T2", "labels"])
def test_a_layer_that_is_renamed_to_another_patient_has_its_name_again(opened, said, name, kind):
    names = {layer.name for layer in opened.layers}
    layer = opened.layers[f"Anna {kind}"]
    layer.name = name
    assert {layer.name for layer in opened.layers} == names and layer.name == f"Anna {kind}"
    (text,) = said
    assert text == (
        f"The layer {name} of Anna was renamed to Anna {kind}: its name must not begin with that "
        "of another open patient (Bert)."
    )


@pytest.mark.parametrize(
    "name", ["fluid", "Anna fluid", "Anna T2 as in Bert", "as in Bert", "bert", "Bertram", "Ann"]
)
def test_other_names_stay(opened, said, name):
    opened.layers["Anna T2"].name = name
    assert name in opened.layers and said == []


def test_a_copy_and_a_drawn_layer_may_not_say_another_patient_either(opened, said):
    patients = active_patient(opened)
    points = opened.add_points([[1.0, 2, 3]], name="sure")
    copy = opened.add_labels(np.array(opened.layers["Bert labels"].data), name="copy")
    patients.adopt([points, copy], patients.current)
    said.clear()
    points.name, copy.name = "Anna sure", "Anna labels"
    assert (points.name, copy.name) == ("sure", "copy") and len(said) == 2


def test_a_name_that_says_a_patient_who_is_opened_later_begins_with_its_own(viewer, tmp_path, said):
    open_case(viewer, write_case_along(tmp_path / "Anna"))
    layer = viewer.layers["Anna T2"]
    layer.name = "Bert T2"
    assert layer.name == "Bert T2" and said == []
    open_case(viewer, write_case_along(tmp_path / "Bert"))
    assert layer.name == "Anna Bert T2" and patient_of(viewer.layers["Bert T2"]).name == "Bert"
    assert len(said) == 1 and "was renamed to Anna Bert T2:" in said[0]


def test_a_layer_that_is_assigned_begins_with_its_patient_if_it_says_another(opened, said):
    result = opened.add_labels(np.array(opened.layers["Bert labels"].data), name="Bert spots")
    assert patient_of(result) is None and result.name == "Bert spots"
    active_patient(opened).activate(active_patient(opened).patients[0])
    opened.layers.selection = {result}
    assign_selected(opened)
    assert result.name == "Anna Bert spots"


def test_the_patient_whose_name_is_longer_is_the_one_that_is_said():
    other, short, long = Patient("Other"), Patient("Pat"), Patient("Pat 2")
    titles = {each: each.name for each in (other, short, long)}
    assert other_patient_in("Pat 2 ET", other, titles) == long
    assert other_patient_in("Pat 2 ET", long, titles) is None
    assert other_patient_in("Pat ET", long, titles) == short
    assert other_patient_in("Pat 20 ET", short, titles) is None


def test_a_name_that_begins_with_the_own_patient_stays(viewer, tmp_path, said):
    """Also if more of it is the name of another patient."""
    open_case(viewer, write_case_along(tmp_path / "Pat"))
    layer = viewer.layers["Pat T1"]
    layer.name = "Pat Pat T9"
    open_case(viewer, write_case_along(tmp_path / "Pat Pat"))
    assert layer.name == "Pat Pat T9" and said == []


@pytest.mark.parametrize(
    ("patients", "name"), [(("1", "2"), "lesion 1"), (("Left", "Right"), "left edema")]
)
def test_words_that_happen_to_be_names_of_patients_stay(viewer, tmp_path, said, patients, name):
    for patient in patients:
        open_case(viewer, write_case_along(tmp_path / patient))
    viewer.layers[f"{patients[1]} T1"].name = name
    assert name in viewer.layers and said == []


def test_the_titles_of_the_patients_are_found_once_for_all_layers(opened, monkeypatch):
    found = []
    titles = patient_names.titles
    monkeypatch.setattr(patient_names, "titles", lambda each: found.append(each) or titles(each))
    opened.layers["Anna T2"].name = "fluid"
    assert len(found) == 1


def test_visits_are_told_apart_by_their_titles_only(viewer, tmp_path, said):
    for visit in ("first", "second"):
        open_case(viewer, write_case_along(tmp_path / visit / "Pat"))
    layer = viewer.layers["Pat (first) T2"]
    layer.name = "Pat fluid"
    assert layer.name == "Pat fluid" and said == []
    layer.name = "Pat (second) fluid"
    assert layer.name == "Pat fluid" and len(said) == 1
