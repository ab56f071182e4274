"""Fine-tune docks that are closed and opened during a run, and several docks on one run."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from lesion_layers import show_regions
from lesion_layers import synthetic_case as case_with_lesions
from napari_cases import case_along
from qtpy import QT5
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QApplication, QFileDialog, QPushButton, QWidget
from smalltumor.errors import CaseError, OutputError
from smalltumor.labels.schemes import SCHEMES
from smalltumor.training.runs import run_control
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.runs.run_lock import is_locked
from smalltumor.training.runs.status import State
from synthetic import write_weights

from napari_smalltumor import notify, questions, settings
from napari_smalltumor.finetune import dialogs
from napari_smalltumor.finetune import dock as dock_module
from napari_smalltumor.finetune.cases.training_folder import TrainingFolder
from napari_smalltumor.finetune.dialogs import Answer, main_window_of
from napari_smalltumor.finetune.dock import FinetuneDock
from napari_smalltumor.finetune.run import run_prediction
from napari_smalltumor.finetune.run.prediction import Prediction, prediction_name
from napari_smalltumor.layers.create import labels_layer
from napari_smalltumor.layers.metadata import LayerKind
from napari_smalltumor.viewer_setup import set_up

HOLDS_RUN_FOLDER = """
import sys, time
from pathlib import Path
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.runs.run_lock import hold_run_lock

run = RunFolder(Path(sys.argv[1]))
with hold_run_lock(run):
    run.append("start", 0, steps=40, device="cpu", training=["a"], validation=["Pat"])
    print("training", flush=True)
    finished = run.path / "finish"
    while run.read_stop_request() is None and not finished.exists():
        time.sleep(0.05)
    if finished.exists():
        run.append("done", 40)
"""


class HeldRun:
    """A run whose process holds the run folder and ends when it is told to."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        folder.create()
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDS_RUN_FOLDER, str(folder.path)],
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"training\n"

    def finish(self) -> None:
        (self.folder.path / "finish").touch()
        self.process.wait()


@pytest.fixture
def run(tmp_path):
    held = HeldRun(RunFolder(tmp_path / "runs" / "held"))
    yield held
    held.process.kill()
    held.process.wait()


@pytest.fixture
def open_dock(monkeypatch, run, messages):
    """Adds a dock to a viewer, which restores the run that was shown last."""
    monkeypatch.setattr(dock_module.devices, "find_devices", lambda *args: None)
    monkeypatch.setattr(dock_module.devices, "find_memory", lambda *args: None)
    settings.put("run_folder", str(run.folder.path))

    def open_in(viewer, name: str = "Fine-tune") -> FinetuneDock:
        dock = FinetuneDock(viewer)
        viewer.window.add_dock_widget(dock, area="right", name=name)
        dock.poll()
        return dock

    return open_in


@pytest.fixture
def answers(monkeypatch):
    """Answers to the question before closing, and whether each time it could be cancelled."""
    answers: list[Answer] = []
    could_cancel: list[bool] = []

    def ask(parent, *, can_cancel: bool) -> Answer:
        could_cancel.append(can_cancel)
        return answers.pop(0)

    monkeypatch.setattr(dialogs, "ask_before_closing", ask)
    return answers, could_cancel


def prediction_of(name: str) -> Prediction:
    case, scheme = case_along("LPS", name), SCHEMES["brats2023"]
    stored = np.zeros(case.grid.shape, np.uint8)
    layer = labels_layer(case, stored, scheme, prediction_name(name), kind=LayerKind.PREDICTION)
    return Prediction(case, layer, f"{name}: prediction after step 7")


def test_closing_the_question_keeps_the_window_or_the_training(monkeypatch):
    monkeypatch.setattr(questions, "ask", lambda *answers, harmless: harmless)
    assert dialogs.ask_before_closing(None, can_cancel=True) is Answer.CANCEL
    assert dialogs.ask_before_closing(None, can_cancel=False) is Answer.KEEP_TRAINING


@pytest.mark.one_binding
@pytest.mark.parametrize("answer", [Answer.KEEP_TRAINING, Answer.STOP])
def test_closing_the_dock_asks_whether_training_continues(
    make_napari_viewer, open_dock, run, answers, answer
):
    viewer = make_napari_viewer()
    dock = open_dock(viewer)
    assert dock.status.state is State.RUNNING
    answers[0].append(answer)
    viewer.window.remove_dock_widget(dock)
    assert answers[1] == [False]
    assert is_locked(run.folder) == (answer is Answer.KEEP_TRAINING)


def test_closing_the_dock_with_its_button_can_be_cancelled(
    make_napari_viewer, open_dock, run, answers, qtbot
):
    dock = open_dock(make_napari_viewer(show=True))
    dock.poll()
    button = dock.parentWidget().titleBarWidget().findChild(QPushButton, "QTitleBarCloseButton")
    answers[0].extend([Answer.CANCEL, Answer.KEEP_TRAINING])
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert dock.parentWidget() is not None and not button.isDown()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert dock.parentWidget() is None
    assert answers[1] == [True, True]
    assert is_locked(run.folder)


def test_closing_the_window_can_be_cancelled(make_napari_viewer, open_dock, run, answers):
    viewer = make_napari_viewer()
    open_dock(viewer)
    answers[0].extend([Answer.CANCEL, Answer.STOP])
    viewer.window._qt_window.close()
    assert is_locked(run.folder)
    viewer.close()
    assert answers[1] == [True, True]
    assert not is_locked(run.folder)


def test_a_run_and_an_unsaved_result_are_one_question(
    make_napari_viewer, open_dock, run, answers, monkeypatch
):
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    set_up(viewer)
    open_dock(viewer)
    show_regions(viewer, case_with_lesions())
    asked = []
    monkeypatch.setattr(
        questions, "ask", lambda p, t, text, *a, harmless: asked.append(text) or a[1]
    )
    viewer.window._qt_window.close(quit_app=False, confirm_need=True)
    (text,) = asked
    assert "of Pat were segmented, not saved, and will be lost." in text
    assert f"The training of {run.folder.path.name} continues in the background." in text
    assert answers[1] == [] and is_locked(run.folder)
    assert viewer.window._qt_window.isHidden()
    answers[0].append(Answer.KEEP_TRAINING)  # of the fixture that closes it again


@pytest.mark.one_binding
def test_only_the_last_window_that_shows_a_run_asks(make_napari_viewer, open_dock, run, answers):
    first, second = make_napari_viewer(), make_napari_viewer()
    open_dock(first)
    open_dock(second)
    first.close()
    assert answers[1] == []
    answers[0].append(Answer.KEEP_TRAINING)
    second.close()
    assert answers[1] == [True]
    assert is_locked(run.folder)


def test_a_window_that_was_deleted_does_not_show_its_run(
    make_napari_viewer, open_dock, answers, messages
):
    first, second = make_napari_viewer(), make_napari_viewer()
    open_dock(first)
    deleted = open_dock(second)
    second.close()
    deferred = QEvent.Type.DeferredDelete
    QApplication.sendPostedEvents(None, getattr(deferred, "value", deferred))  # PyQt5 has no value
    assert not isalive(deleted)
    answers[0].append(Answer.KEEP_TRAINING)
    first.close()
    assert answers[1] == [True]
    assert messages == []


def test_a_window_that_was_closed_and_kept_does_not_show_its_run(
    make_napari_viewer, open_dock, answers
):
    first, second = make_napari_viewer(), make_napari_viewer()
    open_dock(first)
    kept = open_dock(second)
    window = main_window_of(kept)
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    window.close()
    assert isalive(kept) and not answers[1]
    kept.poll()
    answers[0].append(Answer.CANCEL)
    first.window._qt_window.close()
    assert answers[1] == [True]
    answers[0].append(Answer.KEEP_TRAINING)
    first.close()


def test_a_closed_window_that_is_shown_again_asks_again(
    make_napari_viewer, open_dock, answers, qtbot
):
    viewer = make_napari_viewer(show=True)
    dock = open_dock(viewer)
    window = main_window_of(dock)
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    answers[0].extend([Answer.KEEP_TRAINING, Answer.KEEP_TRAINING])
    QWidget.close(window)
    window.show()
    dock.poll()
    viewer.close()
    assert answers[1] == [True, True]


def test_two_docks_in_one_window_ask_once(make_napari_viewer, open_dock, answers):
    viewer = make_napari_viewer()
    open_dock(viewer, "one")
    open_dock(viewer, "two")
    answers[0].append(Answer.KEEP_TRAINING)
    viewer.close()
    assert answers[1] == [True]


def test_a_run_that_cannot_be_stopped_does_not_keep_the_dock_open(
    make_napari_viewer, open_dock, answers, monkeypatch, messages
):
    def fail(run):
        raise OutputError("the disk is full")

    viewer = make_napari_viewer()
    dock = open_dock(viewer)
    monkeypatch.setattr(run_control, "stop", fail)
    answers[0].append(Answer.STOP)
    viewer.window.remove_dock_widget(dock)
    assert messages == ["The disk is full"]


def test_a_run_that_ended_while_the_dock_was_removed_is_shown_as_done(
    make_napari_viewer, open_dock, run, answers, qtbot
):
    viewer = make_napari_viewer()
    dock = open_dock(viewer)
    answers[0].append(Answer.KEEP_TRAINING)
    viewer.window.remove_dock_widget(dock)
    run.finish()
    viewer.window.add_dock_widget(dock, name="again")
    qtbot.waitUntil(lambda: dock.status.state is State.DONE)
    assert dock.panel.run_bar.text.startswith("Done")
    assert dock._timer.isActive()


@pytest.mark.one_binding
def test_a_run_that_ended_while_no_dock_was_open_is_shown_as_done(
    make_napari_viewer, open_dock, run, answers
):
    viewer = make_napari_viewer()
    answers[0].append(Answer.KEEP_TRAINING)
    viewer.window.remove_dock_widget(open_dock(viewer))
    run.finish()
    dock = open_dock(viewer)
    assert dock.status.state is State.DONE
    assert not dock.panel.run_bar.stop.isEnabled()
    assert dock.panel.run_bar.start.toolTip() == "Choose a folder of training cases first"


def test_the_training_folder_is_looked_at_when_the_dock_is_shown_or_its_window_activated(
    make_napari_viewer, open_dock, monkeypatch
):
    dock = open_dock(make_napari_viewer())
    looked: list[QEvent.Type] = []
    monkeypatch.setattr(TrainingFolder, "read_if_changed", lambda self: looked.append(kind))
    for kind in (QEvent.Type.WindowActivate, QEvent.Type.Show, QEvent.Type.Hide):
        QApplication.sendEvent(dock, QEvent(kind))
    assert looked == [QEvent.Type.WindowActivate, QEvent.Type.Show]


def finished_run(data: Path, folder: RunFolder) -> Path:
    """A run that was trained on a folder and has written weights."""
    folder.write_config({"data": str(data)})
    folder.append("done", 40)
    write_weights(folder.best)
    return folder.path


def test_the_run_is_named_and_its_training_folder_if_another_one_is_chosen(
    make_napari_viewer, open_dock, tmp_path
):
    train, other = tmp_path / "train", tmp_path / "other" / "train"
    for folder in (train, other):
        folder.mkdir(parents=True)
    dock = open_dock(make_napari_viewer())
    bar, result = dock.panel.run_bar, dock.panel.result
    dock.open_run(finished_run(train, RunFolder(train / "runs" / "2026-01-02_1200")))
    dock.training_folder.show(train)
    assert (bar.run_name, bar.trained_on) == ("Run 2026-01-02_1200", "")
    dock.training_folder.show(other)
    assert (bar.run_name, bar.trained_on) == (
        "Run 2026-01-02_1200",
        f"Trained on another folder: {train}",
    )
    assert f"2026-01-02_1200 (best), trained on {train}" in result.use.toolTip()
    result.use.click()
    assert settings.get("weights") == str(train / "runs" / "2026-01-02_1200" / "best.safetensors")
    used = f"The Segment dock uses 2026-01-02_1200 (best), trained on {train}."
    assert result.in_use == used
    dock.training_folder.show(train)
    assert "trained on" not in bar.trained_on + result.use.toolTip()
    dock.open_run(finished_run(other, RunFolder(tmp_path / "elsewhere")))
    assert (bar.run_name, result.in_use) == (
        "Run elsewhere",
        "The Segment dock uses 2026-01-02_1200 (best).",
    )
    assert bar.trained_on == f"Trained on another folder: {other}"


def test_the_weights_in_use_are_named_wherever_they_were_chosen_and_after_a_restart(
    make_napari_viewer, open_dock, messages, tmp_path
):
    dock = open_dock(make_napari_viewer())
    result = dock.panel.result
    assert result.in_use == "The Segment dock uses shipped (starter)."
    run = RunFolder(finished_run(tmp_path / "train", RunFolder(tmp_path / "runs" / "mine")))
    dock.open_run(run.path)
    result.use.click()
    assert result.in_use.startswith("The Segment dock uses mine (best)")
    again = open_dock(make_napari_viewer(), "Fine-tune again")
    assert again.panel.result.in_use.startswith("The Segment dock uses mine (best)")
    settings.put("weights", "")
    for each in (dock, again):
        assert each.panel.result.in_use == "The Segment dock uses shipped (starter)."
    settings.put("weights", str(run.best))
    run.best.unlink()
    dock.poll()
    assert result.in_use == "The Segment dock uses mine (best) (not found)."


def test_weights_that_cannot_be_read_are_not_used(
    make_napari_viewer, open_dock, messages, tmp_path
):
    dock = open_dock(make_napari_viewer())
    run = RunFolder(finished_run(tmp_path / "train", RunFolder(tmp_path / "runs" / "torn")))
    run.best.write_bytes(b"half a file")
    dock.open_run(run.path)
    dock.panel.result.use.click()
    assert settings.get("weights") == ""
    assert any(str(run.best) in message for message in messages)


@pytest.mark.skipif(QT5, reason="Qt 5 gives what is scrolled its preferred height")
def test_the_run_bar_stays_in_view_in_a_low_window(make_napari_viewer, open_dock, tmp_path, qtbot):
    viewer = make_napari_viewer(show=True)
    dock = open_dock(viewer)
    run = RunFolder(tmp_path / "runs" / "failed")
    run.write_config({"training": {"epochs": 4}})
    run.append("start", 0, training=[f"case_{number}" for number in range(30)], validation=["v"])
    run.append("failed", 0, message="the process ended " * 8, changes={})
    dock.open_run(run.path)
    viewer.window.resize(1200, 750)
    bar = dock.panel.run_bar
    qtbot.waitUntil(lambda: not bar.visibleRegion().isEmpty())
    for page in range(dock.panel.pages.count()):
        dock.panel.pages.setCurrentIndex(page)
        for part in (bar.start, bar.open):
            qtbot.waitUntil(lambda w=part: w.visibleRegion().boundingRect() == w.rect())


@pytest.mark.one_binding
def test_docks_of_two_windows_follow_the_same_run(make_napari_viewer, open_dock, run):
    docks = [open_dock(make_napari_viewer()) for _ in range(2)]
    run.finish()
    for dock in docks:
        dock.poll()
    assert [dock.status.state for dock in docks] == [State.DONE, State.DONE]


@pytest.fixture
def slow_prediction(monkeypatch):
    """Predictions wait for this event."""
    may_end = threading.Event()

    def predict(run, name, device):
        assert may_end.wait(60)
        return prediction_of(name)

    monkeypatch.setattr(run_prediction, "predict", predict)
    yield may_end
    may_end.set()


def test_a_prediction_that_ends_after_the_dock_was_closed_is_not_shown(
    make_napari_viewer, open_dock, run, answers, slow_prediction, qtbot
):
    viewer = make_napari_viewer()
    dock = open_dock(viewer)
    dock.panel.monitor.predict.click()
    answers[0].append(Answer.KEEP_TRAINING)
    viewer.window.remove_dock_widget(dock)
    with qtbot.waitSignal(dock.predicted) as predicted:
        slow_prediction.set()
    assert predicted.args == [False]
    assert len(viewer.layers) == 0


def test_a_prediction_that_cannot_be_shown_leaves_the_page_usable(
    make_napari_viewer, open_dock, run, slow_prediction, monkeypatch, qtbot
):
    def fail(*arguments, **options):
        raise CaseError("the images have changed")

    errors: list[str] = []
    monkeypatch.setattr(notify, "error", errors.append)
    monkeypatch.setattr(run_prediction, "show_prediction", fail)
    dock = open_dock(make_napari_viewer())
    dock.panel.monitor.predict.click()
    with qtbot.waitSignal(dock.predicted) as predicted:
        slow_prediction.set()
    assert predicted.args == [False] and errors and "images have changed" in errors[0]
    assert dock.panel.monitor.predict.isEnabled() and dock.panel.monitor.message == ""


def test_a_prediction_of_another_run_leaves_the_page_as_it_is(
    make_napari_viewer, open_dock, tmp_path, slow_prediction, qtbot
):
    viewer = make_napari_viewer()
    dock = open_dock(viewer)
    page = dock.panel.monitor
    page.predict.click()
    assert page.message == "Segmenting Pat ..."
    other = RunFolder(tmp_path / "other")
    other.create()
    other.append("start", 0, steps=40, device="cpu", training=["a"], validation=["b"])
    dock.open_run(other.path)
    assert page.predict.isEnabled()
    with qtbot.waitSignal(dock.predicted):
        slow_prediction.set()
    assert page.message == ""


def test_another_run_can_be_stopped_while_one_is_stopping(
    make_napari_viewer, open_dock, run, tmp_path, monkeypatch, qtbot
):
    may_end = threading.Event()
    monkeypatch.setattr(run_control, "stop", lambda path: may_end.wait(60))
    dock = open_dock(make_napari_viewer())
    dock.stop()
    assert dock.panel.run_bar.text == "Stopping ..."
    other = HeldRun(RunFolder(tmp_path / "other"))
    dock.open_run(other.folder.path)
    assert dock.panel.run_bar.stop.isEnabled()
    other.finish()
    may_end.set()
    dock.open_run(run.folder.path)
    qtbot.waitUntil(lambda: dock.panel.run_bar.text != "Stopping ...")


def test_each_event_of_a_long_run_is_read_once(
    make_napari_viewer, open_dock, tmp_path, monkeypatch
):
    long_run = RunFolder(tmp_path / "long")
    long_run.create()
    event = {"event": "epoch", "step": 1, "time": 1.0, "epochs": 5000, "segmentation": 0.5}
    lines = [json.dumps(event | {"epoch": number}) + "\n" for number in range(1, 5001)]
    long_run.events.write_text("".join(lines))
    dock = open_dock(make_napari_viewer())
    parsed = []
    loads = json.loads
    monkeypatch.setattr(json, "loads", lambda text: parsed.append(text) or loads(text))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *args: str(long_run.path))
    dock.panel.run_bar.open.click()
    assert dock.run == long_run.path
    assert 5000 <= len(parsed) < 5100
    parsed.clear()
    long_run.append("progress", 2, steps=5000)
    for _ in range(10):
        dock.poll()
    assert dock.status.step == 2
    assert len(parsed) < 100
