"""The status of a run as text."""

from __future__ import annotations

import pytest
from smalltumor.training.runs.status import RunState, RunStatus

from napari_smalltumor.finetune.run_text import (
    duration,
    facts,
    resume_text,
    state_line,
    warning_text,
)


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (RunStatus(), "No run"),
        (RunStatus(RunState.STARTING, "preparing 3 cases"), "Starting: preparing 3 cases"),
        (
            RunStatus(RunState.RUNNING, "adjusting the network to whole brains"),
            "Training: adjusting the network to whole brains",
        ),
        (
            RunStatus(RunState.RUNNING, "x", 3, 50, 30, 500, seconds_left=5400.0, host="node7"),
            "Training on node7: epoch 3 of 50 · 6% · 90 min left",
        ),
        (RunStatus(RunState.PAUSED, "paused; its state is saved"), "Paused; its state is saved"),
        (RunStatus(RunState.FAILED, "full", 3, 5, 6, 10), "Failed (epoch 3 of 5 · 60%): full"),
        (RunStatus(RunState.DONE, "done", 5, 5), "Done · epoch 5 of 5"),
    ],
)
def test_a_run_is_described_in_one_line(status, line):
    assert state_line(status) == line


def test_durations_are_rounded():
    assert [duration(s) for s in (5, 89, 600, 12000)] == ["5 s", "89 s", "10 min", "3 h 20 min"]


def test_only_known_numbers_are_listed():
    assert facts(RunStatus()) == []
    status = RunStatus(
        seconds_left=600.0,
        voxels_per_second=123_456.0,
        peak_memory=2_500_000_000,
        device="cpu",
    )
    assert facts(status) == [
        ("Time left", "10 min"),
        ("Speed", "0.12 million voxels/s"),
        ("Memory used", "2.5 GB at most"),
        ("Device", "cpu"),
    ]


def test_the_resume_button_names_the_smaller_settings():
    assert resume_text({"crop": 64}) == "Resume with a smaller crop (64)"
    assert "a smaller crop (64) and a smaller batch size (1)" in resume_text(
        {"crop": 64, "batch_size": 1}
    )


def test_the_first_warnings_are_shown_and_the_others_counted():
    assert warning_text(()) == ""
    assert warning_text(("a", "b")) == "⚠ a\n⚠ b"
    assert warning_text(tuple("abcde")).splitlines()[2:] == ["⚠ c", "and 2 more"]
