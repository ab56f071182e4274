"""The best and the final network are kept, and patience counts the validations since."""

from __future__ import annotations

import pytest
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.training.execution.train import train
from smalltumor.training.loop import validator
from smalltumor.training.runs.run_folder import RunFolder
from training_runs import events, request_for, silent

pytestmark = pytest.mark.usefixtures("quick")

EACH_EPOCH = {"validation_interval": 1}


def score_as(monkeypatch, *scores: float) -> None:
    """Let validation give these scores, one after the other."""
    left = iter(scores)

    def scored(predict, cases):
        value = next(left)
        case = {"case": "case_00", "et": value, "tc": value, "wt": value}
        return [case | {"et_voxels": 0, "et_predicted": 0, "small_lesions": []}]

    monkeypatch.setattr(validator, "score_cases", scored)


@pytest.mark.slow
def test_training_stops_after_patience_validations_without_a_better_score(
    data, tmp_path, monkeypatch
):
    score_as(monkeypatch, 0.5, 0.4, 0.6, 0.6, 0.5, 0.55)
    lines: list[str] = []
    changes = EACH_EPOCH | {"epochs": 20, "patience": 3}
    assert train(request_for(data, tmp_path / "run", changes=changes), lines.append)
    epochs = [event["epoch"] for event in events(tmp_path / "run", "validation")]
    assert epochs == [1, 2, 3, 4, 5, 6]  # the best is the third; an equal score is no better one
    assert "stopping early: the score did not improve" in lines
    best = load_checkpoint(RunFolder(tmp_path / "run").best).card
    assert best["epochs"] == 3
    assert best["scores"]["validation"]["score"] == 0.6
    final = load_checkpoint(RunFolder(tmp_path / "run").final).card
    assert final["epochs"] == 6


@pytest.mark.slow
def test_patience_counts_on_when_a_run_is_resumed(data, tmp_path, monkeypatch):
    score_as(monkeypatch, 0.5, 0.4)
    run = tmp_path / "run"
    train(request_for(data, run, changes=EACH_EPOCH | {"epochs": 2, "patience": 2}), silent)
    score_as(monkeypatch, 0.4, 0.4)
    assert train(request_for(data, run, changes={"epochs": 20}, resume=True), silent)
    assert [event["epoch"] for event in events(run, "validation")] == [1, 2, 3]


@pytest.mark.slow
def test_without_patience_a_run_takes_all_its_epochs(data, tmp_path, monkeypatch):
    score_as(monkeypatch, 0.5, 0.4, 0.4, 0.4)
    run = RunFolder(tmp_path / "run")
    train(request_for(data, run.path, changes=EACH_EPOCH | {"epochs": 4}), silent)
    assert len(events(run.path, "validation")) == 4
    assert load_checkpoint(run.best).card["epochs"] == 1
    assert load_checkpoint(run.final).card["epochs"] == 4


def test_a_better_network_than_a_resume_repeats_is_kept(data, tmp_path, monkeypatch):
    run, lines = RunFolder(tmp_path / "run"), []
    two = EACH_EPOCH | {"epochs": 2}
    score_as(monkeypatch, 0.5, 0.6)
    train(request_for(data, run.path, changes=two), silent)
    run.last.unlink()  # the disk was full from the start
    score_as(monkeypatch, 0.3, 0.4)
    train(request_for(data, run.path, changes=two, resume=True), lines.append)
    kept = run.path / "best_before_resume.safetensors"
    assert any("repeats from step 0" in line and kept.name in line for line in lines)
    assert load_checkpoint(kept).card["scores"]["validation"]["score"] == 0.6
    assert load_checkpoint(run.best).card["scores"]["validation"]["score"] == 0.4
    assert RunFolder(run.path).keep_best_after(events(run.path, "validation")[-1]["step"]) is None
