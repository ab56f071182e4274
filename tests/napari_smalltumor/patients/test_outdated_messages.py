"""Messages about what the user has done meanwhile, or cannot do any more, are removed."""

from __future__ import annotations

import gc
from weakref import ref

import numpy as np
import pytest
from napari_cases import case_along
from shown_layers import open_segmented

from napari_smalltumor import notify
from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.messages import while_not_active
from napari_smalltumor.patients.removed.removed_layers import removed_layers
from napari_smalltumor.widgets import readable_messages

pytestmark = pytest.mark.usefixtures("at_once")


@pytest.fixture
def shown(monkeypatch) -> set[str]:
    """The texts of the messages that are shown."""
    shown: set[str] = set()
    for kind in ("info", "warn"):
        monkeypatch.setattr(notify, kind, shown.add)
    monkeypatch.setattr(readable_messages, "close_messages", shown.difference_update)
    return shown


@pytest.fixture
def patients(viewer, shown):
    """Anna and Bert, who is active."""
    for name in ("Anna", "Bert"):
        open_segmented(viewer, name)
    shown.clear()
    return active_patient(viewer)


def test_restore_is_no_longer_asked_for_when_the_layer_is_back(viewer, patients, shown):
    viewer.layers.remove("Bert ET")
    viewer.layers.remove("Bert T1CE")
    assert {text.split(" was removed")[0] for text in shown} == {"ET of Bert", "T1CE of Bert"}
    removed_layers(viewer).restore(patients.current)
    assert shown == set()


def test_restore_is_no_longer_asked_for_when_the_docks_do_not_show_it(viewer, patients, shown):
    viewer.layers.remove("Bert ET")
    (text,) = shown
    assert "Click Restore" in text
    patients.activate(patients.patients[0])
    assert shown == set()


def test_a_hidden_patient_is_to_be_chosen_until_its_layer_is_back(viewer, patients, shown):
    layer = viewer.layers["Anna ET"]
    viewer.layers.remove(layer)
    (text,) = shown
    assert "Choose Anna and click Restore" in text
    patients.activate(patients.patients[0])
    assert shown == {text}
    removed_layers(viewer).restore(patients.current)
    assert shown == set()


def test_other_messages_stay_when_layers_come_and_go(viewer, patients, shown):
    text = patients.messages.about(patients.current, "Bert has thick slices.")
    shown.add(text)
    viewer.add_points([[1.0, 2, 3]], name="Bert spot")
    patients.activate(patients.patients[0])
    assert shown >= {text}


def test_a_layer_is_said_to_stay_locked_until_its_patient_is_active(viewer, patients, shown):
    viewer.layers["Anna ET"].locked = False
    (text,) = shown
    assert "stays locked" in text
    patients.activate(patients.patients[0])
    assert shown == set()


def test_a_refused_undo_is_explained_until_the_patient_of_the_layer_is_active(
    viewer, patients, shown
):
    layer = viewer.layers["Anna ET"]
    undo = {str(key): call for key, call in layer.keymap.items()}["Ctrl+Z"]
    undo(layer)
    (text,) = shown
    assert "Anna ET was not changed: it belongs to Anna" in text
    patients.activate(patients.patients[0])
    assert shown == set()


def press_undo(layer) -> None:
    {str(key): call for key, call in layer.keymap.items()}["Ctrl+Z"](layer)


@pytest.mark.parametrize("name", ["Bert ET", "of nobody"])
@pytest.mark.parametrize(("hidden", "shown_again"), [("visible", True), ("opacity", 0.5)])
def test_a_refused_undo_is_explained_until_the_layer_is_seen(
    viewer, patients, shown, name, hidden, shown_again
):
    viewer.add_labels(np.zeros((4, 5, 6), np.uint8), name="of nobody")
    layer = viewer.layers[name]
    setattr(layer, hidden, 0)
    shown.clear()
    press_undo(layer)
    (text,) = shown
    assert f"{name} was not changed: it" in text
    setattr(layer, hidden, shown_again)
    assert shown == set()


def test_a_layer_whose_undo_was_refused_does_not_outlast_its_removal(viewer, patients, shown):
    layer = viewer.add_labels(np.zeros((4, 5, 6), np.uint8), name="drawn")
    patients.adopt([layer], patients.current)
    layer.visible = False
    press_undo(layer)
    viewer.layers.selection.active = viewer.layers["Bert ET"]  # napari keeps the last one
    kept = ref(layer)
    viewer.layers.remove(layer)
    del layer
    gc.collect()
    assert kept() is None


def test_a_text_that_is_said_again_or_of_another_patient_has_its_own_condition(patients, shown):
    messages, (anna, bert) = patients.messages, patients.patients
    messages.about(anna, "again", lambda active: False)
    messages.about(anna, "again")
    messages.about(anna, "both", lambda active: True)
    messages.about(bert, "both", lambda active: False)
    shown |= {"again", "both"}
    patients.activate(anna)
    assert shown == {"again", "both"}
    messages.remove(anna)
    assert shown == set()


def test_messages_are_removed_in_a_viewer_that_only_knows_its_patients(viewer, shown):
    """Also before the rest of the plugin was set up."""
    patients = active_patient(viewer)
    for name in ("Anna", "Bert"):
        data, attributes, _ = image_layers(case_along(name=name))[0]
        viewer.add_image(data, **attributes)
    anna, _ = patients.patients
    shown.add(patients.messages.about(anna, "Choose Anna.", while_not_active(anna)))
    patients.activate(anna)
    assert shown == set()
