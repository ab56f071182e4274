"""The Fine-tune dock in a real viewer: a whole round of training, and failed runs."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtWidgets import QDialog, QPlainTextEdit
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.read_case import read_case
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.training.runs import run_control
from smalltumor.training.runs.monitor import RunMonitor
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.runs.run_lock import is_locked
from smalltumor.training.runs.status import RunState
from training_cases import write_lesion_cases

from napari_smalltumor import questions, settings
from napari_smalltumor.finetune.dock import FinetuneDock
from napari_smalltumor.layers.metadata import case_of, region_layers
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient


@pytest.fixture
def data(tmp_path) -> Path:
    return write_lesion_cases(tmp_path / "data", 2)


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


@pytest.fixture
def docked(viewer, data, weights_to_tune, monkeypatch, messages, qtbot):
    """The dock with a training folder and quick settings; its run is stopped after the test."""
    monkeypatch.setattr(run_control, "NICENESS", 0)  # a busy machine would keep the test waiting
    monkeypatch.setattr(run_control, "_GRACE_SECONDS", 60.0)
    settings.put("training_folder", str(data))
    dock = FinetuneDock(viewer)
    viewer.window.add_dock_widget(dock, area="right", name="Fine-tune")
    train = dock.panel.train
    train.choose_weights(str(weights_to_tune))
    monkeypatch.setattr(train, "_suggest_sizes", lambda: None)
    train.device.value = "auto"
    train.crop.value, train.batch_size.value = 32, 2
    train.validation.value = "3"
    qtbot.waitUntil(dock.panel.run_bar.start.isEnabled)  # when the folder has been read
    yield dock
    if dock.run is not None and is_locked(RunFolder(dock.run)):
        run_control.stop(dock.run)


def wait_for_state(qtbot, dock, *states: RunState) -> None:
    qtbot.waitUntil(lambda: dock.poll() or dock.status.state in states)


def wait_for_epoch(qtbot, dock, epoch: int) -> None:
    qtbot.waitUntil(lambda: dock.poll() or dock.status.epoch >= epoch)


@pytest.mark.slow
def test_a_corrected_case_is_added_trained_on_and_segmented_with_the_new_weights(
    viewer, docked, dock_of, run, data, tmp_path, qtbot, messages
):
    segment_dock = dock_of(viewer)
    scan = write_lesion_cases(tmp_path / "scans", 1, names="patient_{:02d}", seed=10) / "patient_00"
    (scan / "patient_00_seg.nii.gz").unlink()
    open_case(viewer, scan)
    assert run(segment_dock)

    case = case_of(viewer.layers[0])
    et = region_layers(viewer.layers, case)[Region.ET]
    et.data[:] = 0
    et.brush_size = 7
    et.paint((20, 22, 20), 1)
    page = docked.panel.cases
    qtbot.waitUntil(lambda: not docked.training_folder.is_busy and page.add.isEnabled())
    page.add.click()
    qtbot.waitUntil(lambda: not docked.training_folder.is_busy)
    added = read_case(data / "patient_00")
    classes, _ = read_labels(added)
    stored = np.count_nonzero(classes == TissueClass.ET)
    assert stored == np.count_nonzero(et.data) > 0
    assert page.text.startswith("3 cases, 3 usable")
    qtbot.waitUntil(page.add.isEnabled)  # once the images have been compared
    assert "replace" in page.add.text().replace("&", "").lower()

    docked.panel.train.epochs.value = 3
    docked.panel.run_bar.start.click()
    assert docked.run is not None and docked.run.parent == data / "runs"
    wait_for_state(qtbot, docked, RunState.DONE)
    status = docked.status
    assert status.training == ("case_01", "patient_00")
    assert status.validation == ("case_00",)
    curves = docked.panel.monitor.curves
    assert curves.points("segmentation") == 3
    assert curves.points("wt") == 4  # the weights it started from, too
    assert "mproved" in docked.panel.result.verdict
    assert docked.panel.result.table.item(0, 0).text() == "case_00"

    with qtbot.waitSignal(docked.predicted) as shown:
        docked.panel.monitor.predict.click()
    assert shown.args == [True], messages
    assert "case_00 in training" in viewer.layers
    before = set(viewer.layers)
    with qtbot.waitSignal(docked.predicted):
        docked.panel.monitor.predict.click()
    assert set(viewer.layers) == before

    result = docked.panel.result
    assert status.comparison is not None  # three epochs may improve nothing
    assert result.use.isEnabled() is not status.comparison.is_start
    result.use_clicked.emit()
    best = RunFolder(docked.run).best
    assert segment_dock.panel.options.weights_path == best
    active_patient(viewer).activate(patient_of(et))
    chosen = segment_dock.panel.pickers.chosen
    assert {m: x.name for m, x in chosen.items()} == {
        m: f"patient_00 {m.upper()}" for m in ("flair", "t1ce", "t1", "t2")
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(questions, "ask", lambda *a, harmless: "Replace")
        assert run(segment_dock)
    assert load_checkpoint(best).name in segment_dock.panel.results.text
    assert not [message for message in messages if "rror" in message]


@pytest.mark.slow
def test_buttons_pause_resume_and_stop_a_run(docked, qtbot):
    docked.panel.train.epochs.value = 5000
    docked.panel.run_bar.start.click()
    bar = docked.panel.run_bar
    wait_for_epoch(qtbot, docked, 1)
    assert not bar.start.isEnabled() and not bar.resume.isEnabled()
    bar.pause.click()
    wait_for_state(qtbot, docked, RunState.PAUSED)
    qtbot.waitUntil(lambda: bar.resume.isEnabled())
    reached = docked.status.epoch
    bar.resume.click()
    wait_for_epoch(qtbot, docked, reached + 1)
    bar.stop.click()
    wait_for_state(qtbot, docked, RunState.STOPPED)
    qtbot.waitUntil(lambda: not is_locked(RunFolder(docked.run)))


@pytest.mark.slow
def test_a_run_continues_after_napari_was_killed_and_is_shown_in_the_next_session(
    viewer, data, weights_to_tune, tmp_path, qtbot, monkeypatch, messages
):
    monkeypatch.setattr(run_control, "_GRACE_SECONDS", 60.0)
    script = tmp_path / "napari_that_dies.py"
    script.write_text(
        "import napari, sys\n"
        "from pathlib import Path\n"
        "from qtpy.QtWidgets import QApplication\n"
        "from napari_smalltumor import settings\n"
        "from smalltumor.training.runs import run_control\n"
        "settings._pages = lambda: None\n"
        "run_control.NICENESS = 0\n"
        f"settings.put('training_folder', {str(data)!r})\n"
        "from napari_smalltumor.finetune.dock import FinetuneDock\n"
        "viewer = napari.Viewer(show=False)\n"
        "dock = FinetuneDock(viewer)\n"
        "viewer.window.add_dock_widget(dock)\n"
        "train = dock.panel.train\n"
        f"train.choose_weights({str(weights_to_tune)!r})\n"
        "train.crop.value, train.batch_size.value, train.epochs.value = 32, 2, 5000\n"
        "start = dock.panel.run_bar.start\n"
        "while not start.isEnabled():  # until the folder has been read\n"
        "    QApplication.processEvents()\n"
        "start.click()\n"
        "print(dock.run, flush=True)\n"
        "napari.run()\n"
    )
    first = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    run = Path(first.stdout.readline().strip())
    try:
        monitor = RunMonitor(run)
        qtbot.waitUntil(lambda: monitor.poll().epoch >= 1)
        first.send_signal(signal.SIGKILL)
        first.communicate()
        settings.put("run_folder", str(run))
        dock = FinetuneDock(viewer)
        viewer.window.add_dock_widget(dock, area="right", name="Fine-tune")
        assert dock.status.state is RunState.RUNNING
        assert dock.panel.pages.currentWidget() is dock.panel.monitor
        wait_for_epoch(qtbot, dock, dock.status.epoch + 1)
        assert run_control.stop(run)
    finally:
        first.kill()
        if is_locked(RunFolder(run)):
            run_control.stop(run)


@pytest.mark.slow
def test_a_failed_run_shows_its_error_and_its_log(docked, tmp_path):
    run = RunFolder(tmp_path / "elsewhere")
    run.write_config({"training": {"epochs": 4}})
    run.append("failed", 0, message="case_01_t2.nii.gz is not a NIfTI file", changes={})
    run.log.write_text("preparing 2 cases\nsmalltumor: case_01_t2.nii.gz is not a NIfTI file\n")
    docked.open_run(run.path)
    assert docked.status.state is RunState.FAILED
    assert "case_01_t2.nii.gz" in docked.panel.run_bar.text
    docked.panel.run_bar.log.click()
    dialog = docked.findChildren(QDialog)[-1]
    assert "preparing 2 cases" in dialog.findChild(QPlainTextEdit).toPlainText()


def test_a_run_out_of_memory_can_be_resumed_with_smaller_settings(docked, data, tmp_path, qtbot):
    run = RunFolder(tmp_path / "elsewhere")
    run.write_config({"data": str(data), "training": {"epochs": 4}})
    run.append("start", 0, steps=16, device="cpu", training=["a"], validation=[])
    run.append(
        "failed",
        3,
        message="not enough memory on cpu at step 3 for 2 crops",
        changes={"batch_size": 1},
    )
    docked.open_run(run.path)
    bar = docked.panel.run_bar
    assert "not enough memory" in bar.text
    assert (
        not bar.resume_smaller.isHidden()
        and "a smaller batch size (1)" in bar.resume_smaller.text()
    )
    assert "no validation cases" in docked.panel.result.verdict
    wanted = []
    bar.resume_clicked.disconnect()
    bar.resume_clicked.connect(wanted.append)
    bar.resume_smaller.click()
    assert wanted == [{"batch_size": 1}]


def test_cases_with_problems_are_listed_with_the_problem(docked, data, qtbot):
    (data / "case_00" / "case_00_seg.nii.gz").unlink()
    docked.training_folder.show(data)
    qtbot.waitUntil(lambda: not docked.training_folder.is_busy)
    item = docked.panel.cases.table.topLevelItem(0)
    assert "case_00" in item.text(0) and "no segmentation" in item.child(0).text(0)
    assert docked.panel.cases.text.startswith("2 cases, 1 usable")


def test_starting_without_a_training_folder_is_an_error(viewer, messages):
    dock = FinetuneDock(viewer)
    viewer.window.add_dock_widget(dock, area="right", name="Fine-tune")
    dock.start()
    assert "folder of training cases" in messages[0]
