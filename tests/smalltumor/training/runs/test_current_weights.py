"""The current network of a run is of one moment, though the run saves again meanwhile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from smalltumor.errors import CheckpointError, TrainingError
from smalltumor.models.checkpoint import save_checkpoint
from smalltumor.training.architecture import MultiTaskArchitecture
from smalltumor.training.optimisation.budget import Budget
from smalltumor.training.optimisation.distributed import Processes
from smalltumor.training.optimisation.learner import Learner
from smalltumor.training.runs.current_weights import current_checkpoint, final_checkpoint
from smalltumor.training.runs.run_folder import RunFolder
from training_cases import QUICK


@pytest.fixture
def run(tmp_path) -> RunFolder:
    run = RunFolder(tmp_path / "run")
    run.write_config({"training": QUICK.to_dict()})
    return run


@pytest.fixture
def learner() -> Learner:
    import torch

    return Learner(
        QUICK,
        MultiTaskArchitecture(QUICK.network),
        Budget(QUICK, epoch_steps=5),
        Processes(0, 1, torch.device("cpu")),
    )


def save(learner: Learner, run: RunFolder, step: int) -> None:
    learner.progress.step = step
    for value in learner.average.values():
        value.fill_(step)
    learner.save(run.last)


def test_step_and_weights_are_of_one_state_while_the_trainer_saves(run, learner, monkeypatch):
    save(learner, run, 1)
    later = iter(range(2, 100))
    stat, opened = Path.stat, Path.open
    busy: list[bool] = []

    def save_again(path: Path) -> None:
        if path == run.last and not busy:
            busy.append(True)
            save(learner, run, next(later))
            busy.clear()

    def open_and_save(self, *arguments, **options):
        file = opened(self, *arguments, **options)
        save_again(self)
        return file

    def stat_and_save(self, **options):
        found = stat(self, **options)
        save_again(self)
        return found

    monkeypatch.setattr(Path, "open", open_and_save)
    monkeypatch.setattr(Path, "stat", stat_and_save)
    checkpoint = current_checkpoint(run.path)
    values = {float(np.unique(a)[0]) for n, a in checkpoint.tensors().items() if "weight" in n}
    assert values == {checkpoint.card["step"]}


def test_a_final_network_counts_at_the_step_at_which_the_run_ended(run, learner):
    save(learner, run, 7)
    network = learner.averaged_network(())
    save_checkpoint(run.final, network, QUICK.preprocessing, {"name": "final", "steps": 5})
    run.append("done", 5)
    assert final_checkpoint(run.path).name == "final"
    run.append("start", 5)
    assert final_checkpoint(run.path).card["step"] == 7
    run.append("done", 7)
    assert final_checkpoint(run.path).card["step"] == 7


def test_no_state_and_a_damaged_one_are_named(run):
    with pytest.raises(TrainingError, match="has saved no state yet"):
        current_checkpoint(run.path)
    run.last.write_bytes(b"\x10\0\0\0\0\0\0\0damaged")
    with pytest.raises(CheckpointError, match=r"last\.safetensors"):
        current_checkpoint(run.path)
