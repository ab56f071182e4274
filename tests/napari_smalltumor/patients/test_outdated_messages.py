"""Messages about what the user has done meanwhile, or cannot do any more, are removed."""

from __future__ import annotations

import pytest
from shown_layers import open_segmented

from napari_smalltumor import notify
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.removed.missing_layers import missing_layers
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
    missing_layers(viewer).restore(patients.current)
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
    missing_layers(viewer).restore(patients.current)
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
