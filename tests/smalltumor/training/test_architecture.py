"""A run can train another network: it is resumed, validated on whole volumes, and written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from smalltumor.errors import TrainingError
from smalltumor.models.network import MultiTaskOutput
from smalltumor.training.data.dataset import labelled_cases, prepare_cases
from smalltumor.training.data.whole_volumes import whole_volume
from smalltumor.training.execution.train import train
from smalltumor.training.loop.stopping import StopListener
from smalltumor.training.loop.validation_scores import score_cases
from smalltumor.training.runs.run_folder import RunFolder
from torch import nn
from training_cases import QUICK
from training_runs import assert_same_state, events, request_for, silent

pytestmark = pytest.mark.usefixtures("quick")

CPU = torch.device("cpu")


class TwoConvolutions(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            nn.Conv3d(4, 8, 3, padding=1), nn.BatchNorm3d(8), nn.ReLU(), nn.Conv3d(8, 4, 1)
        )

    def outputs(self, image, *, reconstruction):
        return MultiTaskOutput(self(image), [], [])


class TwoConvolutionsArchitecture:
    def training_network(self) -> nn.Module:
        return TwoConvolutions()

    inference_network = training_network

    def predictor(self, network, device):
        @torch.inference_mode()
        def predict(case):
            i, j, k = case.classes.shape
            classes = network(whole_volume(case, device)).argmax(1)[0, :i, :j, :k]
            return classes.to(torch.uint8).cpu().numpy()

        return predict

    def save(self, path: Path, network, preprocessing, card) -> None:
        save_file({n: v.contiguous() for n, v in network.state_dict().items()}, path)


def test_another_architecture_is_trained_validated_and_written(data, tmp_path):
    architecture, run = TwoConvolutionsArchitecture(), RunFolder(tmp_path / "run")
    assert train(request_for(data, run.path), silent, architecture=architecture)
    network = architecture.inference_network()
    network.load_state_dict(load_file(run.final))
    files = labelled_cases(data / "case_00")
    cases = prepare_cases(files, QUICK.preprocessing, tmp_path / "cache")
    scores = score_cases(architecture.predictor(network.eval(), CPU), cases)
    assert events(run.path, "validation")[-1]["by_case"] == scores
    assert {"loss", "segmentation"} <= events(run.path, "epoch")[-1].keys()
    assert "reconstruction" not in events(run.path, "epoch")[-1]


def test_a_stopped_run_of_another_architecture_ends_as_one_that_was_not_stopped(
    data, tmp_path, monkeypatch
):
    architecture = TwoConvolutionsArchitecture()
    train(request_for(data, tmp_path / "whole"), silent, architecture=architecture)
    run, answers = tmp_path / "stopped", iter([False] * 30 + [True])
    monkeypatch.setattr(StopListener, "abort_step", lambda self: next(answers, False))
    assert not train(request_for(data, run), silent, architecture=architecture)
    assert 0 < events(run, "stop")[0]["step"] < events(tmp_path / "whole", "done")[0]["step"]
    assert train(request_for(data, run, resume=True), silent, architecture=architecture)
    assert_same_state(tmp_path / "whole", run)


def test_a_run_is_not_resumed_with_another_architecture(data, tmp_path):
    request = request_for(data, tmp_path / "run")
    train(request, silent)
    resumed = request_for(data, tmp_path / "run", resume=True)
    with pytest.raises(TrainingError, match="cannot be resumed"):
        train(resumed, silent, architecture=TwoConvolutionsArchitecture())
