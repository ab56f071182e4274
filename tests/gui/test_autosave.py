"""Edits are autosaved, and restored after napari was killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region

from napari_smalltumor import notify, questions, settings
from napari_smalltumor.autosave import watcher
from napari_smalltumor.autosave.folder import AutosaveFolder
from napari_smalltumor.autosave.restore_question import DISCARD, LATER, RESTORE
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.close_patient import reopen_closed
from napari_smalltumor.export.dialog import ask_and_export
from napari_smalltumor.layers.metadata import case_of, region_layers
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.closed_by_hand import closed_by_hand

ROOT = Path(__file__).resolve().parents[2]
SESSION = """
import sys
from pathlib import Path
import napari
import numpy as np
from napari_smalltumor.autosave import watcher
from napari_smalltumor import settings
from napari_smalltumor.layers.metadata import case_of, region_layers
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.open_case import open_case
from qtpy.QtCore import QTimer
from shown_layers import show_segmentation
from smalltumor.labels.regions import Region
from smalltumor.data.segmentation import Segmentation

settings._pages = lambda: None
watcher.INTERVAL_MS = 50  # instead of one minute
viewer = napari.Viewer(show=False)
open_case(viewer, Path(sys.argv[1]))
case = case_of(viewer.layers[0])
classes = np.zeros(case.grid.shape, np.uint8)
classes[6:9, 6:9, 6:9] = 3
show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid, case.header))
region_layers(viewer.layers, case)[Region.ET].paint((9, 10, 11), 1)

def report():
    if list(Path(sys.argv[2]).glob("autosave/*/*.safetensors")):
        print("saved", flush=True)

timer = QTimer()
timer.timeout.connect(report)
timer.start(50)
napari.run(force=True)
"""


@pytest.fixture
def parents() -> list[int]:
    """Identities of the windows in which the user was asked; a window itself would be kept."""
    return []


@pytest.fixture
def answers(monkeypatch, parents):
    """The queue of the user's answers, and the list of questions asked."""
    queue, asked = [], []

    def answer(parent, title, text, *answers, harmless):
        asked.append(text)
        parents.append(id(parent))
        return queue.pop(0)

    monkeypatch.setattr(questions, "ask", answer)
    monkeypatch.setattr(notify, "info", lambda message: None)
    return queue, asked


@pytest.fixture(scope="session")
def killed_once(synthetic_case, tmp_path_factory) -> Path:
    """The data folder of a napari process that was killed while a case was edited."""
    folder = tmp_path_factory.mktemp("killed")
    # The packages come first; otherwise the test folders of the same names hide them.
    paths = os.pathsep.join([str(ROOT / "model"), str(ROOT), str(ROOT / "tests" / "support")])
    environment = {**os.environ, "PYTHONPATH": paths, "SMALLTUMOR_DATA": str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-c", SESSION, str(synthetic_case), str(folder)],
        stdout=subprocess.PIPE,
        env=environment,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"saved\n"
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    return folder


@pytest.fixture
def killed(killed_once, data_folder) -> Path:
    """A copy of the killed process's autosave folder for one test."""
    shutil.copytree(killed_once, data_folder)
    return data_folder / "autosave"


def saved_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.safetensors"))


@pytest.mark.slow
def test_edits_are_restored_after_a_kill(
    killed, synthetic_case, make_napari_viewer, answers, qtbot
):
    queue, asked = answers
    viewer = make_napari_viewer()
    queue.append(LATER)
    layers = open_case(viewer, synthetic_case)
    qtbot.waitUntil(lambda: len(asked) == 1)
    assert "case ET" in asked[0] and "case" in asked[0]
    assert len(viewer.layers) == len(layers)
    assert len(saved_files(killed)) == 1

    viewer.layers.clear()
    queue.append(RESTORE)
    open_case(viewer, synthetic_case)
    qtbot.waitUntil(lambda: len(asked) == 2)
    regions = region_layers(viewer.layers, case_of(viewer.layers[0]))
    for region in Region:
        assert regions[region].data[9, 10, 11] == 1
        assert np.count_nonzero(regions[region].data) > 27
    (own,) = saved_files(killed)
    assert own.parent == ensure_autosave(viewer).autosave.folder.path


@pytest.mark.slow
def test_the_user_is_asked_in_the_window_of_the_case_and_not_again_about_discarded_edits(
    killed, synthetic_case, make_napari_viewer, answers, parents, qtbot
):
    queue, asked = answers
    viewer = make_napari_viewer()
    make_napari_viewer()
    queue.append(DISCARD)
    open_case(viewer, synthetic_case)
    qtbot.waitUntil(lambda: len(asked) == 1)
    assert parents == [id(viewer.window._qt_window)]
    assert not killed.exists() or not any(killed.iterdir())
    viewer.layers.clear()
    open_case(viewer, synthetic_case)
    qtbot.wait(100)
    assert len(asked) == 1


@pytest.fixture
def edited(make_napari_viewer, synthetic_case, data_folder):
    """A case with an edited result, in a window."""
    viewer = make_napari_viewer()
    open_case(viewer, synthetic_case)
    case = case_of(viewer.layers[0])
    classes = np.zeros(case.grid.shape, np.uint8)
    classes[6:9, 6:9, 6:9] = 3
    result = Segmentation(case.name, classes, case.grid, case.header)
    show_segmentation(viewer, case, result)
    region_layers(viewer.layers, case)[Region.ET].paint((9, 10, 11), 1)
    return viewer, case


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


@pytest.mark.one_binding
def test_edits_are_saved_every_minute_until_they_are_exported(
    edited, tmp_path, data_folder, qtbot, monkeypatch
):
    from qtpy.QtWidgets import QFileDialog

    viewer, _ = edited
    viewer_autosave = ensure_autosave(viewer)
    assert viewer_autosave._save_timer.isActive()
    assert viewer_autosave._save_timer.interval() == 60_000
    viewer_autosave._save_timer.timeout.emit()
    qtbot.waitUntil(lambda: len(saved_files(data_folder / "autosave")) == 1)
    target = str(tmp_path / "out.nii.gz")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (target, ""))
    monkeypatch.setattr(notify, "info", lambda message: None)
    assert ask_and_export(viewer, None, per_region=False)
    qtbot.waitUntil(lambda: saved_files(data_folder / "autosave") == [])


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
    qtbot.wait(50)  # the question about the opened case, if there were edits
    viewer.layers.select_all()
    viewer.layers.remove_selected()
    qtbot.waitUntil(lambda: bool(closed_by_hand(viewer).patients))
    reopen_closed(viewer, patient_of(et))
    qtbot.wait(50)
    assert asked == [] and et in viewer.layers
    assert ensure_autosave(viewer).autosave.edited([et]) == [et.name]
    qtbot.waitUntil(lambda: len(saved_files(data_folder / "autosave")) == 1)


def empty_result(case) -> Segmentation:
    return Segmentation(case.name, np.zeros(case.grid.shape, np.uint8), case.grid, case.header)


@pytest.mark.slow
def test_edits_are_saved_when_the_window_closes(edited, dock_of, data_folder, qtbot):
    viewer, _case = edited
    dock = dock_of(viewer)
    window = viewer.window._qt_window
    window.show()
    qtbot.waitUntil(dock.isVisible)
    assert saved_files(data_folder / "autosave") == []
    window.hide()  # the first step of closing
    qtbot.waitUntil(lambda: len(saved_files(data_folder / "autosave")) == 1)


@pytest.mark.slow
def test_edits_of_a_closed_window_are_offered_in_another_one(
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


@pytest.mark.one_binding
def test_edits_are_saved_before_a_run(edited, dock_of, data_folder, qtbot, monkeypatch):
    viewer, _case = edited
    dock = dock_of(viewer)
    monkeypatch.setattr(questions, "confirm", lambda *a: True)
    worker = SimpleNamespace(quit=lambda: None, abort_requested=False)
    monkeypatch.setattr("napari_smalltumor.segment.run.start", lambda job, name, **slots: worker)
    dock.segment()
    qtbot.waitUntil(lambda: len(saved_files(data_folder / "autosave")) == 1)


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


@pytest.mark.slow
def test_the_user_is_not_asked_while_autosave_is_disabled(
    killed, synthetic_case, make_napari_viewer, answers, qtbot, monkeypatch
):
    settings.put("autosave", False)
    viewer = make_napari_viewer()
    open_case(viewer, synthetic_case)
    qtbot.wait(100)
    assert answers[1] == []
    assert len(saved_files(killed)) == 1


def test_a_write_error_is_reported_once(edited, data_folder, qtbot, monkeypatch):
    viewer, _case = edited
    data_folder.parent.mkdir(parents=True, exist_ok=True)
    data_folder.write_bytes(b"a file where the folder should be")
    messages = []
    monkeypatch.setattr(watcher.notify, "warn", messages.append)
    viewer_autosave = ensure_autosave(viewer)
    viewer_autosave.save_now()
    qtbot.waitUntil(lambda: viewer_autosave.save_now() or bool(messages))
    viewer_autosave.save_now()
    assert len(messages) == 1
    assert "could not be autosaved" in messages[0]
