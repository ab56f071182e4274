"""Files are read in a worker; a case that is half read cannot be used."""

from __future__ import annotations

import shutil
import threading

import numpy as np
import pytest
from event_loop import let_workers_end
from napari_cases import write_case_along
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QDialog, QMenu
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region
from synthetic import write_case

from napari_smalltumor import devices, notify
from napari_smalltumor.export.case_export import case_to_export, export_case
from napari_smalltumor.layers.metadata import case_of, region_layers, region_of
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading import reader, sample_data
from napari_smalltumor.loading.files import case_layers
from napari_smalltumor.loading.jobs import loader
from napari_smalltumor.loading.jobs.loader import loader_of
from napari_smalltumor.loading.open_case import open_and_remember, open_case
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient


@pytest.fixture
def viewer(make_napari_viewer, monkeypatch):
    monkeypatch.setattr(devices, "find_devices", lambda *arguments: None)
    return make_napari_viewer()


@pytest.fixture
def disk(monkeypatch):
    """A disk that delivers no image before it is released."""
    released = threading.Event()
    for module, name in (
        (case_layers, "read_case_files"),
        (case_layers, "read_single_file"),
        (reader, "read_single_file"),
    ):
        read = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda *a, read=read, **k: released.wait(60) and read(*a, **k)
        )
    yield released
    released.set()


def drop(viewer, *paths) -> None:
    """Open files as napari does that are dropped on the window."""
    for path in paths:
        assert viewer.open(str(path), plugin="napari-smalltumor") == []


def visible(viewer) -> list[str]:
    return [layer.name for layer in viewer.layers if layer.visible]


def wait_until_read(viewer, qtbot) -> None:
    reading = active_patient(viewer).arrivals
    qtbot.waitUntil(lambda: not loader_of(viewer).busy and not reading.reading)


@pytest.mark.one_binding
def test_an_error_of_the_window_does_not_end_the_reading_of_files(
    viewer, tmp_path, in_loop, qtbot, raised, monkeypatch
):
    def fail(viewer):
        raise RuntimeError("the window could not be set up")

    with monkeypatch.context() as patch:
        patch.setattr(loader, "setup_steps", fail)
        in_loop(drop, viewer, write_case_along(tmp_path / "Pat"))
        qtbot.waitUntil(lambda: bool(raised))
    wait_until_read(viewer, qtbot)
    assert [str(error) for error in raised] == ["the window could not be set up"]
    in_loop(drop, viewer, write_case_along(tmp_path / "Next"))
    wait_until_read(viewer, qtbot)
    qtbot.waitUntil(lambda: active_patient(viewer).title == "Next")


@pytest.mark.one_binding
def test_a_dropped_folder_is_read_in_a_worker_and_then_active(
    viewer, tmp_path, in_loop, disk, qtbot
):
    folder = write_case_along(tmp_path / "Pat")
    in_loop(drop, viewer, folder)
    header = PatientHeader(viewer)
    qtbot.addWidget(header)
    assert len(viewer.layers) == 0
    assert header.reading.text() == "Reading Pat ..."
    disk.set()
    wait_until_read(viewer, qtbot)
    assert active_patient(viewer).title == header.picker.currentText() == "Pat"
    assert visible(viewer) == ["Pat T1CE", "Pat labels"]
    assert [x.name for x in viewer.layers.selection] == ["Pat labels"]
    assert header.reading.isHidden()
    low, high = viewer.layers[0].extent.world
    assert all(a < x < b for a, x, b in zip(low, viewer.dims.point, high, strict=True))


def test_nothing_of_a_case_that_is_half_read_is_listed_shown_or_exported(
    viewer, dock_of, tmp_path, in_loop, qtbot
):
    dock = dock_of(viewer)
    open_case(viewer, write_case_along(tmp_path / "First", labels=False))
    first = active_patient(viewer).current
    states: list[tuple] = []

    def look(event) -> None:
        if patient_of(event.value) != first:
            chosen = dock.panel.pickers.chosen.values()
            states.append(
                (
                    active_patient(viewer).patients,
                    [patient_of(layer) for layer in chosen],
                    [patient_of(layer) for layer in viewer.layers if layer.visible],
                    case_to_export(viewer),
                    [patient_of(layer) for layer in viewer.layers.selection],
                )
            )

    viewer.layers.events.inserted.connect(look, position="last")
    files = sorted(write_case_along(tmp_path / "Second").iterdir())
    in_loop(drop, viewer, *files)
    qtbot.waitUntil(lambda: active_patient(viewer).title == "Second")
    assert len(states) == 5
    for patients, chosen, shown, exported, selected in states[:-1]:
        assert patients == [first] and set(chosen) == {first} and shown == [first]
        assert exported is None and selected[:1] == [first]
    assert visible(viewer) == ["Second T1CE", "Second labels"]
    assert viewer.layers[-1].name == "Second labels"


@pytest.mark.one_binding
def test_a_mask_without_a_name_joins_the_images_that_are_read_before_it(
    viewer, tmp_path, in_loop, qtbot, monkeypatch
):
    monkeypatch.setattr(loader, "_SAME_DROP_S", 600.0)  # however slow the machine
    open_case(viewer, write_case_along(tmp_path / "First", labels=False))
    folder = write_case_along(tmp_path / "Second")
    shutil.move(folder / "Second_seg.nii.gz", tmp_path / "corrected.nii.gz")
    in_loop(drop, viewer, folder, tmp_path / "corrected.nii.gz")
    wait_until_read(viewer, qtbot)
    mask = next(x for x in viewer.layers if x.name.startswith("corrected"))
    assert patient_of(mask).name == "Second"


def test_a_mask_without_a_name_is_that_of_the_patient_who_was_shown_when_it_was_dropped(
    viewer, tmp_path, in_loop, disk, messages, qtbot
):
    disk.set()
    for name in ("First", "Second"):
        open_case(viewer, write_case_along(tmp_path / name, labels=False))
    first, second = active_patient(viewer).patients
    mask = write_case_along(tmp_path / "masks", name="x") / "corrected.nii.gz"
    (mask.parent / "x_seg.nii.gz").rename(mask)
    for image in mask.parent.glob("x_*"):
        image.unlink()
    disk.clear()
    active_patient(viewer).activate(first)
    in_loop(drop, viewer, mask)
    active_patient(viewer).activate(second)
    disk.set()
    wait_until_read(viewer, qtbot)
    layer = next(x for x in viewer.layers if x.name.startswith("corrected"))
    assert patient_of(layer) == first
    assert active_patient(viewer).current == first
    assert [text for text in messages if "names no patient. The layer was added to First" in text]


def test_a_mask_that_is_dropped_while_another_patient_is_read_is_that_of_the_shown_one(
    viewer, tmp_path, in_loop, disk, messages, qtbot, monkeypatch
):
    disk.set()
    open_case(viewer, write_case_along(tmp_path / "First", labels=False))
    first = active_patient(viewer).current
    second = write_case_along(tmp_path / "Second")
    mask = tmp_path / "corrected.nii.gz"
    shutil.move(second / "Second_seg.nii.gz", mask)
    disk.clear()
    monkeypatch.setattr(loader, "_SAME_DROP_S", 0.0)  # they are dropped one after the other
    in_loop(drop, viewer, second)
    in_loop(drop, viewer, mask)
    disk.set()
    wait_until_read(viewer, qtbot)
    assert patient_of(next(x for x in viewer.layers if x.name.startswith("corrected"))) == first
    assert [text for text in messages if "The layer was added to First, who was shown" in text]


def test_a_hidden_layer_that_is_clicked_while_its_case_is_read_stays_hidden(
    viewer, tmp_path, in_loop, qtbot
):
    open_case(viewer, write_case_along(tmp_path / "First", labels=False))
    clicked: list[bool] = []

    def click(event) -> None:
        if event.value.name == "Second T2":
            QTimer.singleShot(0, lambda: clicked.append(show(event.value)))

    def show(layer) -> bool:
        layer.visible = True
        return active_patient(viewer).title == "First" and not layer.visible

    viewer.layers.events.inserted.connect(click)
    in_loop(drop, viewer, write_case_along(tmp_path / "Second", labels=False))
    wait_until_read(viewer, qtbot)
    assert clicked == [True]
    assert active_patient(viewer).title == "Second"


@pytest.mark.one_binding
def test_no_other_patient_becomes_active_under_a_dialog(viewer, tmp_path, in_loop, qtbot):
    patients = active_patient(viewer)
    open_case(viewer, write_case(tmp_path / "first", name="first"))
    dialog = QDialog()
    qtbot.addWidget(dialog)
    dialog.setModal(True)  # such as the one that asks for an earlier scan of "first"
    dialog.show()
    in_loop(open_and_remember, viewer, write_case(tmp_path / "second", name="second"))
    qtbot.waitUntil(lambda: len(viewer.layers) == 8)
    let_workers_end(qtbot)
    assert patients.current.name == "first"
    dialog.close()
    qtbot.waitUntil(lambda: patients.current.name == "second")


@pytest.mark.one_binding
def test_a_case_that_is_open_already_does_not_become_active_under_a_dialog(
    viewer, tmp_path, in_loop, qtbot
):
    patients = active_patient(viewer)
    for name in ("first", "second"):
        open_case(viewer, write_case(tmp_path / name, name=name))
    dialog = QDialog()
    qtbot.addWidget(dialog)
    dialog.setModal(True)  # such as the one that asks whether edits of "second" are replaced

    def open_and_ask() -> None:
        open_and_remember(viewer, tmp_path / "first")
        dialog.show()

    in_loop(open_and_ask)
    let_workers_end(qtbot)
    assert patients.current.name == "second"
    dialog.close()
    qtbot.waitUntil(lambda: patients.current.name == "first")


@pytest.mark.one_binding
def test_a_question_about_files_waits_until_the_last_one_is_answered(
    viewer, tmp_path, in_loop, qtbot, monkeypatch
):
    open_case(viewer, write_case(tmp_path / "first", name="first"))
    said: list[str] = []
    monkeypatch.setattr(notify, "report_error", lambda error: said.append(str(error)))
    damaged = tmp_path / "damaged_t1.nii.gz"
    damaged.write_bytes(b"no image")
    dialog = QDialog()
    qtbot.addWidget(dialog)
    dialog.setModal(True)
    dialog.show()
    in_loop(open_and_remember, viewer, damaged)
    let_workers_end(qtbot)
    assert said == []
    dialog.close()
    qtbot.waitUntil(lambda: len(said) == 1)
    assert "damaged_t1" in said[0]


@pytest.mark.one_binding
def test_no_layer_is_added_under_a_menu(viewer, tmp_path, in_loop, qtbot):
    open_case(viewer, write_case(tmp_path / "first", name="first"))
    window = viewer.window._qt_window
    window.show()
    menu = QMenu(window)  # such as that of the layer list
    menu.addAction("Show All Unselected Layers")
    menu.popup(window.mapToGlobal(window.rect().center()))
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is menu)
    in_loop(open_and_remember, viewer, write_case(tmp_path / "second", name="second"))
    let_workers_end(qtbot)
    assert len(viewer.layers) == 4
    menu.close()
    qtbot.waitUntil(lambda: active_patient(viewer).current.name == "second")
    assert len(viewer.layers) == 8


def test_a_mask_is_not_opened_beside_regions_that_were_made_while_it_was_read(
    viewer, tmp_path, in_loop, messages, monkeypatch, qtbot
):
    folder = write_case_along(tmp_path / "Pat", labels=False)
    case = case_of(open_case(viewer, folder)[0])
    classes = np.zeros(case.grid.shape, np.uint8)
    classes[2:5, 2:5, 2:5] = 3
    result = Segmentation(case.name, classes, case.grid, case.header)
    show_segmentation(viewer, case, result)
    export_case(viewer, case, folder / "Pat_smalltumor.nii.gz", scheme="brats2018")
    for layer in region_layers(viewer.layers, case).values():
        viewer.layers.remove(layer)
    read, reading, made = case_layers.read_regions, threading.Event(), threading.Event()
    monkeypatch.setattr(
        case_layers,
        "read_regions",
        lambda *a, **k: reading.set() or (made.wait(60) and read(*a, **k)),
    )
    in_loop(open_and_remember, viewer, folder / "Pat_smalltumor.nii.gz")
    qtbot.waitUntil(reading.is_set)
    show_segmentation(viewer, case, result)
    made.set()
    wait_until_read(viewer, qtbot)
    assert [region_of(x) for x in viewer.layers].count(Region.ET) == 1
    assert any("made while its file was read" in text for text in messages)


def test_a_file_that_cannot_be_read_is_named_and_the_next_one_is_opened(
    viewer, tmp_path, in_loop, qtbot, messages
):
    bad, good = (write_case_along(tmp_path / n, labels=False) for n in ("Bad", "Good"))
    (bad / "Bad_t1.nii.gz").write_bytes(b"damaged")
    in_loop(drop, viewer, bad, good)
    wait_until_read(viewer, qtbot)
    assert len(messages) == 1 and "Bad_t1.nii.gz" in messages[0]
    assert active_patient(viewer).title == "Good" and len(viewer.layers) == 4


def test_a_case_that_is_being_read_is_not_read_twice(viewer, tmp_path, in_loop, disk, qtbot):
    folder = write_case_along(tmp_path / "Pat", labels=False)
    in_loop(drop, viewer, folder, folder)
    in_loop(open_and_remember, viewer, folder)
    disk.set()
    wait_until_read(viewer, qtbot)
    assert len(viewer.layers) == 4


@pytest.mark.slow
def test_the_patient_that_is_active_can_be_segmented_while_another_is_read(
    viewer, dock_of, tmp_path, in_loop, disk, run, qtbot
):
    dock = dock_of(viewer)
    disk.set()
    open_case(viewer, write_case(tmp_path / "first"))
    disk.clear()
    in_loop(drop, viewer, write_case_along(tmp_path / "Second", labels=False))
    assert run(dock)
    assert {patient_of(layer).name for layer in viewer.layers} == {"case"}
    disk.set()
    wait_until_read(viewer, qtbot)
    assert active_patient(viewer).title == "Second"


def test_a_window_that_is_closed_while_a_case_is_read_ends_without_an_error(
    viewer, tmp_path, in_loop, disk, qtbot, raised, messages
):
    in_loop(drop, viewer, write_case_along(tmp_path / "Pat", labels=False))
    viewer.close()
    disk.set()
    let_workers_end(qtbot)
    assert raised == [] and messages == []


def test_a_folder_that_is_dropped_twice_is_not_opened_twice(viewer, in_loop, tmp_path, qtbot):
    folder = write_case_along(tmp_path / "Pat")
    for _ in range(2):
        in_loop(lambda: viewer.open(str(folder), plugin="napari-smalltumor"))
        qtbot.waitUntil(lambda: not loader_of(viewer).busy and len(viewer.layers) == 5)
    assert len(viewer.layers) == 5
    assert not any("[1]" in layer.name for layer in viewer.layers)


def test_the_sample_is_read_in_a_worker(viewer, synthetic_case, in_loop, disk, monkeypatch, qtbot):
    monkeypatch.setattr(sample_data, "sample_case_folder", lambda: synthetic_case)
    in_loop(lambda: viewer.open_sample("napari-smalltumor", "glioma"))
    assert not viewer.layers
    assert loader_of(viewer).busy
    disk.set()
    wait_until_read(viewer, qtbot)
    assert len(viewer.layers) == 4
    assert active_patient(viewer).current is not None
