"""The run that a Fine-tune dock shows, its weights, and several docks on one run."""

from __future__ import annotations

import json
import threading

import pytest
from held_runs import HeldRun, finished_run
from qtpy import QT5
from qtpy.QtWidgets import QFileDialog
from smalltumor.training.config import PRESETS
from smalltumor.training.runs import run_control
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.runs.run_lock import hold_run_lock
from smalltumor.training.runs.status import RunState
from training_cases import write_lesion_cases

from napari_smalltumor import settings
from napari_smalltumor.finetune.dialogs import Answer
from napari_smalltumor.finetune.next_run.expected_length import UNKNOWN


def test_a_run_that_ended_while_the_dock_was_removed_is_shown_as_done(
    make_napari_viewer, open_dock, held_run, answers, qtbot
):
    viewer = make_napari_viewer()
    dock = open_dock(viewer)
    answers[0].append(Answer.KEEP_TRAINING)
    viewer.window.remove_dock_widget(dock)
    held_run.finish()
    viewer.window.add_dock_widget(dock, name="again")
    qtbot.waitUntil(lambda: dock.status.state is RunState.DONE)
    assert dock.panel.run_bar.text.startswith("Done")
    assert dock._timer.isActive()


@pytest.mark.one_binding
def test_a_run_that_ended_while_no_dock_was_open_is_shown_as_done(
    make_napari_viewer, open_dock, held_run, answers
):
    viewer = make_napari_viewer()
    answers[0].append(Answer.KEEP_TRAINING)
    viewer.window.remove_dock_widget(open_dock(viewer))
    held_run.finish()
    dock = open_dock(viewer)
    assert dock.status.state is RunState.DONE
    assert not dock.panel.run_bar.stop.isEnabled()
    assert dock.panel.run_bar.start.toolTip() == "Choose a folder of training cases first"


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
    used = f"The Segment dock uses the weights 2026-01-02_1200 (best), trained on {train}."
    assert result.in_use == used
    dock.training_folder.show(train)
    assert "trained on" not in bar.trained_on + result.use.toolTip()
    dock.open_run(finished_run(other, RunFolder(tmp_path / "elsewhere")))
    assert (bar.run_name, result.in_use) == (
        "Run elsewhere",
        "The Segment dock uses the weights 2026-01-02_1200 (best).",
    )
    assert bar.trained_on == f"Trained on another folder: {other}"


def test_how_long_the_next_run_takes_is_told_once_the_first_one_has_trained(
    make_napari_viewer, open_dock, tmp_path, qtbot
):
    train = write_lesion_cases(tmp_path / "train", 2)
    dock = open_dock(make_napari_viewer())
    with qtbot.waitSignal(dock.training_folder.cases_listed):
        dock.training_folder.show(train)
    assert dock.panel.train.expected_length == UNKNOWN
    run = RunFolder(train / "runs" / "first")
    run.write_config({"data": str(train), "training": PRESETS["finetune"].to_dict()})
    run.append("start", 0, device="cpu")
    dock.open_run(run.path)
    assert dock.panel.train.expected_length == UNKNOWN
    run.append("epoch", 10, epoch=1, seconds=20.0)
    with hold_run_lock(run):
        dock.poll()
    run.append("done", 10)
    dock.poll()
    assert dock.panel.train.expected_length.startswith("Expected: about ")


def test_the_weights_in_use_are_named_wherever_they_were_chosen_and_after_a_restart(
    make_napari_viewer, open_dock, messages, tmp_path
):
    dock = open_dock(make_napari_viewer())
    result = dock.panel.result
    assert result.in_use == "The Segment dock uses the weights shipped (starter)."
    run = RunFolder(finished_run(tmp_path / "train", RunFolder(tmp_path / "runs" / "mine")))
    dock.open_run(run.path)
    result.use.click()
    assert result.in_use.startswith("The Segment dock uses the weights mine (best)")
    again = open_dock(make_napari_viewer(), "Fine-tune again")
    assert again.panel.result.in_use.startswith("The Segment dock uses the weights mine (best)")
    settings.put("weights", "")
    for each in (dock, again):
        assert each.panel.result.in_use == "The Segment dock uses the weights shipped (starter)."
    settings.put("weights", str(run.best))
    run.best.unlink()
    dock.poll()
    assert result.in_use == "The Segment dock uses the weights mine (best) (not found)."


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
def test_docks_of_two_windows_follow_the_same_run(make_napari_viewer, open_dock, held_run):
    docks = [open_dock(make_napari_viewer()) for _ in range(2)]
    held_run.finish()
    for dock in docks:
        dock.poll()
    assert [dock.status.state for dock in docks] == [RunState.DONE, RunState.DONE]


def test_another_run_can_be_stopped_while_one_is_stopping(
    make_napari_viewer, open_dock, held_run, tmp_path, monkeypatch, qtbot
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
    dock.open_run(held_run.folder.path)
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
