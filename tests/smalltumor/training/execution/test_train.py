"""Runs on synthetic lesions: what the network learns, from which cases, and what is recorded."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from smalltumor.errors import Action, Remedy, TrainingError
from smalltumor.models.card import listed_names, without_names
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.training.execution.train import train
from smalltumor.training.runs.monitor import RunMonitor
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.runs.status import RunState
from training_cases import QUICK, disagree_about_sides, write_lesion_cases
from training_runs import events, request_for, silent, start_run, weights

pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.slow
def test_a_narrow_network_learns_lesions_it_has_not_seen(data, tmp_path):
    changes = {"epochs": 12, "validation_interval": 12, "crops_per_case": 4, "learning_rate": 1e-2}
    assert train(request_for(data, tmp_path / "run", changes=changes), silent)
    scores = events(tmp_path / "run", "validation")
    assert scores[-1]["cases"] == 1
    assert scores[-1]["wt"] > 0.8
    assert scores[-1]["et"] > 0.5
    card = load_checkpoint(tmp_path / "run" / "best.safetensors").card
    assert card["trained_on"] == ["case_01", "case_02", "case_03"]
    assert card["scores"]["validation"]["wt"] > 0.8


@pytest.mark.slow
def test_two_processes_match_one_on_the_same_batches(data, tmp_path):
    settings = {"epochs": 2, "validation_interval": 2, "learning_rate": 1e-4, "warmup": 0}
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    pair = start_run(data, tmp_path / "two", settings, *launcher)
    assert train(request_for(data, tmp_path / "one", changes=settings), silent)
    assert "finished" in pair.communicate(timeout=300)[0]
    for part in ("loss", "segmentation", "reconstruction"):
        alone, shared = (
            [e[part] for e in events(tmp_path / name, "epoch")] for name in ("one", "two")
        )
        # Sums in another order differ in the last bits, and training lets them grow.
        assert shared == pytest.approx(alone, rel=2e-3), part
    alone, shared = (weights(tmp_path / name) for name in ("one", "two"))
    for name, array in alone.items():
        if name.endswith("running_mean"):
            np.testing.assert_allclose(shared[name], array, atol=0.05, err_msg=name)


def test_each_epoch_records_what_the_monitor_shows(data, tmp_path):
    train(request_for(data, tmp_path / "run"), silent)
    epoch = events(tmp_path / "run", "epoch")[-1]
    assert epoch["segmentation_weight"] == 1.0
    assert epoch["reconstruction_weight"] == 0.05
    assert min(epoch[n] for n in ("voxels_per_second", "peak_memory", "stem_rms")) > 0
    status = RunMonitor(tmp_path / "run").poll()
    assert (status.state, status.fraction, status.epochs) == (RunState.DONE, 1.0, 2)
    assert status.losses["segmentation"][0] == [1.0, 2.0]
    assert status.validation == ("case_00",)


@pytest.mark.slow
def test_fine_tuning_starts_from_weights_with_their_size_and_statistics(data, tmp_path):
    train(request_for(data, tmp_path / "first"), silent)
    best = tmp_path / "first" / "best.safetensors"
    first = load_checkpoint(best).tensors()
    changes = {
        "learning_rate": 1e-12,
        "freeze_norms_at": 0.0,
        "weight_decay": 0.0,
        "freeze_encoder": True,
    }
    tuned = request_for(data, tmp_path / "second", preset="finetune", weights=best, changes=changes)
    train(tuned, silent)
    second = load_checkpoint(tmp_path / "second" / "best.safetensors").tensors()
    for name, array in first.items():
        np.testing.assert_allclose(second[name], array, atol=1e-6, err_msg=name)


def test_a_frozen_encoder_does_not_learn_and_the_decoders_do(data, tmp_path):
    changes = {"freeze_encoder": True, "epochs": 1, "weight_decay": 0.1}
    trainer_state = {}
    for epochs in (1, 2):
        run = tmp_path / str(epochs)
        train(request_for(data, run, changes=changes | {"epochs": epochs}), silent)
        trainer_state[epochs] = weights(run)
    stem = "network.stem.weight"
    np.testing.assert_array_equal(trainer_state[1][stem], trainer_state[2][stem])
    head = "network.head.weight"
    assert (trainer_state[1][head] != trainer_state[2][head]).any()


def test_every_second_patient_is_validated_on_and_never_trained_on(data, tmp_path):
    changes = {"validation_stride": 2, "epochs": 1}
    train(request_for(data, tmp_path / "run", validation_folder=None, changes=changes), silent)
    (score,) = events(tmp_path / "run", "validation")
    assert [case["case"] for case in score["by_case"]] == ["case_00", "case_02"]
    card = load_checkpoint(tmp_path / "run" / "best.safetensors").card
    assert card["trained_on"] == ["case_01", "case_03"]
    assert listed_names(card) == {"case_00", "case_01", "case_02", "case_03"}
    assert "case_0" not in json.dumps(without_names(card))


def test_a_copy_of_a_validation_case_under_another_name_is_not_trained_on(tmp_path):
    data = write_lesion_cases(tmp_path / "data", 2)
    validation_cases = write_lesion_cases(tmp_path / "validation", 1, "P{}")
    warnings = []
    train(
        request_for(data, tmp_path / "run", validation_folder=validation_cases),
        silent,
        warn=warnings.append,
    )
    (start,) = events(tmp_path / "run", "start")
    assert start["training"] == ["case_01"]
    assert start["validation"] == ["P0"]
    assert warnings == ["P0 shows the same images as case_00; they count as one patient"]
    status = RunMonitor(tmp_path / "run").poll()
    assert status.warnings == tuple(warnings)
    assert status.left_out == ("case_00",)


def test_what_makes_cases_doubtful_is_said_and_recorded(tmp_path):
    folder = write_lesion_cases(tmp_path / "cases", 3)
    for name in ("case_00", "case_02"):
        disagree_about_sides(folder / name / f"{name}_t1.nii.gz")
    warnings, changes = [], {"epochs": 1}
    request = request_for(folder, tmp_path / "run", cache=None, changes=changes)
    assert train(request, silent, warn=warnings.append)
    assert [line.partition(":")[0] for line in warnings] == ["case_02", "case_00"]
    recorded = events(tmp_path / "run", "warning")
    assert [f"{event['case']}: {event['message']}" for event in recorded] == warnings
    lines: list[str] = []
    assert train(replace(request, resume=True, changes={"epochs": 2}), lines.append)
    assert [line.removeprefix("warning: ") for line in lines if "sform" in line] == warnings


def test_the_baseline_has_no_reconstruction_loss(data, tmp_path):
    train(request_for(data, tmp_path / "run", changes={"reconstruction": False}), silent)
    epochs = events(tmp_path / "run", "epoch")
    assert epochs and all("reconstruction" not in epoch for epoch in epochs)


def test_a_batch_that_processes_cannot_share_is_refused(data, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "1")
    from smalltumor.training.data.training_case import TrainingCases
    from smalltumor.training.loop.trainer import Trainer
    from smalltumor.training.optimisation.distributed import Processes
    from smalltumor.training.runs.run_context import RunContext

    processes = Processes(0, 3, torch.device("cpu"))
    with pytest.raises(TrainingError, match="cannot be shared by 3 processes"):
        Trainer(QUICK, TrainingCases([]), RunContext(RunFolder(tmp_path), processes), {})


def test_a_device_that_does_not_exist_is_named(data, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(TrainingError, match="device cuda:0 cannot be used") as refused:
        train(request_for(data, tmp_path / "run", device="cuda"), silent)
    assert refused.value.remedy == Remedy(Action.CHOOSE_DEVICE)
    assert not (tmp_path / "run").exists()
