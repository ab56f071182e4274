"""The training request of a new run, and the status of a run as text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from smalltumor.errors import SmalltumorError
from smalltumor.models.checkpoint import starter_weights
from smalltumor.training.runs.status import RunStatus, State

from napari_smalltumor.finetune.plan import RANDOM, Choices, last_run, new_run_folder, plan_of
from napari_smalltumor.finetune.run_text import duration, facts, state_line

CHOICES = Choices("finetune", "", epochs=50, crop=64, batch=2, device="cpu", folds=5)


def test_a_request_has_the_settings_of_the_page(tmp_path):
    plan = plan_of(tmp_path, CHOICES)
    assert plan.weights == starter_weights()
    assert plan.run.parent == tmp_path / "runs"
    assert plan.cache == tmp_path / "runs" / "cache"
    assert plan.changes == {
        "epochs": 50,
        "crop": 64,
        "batch": 2,
        "validate_every": 5,
        "folds": 5,
        "fold": 0,
    }


def test_a_validation_case_takes_the_place_of_folds(tmp_path):
    chosen = Choices("finetune", "w.safetensors", 3, 64, 2, "cpu", validation=tmp_path / "one")
    plan = plan_of(tmp_path, chosen)
    assert plan.validation == tmp_path / "one"
    assert plan.weights == Path("w.safetensors")
    assert "folds" not in plan.changes
    assert plan.changes["validate_every"] == 1


def test_fine_tuning_needs_weights_to_start_from(tmp_path):
    assert plan_of(tmp_path, Choices("starter", RANDOM, 3, 64, 2, "cpu")).weights is None
    with pytest.raises(SmalltumorError, match="starts from weights"):
        plan_of(tmp_path, Choices("finetune", RANDOM, 3, 64, 2, "cpu"))


def test_each_run_gets_its_own_folder(tmp_path):
    first = new_run_folder(tmp_path)
    first.mkdir()
    assert not new_run_folder(tmp_path).exists()


def test_the_last_run_is_the_one_with_the_newest_weights(tmp_path):
    assert last_run(tmp_path) is None
    for name in ("b", "a"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "best.safetensors").write_bytes(b"")
    os.utime(tmp_path / "runs" / "b" / "best.safetensors", (1, 1))
    assert last_run(tmp_path).parent.name == "a"


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (RunStatus(), "No run"),
        (RunStatus(State.STARTING, "preparing 3 cases"), "Starting: preparing 3 cases"),
        (
            RunStatus(State.RUNNING, "x", 3, 50, 30, 500, seconds_left=5400.0, host="node7"),
            "Training on node7: epoch 3 of 50 · 6% · 90 min left",
        ),
        (RunStatus(State.PAUSED, "paused; its state is saved"), "Paused; its state is saved"),
        (RunStatus(State.FAILED, "full", 3, 5, 6, 10), "Failed (epoch 3 of 5 · 60%): full"),
        (RunStatus(State.DONE, "done", 5, 5), "Done · epoch 5 of 5"),
    ],
)
def test_a_run_is_described_in_one_line(status, line):
    assert state_line(status) == line


def test_durations_are_rounded():
    assert [duration(s) for s in (5, 89, 600, 12000)] == ["5 s", "89 s", "10 min", "3 h 20 min"]


def test_only_known_numbers_are_listed():
    assert facts(RunStatus()) == []
    status = RunStatus(
        voxels_per_second=123_456.0, peak_memory=2_500_000_000, training=("a", "b"), device="cpu"
    )
    assert facts(status) == [
        ("Throughput", "123 thousand voxels/s"),
        ("Peak memory", "2.5 GB"),
        ("Training cases", "2"),
        ("Device", "cpu"),
    ]
