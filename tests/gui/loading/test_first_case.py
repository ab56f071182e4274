"""While no patient is open, every dock says how to open one, and takes what is dropped on it."""

from __future__ import annotations

import pytest
from napari.settings import get_settings
from napari_cases import write_case_along
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication

from napari_smalltumor import devices, settings
from napari_smalltumor.loading import first_case, sample_data
from napari_smalltumor.loading.dropping import dropped_paths
from napari_smalltumor.loading.first_case import FirstCase
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.widgets.docks.open_dock import open_dock


@pytest.fixture
def viewer(make_napari_viewer, monkeypatch):
    monkeypatch.setattr(devices, "find_devices", lambda *arguments: None)
    return make_napari_viewer()


@pytest.mark.one_binding
def test_the_way_to_a_first_case_is_shown_until_a_patient_is_open(viewer, dock_of, tmp_path):
    dock = dock_of(viewer)
    header = dock.panel.header
    assert header.first_case.isVisibleTo(header) and not header.open_button.isVisibleTo(header)
    open_case(viewer, write_case_along(tmp_path / "Pat"))
    assert not header.first_case.isVisibleTo(header) and header.open_button.isVisibleTo(header)
    viewer.layers.clear()
    assert header.first_case.isVisibleTo(header)


def test_its_buttons_ask_for_a_case_and_open_the_sample(viewer, monkeypatch, tmp_path):
    case = write_case_along(tmp_path / "Sample")
    monkeypatch.setattr(sample_data, "sample_case_folder", lambda: case)
    asked = []
    monkeypatch.setattr(first_case, "open_case_folder", asked.append)
    shown = PatientHeader(viewer).first_case
    shown.open_button.click()
    assert asked == [viewer]
    shown.sample_button.click()
    assert active_patient(viewer).title == "Sample"


def test_its_box_makes_the_plugin_the_default_reader_or_no_longer(viewer):
    header, other = PatientHeader(viewer), PatientHeader(viewer)
    header.first_case.default_reader_box.click()
    assert set(settings.READ_BY_DEFAULT) <= set(get_settings().plugins.extension2reader)
    assert other.first_case.default_reader_box.isChecked()
    other.first_case.default_reader_box.click()
    assert not set(settings.READ_BY_DEFAULT) & set(get_settings().plugins.extension2reader)
    assert not header.first_case.default_reader_box.isChecked()


def dropped(*paths) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


@pytest.mark.parametrize(
    "name",
    ["Segment", "Lesions", "Compare", "Follow-up", "Worklist", "Fine-tune", "Prepared scan"],
)
def test_a_folder_dropped_on_a_dock_is_opened_and_what_is_no_file_is_refused(
    viewer, tmp_path, qtbot, name
):
    asks_to_drop = open_dock(viewer, name).findChild(FirstCase)
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    no_key = Qt.KeyboardModifier.NoModifier
    text = QMimeData()
    text.setText("a word")
    for data, accepted in (text, False), (dropped(write_case_along(tmp_path / "Pat")), True):
        event = QDragEnterEvent(QPoint(5, 5), copy, data, left, no_key)
        event.ignore()
        QApplication.sendEvent(asks_to_drop, event)
        assert event.isAccepted() is accepted
    QApplication.sendEvent(asks_to_drop, QDropEvent(QPointF(5, 5), copy, data, left, no_key))
    qtbot.waitUntil(lambda: active_patient(viewer).title == "Pat")


def test_files_of_a_case_are_opened_together(tmp_path):
    folder = write_case_along(tmp_path / "Pat")
    files = sorted(folder.iterdir())
    assert dropped_paths(dropped(*files, folder, tmp_path / "a.txt")) == ([folder], files)
