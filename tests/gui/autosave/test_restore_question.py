"""What the user is asked when a case with saved edits is opened."""

from __future__ import annotations

import pytest
from event_loop import let_turns_pass
from opened_case import empty_result, saved_files
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QMenu
from shown_layers import show_segmentation
from smalltumor.labels.regions import Region

from napari_smalltumor import notify, settings
from napari_smalltumor.autosave.folder import AutosaveFolder
from napari_smalltumor.autosave.restore_question import LATER, RESTORE
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.closing.close_patient import reopen_closed
from napari_smalltumor.layers.metadata import case_of, region_layers
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.removed.closed_patients import closed_patients


@pytest.mark.slow
def test_the_reader_whose_edits_they_are_is_named(
    edited, synthetic_case, make_napari_viewer, answers, data_folder, qtbot
):
    queue, asked = answers
    viewer, _ = edited
    settings.put("reader", "Ann")
    autosave = ensure_autosave(viewer).autosave
    autosave.save()
    viewer.layers.clear()
    autosave.wait()
    settings.put("reader", "Ben")
    queue.append(LATER)
    open_case(make_napari_viewer(), synthetic_case)
    qtbot.waitUntil(lambda: len(asked) == 1)
    assert (
        "The reader was Ann; the reader is Ben now. If you restore the edits and save" in asked[0]
    )


@pytest.mark.slow
def test_the_first_reader_is_not_forgotten_when_another_goes_on(
    edited, synthetic_case, make_napari_viewer, answers, data_folder, qtbot
):
    queue, asked = answers
    viewer, _ = edited
    settings.put("reader", "Ann")
    ensure_autosave(viewer).autosave.save()
    viewer.layers.clear()
    ensure_autosave(viewer).autosave.wait()
    settings.put("reader", "Ben")
    queue += [RESTORE, LATER]
    second = make_napari_viewer()
    open_case(second, synthetic_case)
    qtbot.waitUntil(lambda: len(asked) == 1)
    qtbot.waitUntil(lambda: bool(region_layers(second.layers, case_of(second.layers[0]))))
    region_layers(second.layers, case_of(second.layers[0]))[Region.ET].paint((2, 2, 2), 1)
    ensure_autosave(second).autosave.save()
    second.layers.clear()
    ensure_autosave(second).autosave.wait()
    settings.put("reader", "Cem")
    open_case(make_napari_viewer(), synthetic_case)
    qtbot.waitUntil(lambda: len(asked) == 2)
    assert "The readers were Ann and Ben; the reader is Cem now." in asked[1]


@pytest.mark.slow
def test_nothing_is_asked_under_a_menu(edited, synthetic_case, answers, data_folder, qtbot):
    queue, asked = answers
    viewer, _ = edited
    viewer.window._qt_window.show()
    ensure_autosave(viewer).autosave.save()
    viewer.layers.clear()
    queue.append(LATER)
    menu = QMenu()
    menu.addAction("Duplicate Layer")
    menu.popup(QPoint(0, 0))
    open_case(viewer, synthetic_case)
    let_turns_pass(qtbot)
    assert asked == []
    menu.close()
    qtbot.waitUntil(lambda: len(asked) == 1)


@pytest.mark.slow
def test_nothing_is_asked_under_the_brush(edited, synthetic_case, answers, data_folder, qtbot):
    queue, asked = answers
    viewer, _ = edited
    window = viewer.window._qt_window
    window.show()
    ensure_autosave(viewer).autosave.save()
    viewer.layers.clear()
    queue.append(LATER)
    qtbot.mousePress(window.statusBar(), Qt.MouseButton.LeftButton)
    open_case(viewer, synthetic_case)
    let_turns_pass(qtbot)
    assert asked == []
    qtbot.mouseRelease(window.statusBar(), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(asked) == 1)


@pytest.mark.slow
def test_edits_that_are_not_restored_now_are_kept_beside_later_ones(
    edited, synthetic_case, answers, data_folder, qtbot
):
    queue, asked = answers
    viewer, _ = edited
    autosave = ensure_autosave(viewer).autosave
    autosave.save()
    viewer.layers.clear()
    autosave.wait()
    queue.append(LATER)
    open_case(viewer, synthetic_case)
    qtbot.waitUntil(lambda: len(asked) == 1)

    case = case_of(viewer.layers[0])
    show_segmentation(viewer, case, empty_result(case))
    region_layers(viewer.layers, case)[Region.ET].paint((3, 3, 3), 1)
    autosave.save()
    viewer.layers.clear()
    autosave.wait()
    assert len(saved_files(data_folder / "autosave")) == 2
    queue += [LATER, RESTORE]
    open_case(viewer, synthetic_case)
    qtbot.waitUntil(lambda: len(asked) == 3)
    et = region_layers(viewer.layers, case_of(viewer.layers[0]))[Region.ET].data
    assert et[9, 10, 11] == 1 and et[3, 3, 3] == 0
    assert len(saved_files(data_folder / "autosave")) == 2


@pytest.mark.one_binding
def test_a_patient_whose_layers_return_is_not_asked_about_and_stays_autosaved(
    edited, answers, data_folder, qtbot
):
    _, asked = answers
    viewer, case = edited
    et = region_layers(viewer.layers, case)[Region.ET]
    let_turns_pass(qtbot)  # the question about the opened case, if there were edits
    viewer.layers.select_all()
    viewer.layers.remove_selected()
    qtbot.waitUntil(lambda: bool(closed_patients(viewer).patients))
    reopen_closed(viewer, patient_of(et))
    let_turns_pass(qtbot)
    assert asked == [] and et in viewer.layers
    assert ensure_autosave(viewer).autosave.edited([et]) == [et.name]
    qtbot.waitUntil(lambda: len(saved_files(data_folder / "autosave")) == 1)


@pytest.mark.slow
def test_edits_of_a_closed_window_can_be_restored_in_another_one(
    edited, synthetic_case, make_napari_viewer, answers, data_folder, qtbot
):
    queue, asked = answers
    viewer, _case = edited
    second = make_napari_viewer()
    viewer.window._qt_window.show()
    viewer.close()
    qtbot.waitUntil(lambda: len(saved_files(data_folder / "autosave")) == 1)
    queue.append(LATER)
    open_case(second, synthetic_case)
    qtbot.waitUntil(lambda: len(asked) == 1)


def test_a_damaged_autosave_is_reported_and_the_case_is_opened(
    make_napari_viewer, synthetic_case, data_folder, qtbot, monkeypatch
):
    from smalltumor.data.read_case import read_case

    folder = AutosaveFolder(data_folder / "autosave")
    folder.lock()
    folder.file_of(read_case(synthetic_case)).write_bytes(b"\0" * 40)
    folder.unlock()
    messages = []
    monkeypatch.setattr(notify, "warn", messages.append)
    viewer = make_napari_viewer()
    assert open_case(viewer, synthetic_case)
    qtbot.waitUntil(lambda: bool(messages))
    assert "lost" in messages[0] and "safetensors" in messages[0]
