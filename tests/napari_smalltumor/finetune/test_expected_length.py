"""The length of a run is told from an earlier run, or said to be unknown."""

from __future__ import annotations

import json
import os
from dataclasses import replace

from smalltumor.training.config import PRESETS
from smalltumor.training.runs.run_folder import RunFolder

from napari_smalltumor.finetune.next_run.expected_length import (
    UNKNOWN,
    MeasuredSpeed,
    expected_length,
    measured_speed,
)


def write_run(path, seconds: float | None, age: float = 0.0) -> None:
    """A run of 10 steps of 2 crops of 32 voxels."""
    run = RunFolder(path)
    run.write_config({"training": replace(PRESETS["finetune"], crop=32).to_dict()})
    os.utime(run.config, (1e9 - age, 1e9 - age))
    run.append("start", 0, device="cpu")
    if seconds is not None:
        run.append("epoch", 10, epoch=1, seconds=seconds)


def test_the_speed_is_that_of_the_newest_run_that_has_trained(tmp_path):
    assert measured_speed(tmp_path) is None
    write_run(tmp_path / "just started", None)
    assert measured_speed(tmp_path) is None
    write_run(tmp_path / "old", 100.0, age=2.0)
    write_run(tmp_path / "new", 10.0, age=1.0)
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "config.json").write_text("{")
    assert measured_speed(tmp_path) == MeasuredSpeed(2 * 32**3, "cpu")


def test_the_expected_length_follows_from_the_settings_and_the_speed():
    settings = {"preset": "finetune", "crop": 32, "batch_size": 2, "cases": 5}
    speed = MeasuredSpeed(2 * 32**3, "cpu")  # a step a second, and ten steps an epoch
    text = expected_length(speed, epochs=60, **settings)
    assert text.startswith("Expected: about 10 min for 5 training cases")
    assert "about 20 min" in expected_length(speed, epochs=120, **settings)


def test_validations_are_counted_at_what_they_took_for_each_case(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.write_config({"training": replace(PRESETS["finetune"], crop=32).to_dict()})
    dice = dict.fromkeys(("et", "tc", "wt"), 0.5)
    by_case = [{"case": "a", **dice}, {"case": "b", **dice}]
    scored = {"event": "validation", "seconds": 30.0, "score": 0.5, "by_case": by_case}
    events = [
        {"event": "start", "step": 0, "time": 100.0, "device": "cpu"},
        scored | {"step": 0, "epoch": 0, "time": 140.0},
        {"event": "epoch", "step": 10, "time": 150.0, "seconds": 10.0},
        scored | {"step": 10, "epoch": 1, "time": 190.0},
        {"event": "done", "step": 10, "time": 191.0},
    ]
    run.events.write_text("".join(json.dumps(event) + "\n" for event in events))
    speed = measured_speed(tmp_path)
    assert speed == MeasuredSpeed(2 * 32**3, "cpu", validation_seconds=15.0)
    write_run(tmp_path / "newer, without validation", 100.0, age=-1e9)
    slower = MeasuredSpeed(2 * 32**3 / 10, "cpu", validation_seconds=15.0)
    assert measured_speed(tmp_path) == slower
    settings = {"preset": "finetune", "epochs": 1, "crop": 32, "batch_size": 2, "cases": 5}
    text = expected_length(speed, **settings, validation_cases=4)
    assert "about 2 min" in text  # ten steps, and twice four cases
    random = expected_length(speed, **settings, validation_cases=4, scores_start=False)
    assert "about 70 s" in random  # four cases once
    unknown = expected_length(MeasuredSpeed(2 * 32**3, "cpu"), **settings, validation_cases=4)
    assert "about 10 s for 5 training cases and the time of the validations" in unknown


def test_the_length_is_unknown_before_a_first_run_and_not_told_before_the_cases_are_known():
    settings = {"preset": "paper", "epochs": 1, "crop": 32, "batch_size": 1}
    assert expected_length(None, cases=5, **settings) == UNKNOWN
    assert expected_length(None, cases=0, **settings) == ""
    assert expected_length(MeasuredSpeed(1.0, "cpu"), cases=0, **settings) == ""
