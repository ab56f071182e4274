"""Closing removes everything of one patient, and asks if edits were not exported."""

from __future__ import annotations

import numpy as np
import pytest
from lesion_layers import show_regions
from lesion_layers import synthetic_case as case_with_lesions
from napari.layers._layer_actions import _duplicate_layer
from napari_cases import write_case_along
from qtpy.QtCore import QTimer

from napari_smalltumor import notify, questions, settings
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.close_patient import close_active
from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """Questions that were asked; all are answered with *Close*."""
    texts: list[str] = []
    monkeypatch.setattr(questions, "confirm", lambda p, t, text, a: texts.append(text) or True)
    return texts


@pytest.fixture
def messages(monkeypatch) -> list[str]:
    shown: list[str] = []
    for name in ("info", "warn", "error"):
        monkeypatch.setattr(notify, name, shown.append)
    return shown


@pytest.fixture
def viewer(make_napari_viewer, tmp_path, messages):
    """A patient without regions, and one with regions, lesions and rings that is active."""
    viewer = make_napari_viewer()
    open_case(viewer, write_case_along(tmp_path / "First", labels=False))
    viewer.window.add_dock_widget(LesionsDock(viewer), area="right")
    show_regions(viewer, case_with_lesions())
    return viewer


def paint(viewer, name: str) -> None:
    layer = viewer.layers[name]
    outside = np.argwhere(layer.data == 0)[0]
    layer.data_setitem(tuple(np.array([n]) for n in outside), 1)


def test_close_removes_every_layer_and_ring_and_shows_the_patient_before(
    viewer, asked, messages, qtbot
):
    header = PatientHeader(viewer)
    qtbot.addWidget(header)
    qtbot.waitUntil(lambda: any(x.name == "Small lesions" for x in viewer.layers))
    assert active_patient(viewer).title == "Pat"
    header.close_button.click()
    assert active_patient(viewer).title == header.picker.currentText() == "First"
    assert [x.name for x in viewer.layers if x.visible] == ["First T1CE"]
    assert not [x for x in viewer.layers if region_of(x) is not None]
    qtbot.waitUntil(lambda: not any(x.name == "Small lesions" for x in viewer.layers))
    header.close_button.click()  # a double click
    assert active_patient(viewer).title == "First"
    qtbot.waitUntil(lambda: not header.findChild(QTimer).isActive())
    header.close_button.click()
    assert len(viewer.layers) == 0 and not header.close_button.isEnabled()
    qtbot.wait(50)
    assert asked == [] and messages == []


def test_a_painted_copy_of_a_region_is_asked_about(viewer, asked):
    viewer.layers.selection.active = viewer.layers["Pat ET"]
    _duplicate_layer(viewer.layers)
    close_active(viewer)
    (text,) = asked
    assert "Pat ET copy of Pat was not saved and will be lost" in text


@pytest.mark.parametrize("autosave", [pytest.param(True, marks=pytest.mark.one_binding), False])
def test_edits_that_were_not_exported_are_named_and_their_fate_is_told(viewer, asked, autosave):
    settings.put("autosave", autosave)
    paint(viewer, "Pat ET")
    close_active(viewer)
    (text,) = asked
    assert "Edits of Pat were not exported" in text and "Pat ET" in text and "Pat TC" in text
    assert ("restore" in text) == autosave and ("lost" in text) != autosave
    assert active_patient(viewer).title == "First"


@pytest.mark.one_binding
def test_closed_edits_are_saved_to_be_restored(viewer, asked, data_folder):
    paint(viewer, "Pat ET")
    close_active(viewer)
    ensure_autosave(viewer).autosave.wait()
    assert len(list(data_folder.glob("autosave/*/*.safetensors"))) == 1


@pytest.mark.one_binding
def test_nothing_is_closed_if_the_user_cancels(viewer, monkeypatch):
    monkeypatch.setattr(questions, "confirm", lambda *arguments: False)
    paint(viewer, "Pat ET")
    before = list(viewer.layers)
    close_active(viewer)
    assert list(viewer.layers) == before and active_patient(viewer).title == "Pat"


def test_an_edited_region_that_was_removed_is_asked_about_too(viewer, asked):
    paint(viewer, "Pat ET")
    viewer.layers.remove(viewer.layers["Pat ET"])
    close_active(viewer)
    assert "Pat ET" in asked[0]


def test_without_a_patient_the_command_says_so(make_napari_viewer, messages):
    close_active(make_napari_viewer())
    assert messages == ["No patient is open."]
