"""The files of a run folder, also damaged ones."""

from __future__ import annotations

import pytest
from smalltumor.errors import TrainingError
from smalltumor.training.runs.run_folder import RunFolder
from temporary_files import left_by_killed_process


@pytest.fixture
def run(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.write_config({"training": {"epochs": 3}})
    return run


def test_config_comes_back(run):
    assert run.read_config() == {"training": {"epochs": 3}}


@pytest.mark.parametrize("content", ["", "{", "[]", "\0"])
def test_a_damaged_config_is_named(run, content):
    run.config.write_text(content)
    with pytest.raises(TrainingError, match="run"):
        run.read_config()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="file/run"):
        RunFolder(tmp_path / "file" / "run").write_config({})


def test_a_line_cut_by_a_kill_is_skipped(run):
    run.append("epoch", 3, loss=0.5)
    with run.events.open("a") as file:
        file.write('{"event": "epoch", "st')
    assert [(e["event"], e["step"], e["loss"]) for e in run.read_events()] == [("epoch", 3, 0.5)]


def test_events_of_steps_to_be_repeated_are_dropped(run):
    for step in (1, 2, 3):
        run.append("epoch", step)
    with run.events.open("a") as file:
        file.write('{"event": "ep')
    run.discard_after(2)
    run.append("epoch", 3)
    assert [e["step"] for e in run.read_events()] == [1, 2, 3]


def test_half_written_files_are_removed_when_a_run_is_resumed(tmp_path):
    run = RunFolder(tmp_path)
    left_by_killed_process(tmp_path)
    (tmp_path / "notes.part").write_bytes(b"mine")
    run.discard_after(0)
    assert [p.name for p in tmp_path.glob("*.part")] == ["notes.part"]
