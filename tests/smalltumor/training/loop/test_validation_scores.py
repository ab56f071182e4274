"""Scores of whole volumes while a network is trained."""

from __future__ import annotations

import pytest
import torch
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.preprocessing import Preprocessing, preprocess
from smalltumor.data.read_case import read_case
from smalltumor.evaluation.metrics.voxelwise import dice
from smalltumor.inference.backends.torch_backend import TorchBackend
from smalltumor.labels.masks import region_mask
from smalltumor.labels.regions import Region
from smalltumor.models.checkpoint import checkpoint_of
from smalltumor.progress import ProgressReporter
from smalltumor.training.architecture import MultiTaskArchitecture
from smalltumor.training.data.dataset import labelled_cases, prepare_cases
from smalltumor.training.loop.validation_scores import score_cases
from trained_like import trained_like_network
from training_cases import NARROW


def test_a_network_is_scored_by_the_labels_that_inference_gives(data, tmp_path):
    network, settings = trained_like_network(NARROW), Preprocessing(margin=0)
    prepared = prepare_cases(labelled_cases(data / "case_00"), settings, tmp_path)
    predict = MultiTaskArchitecture(NARROW).predictor(network, torch.device("cpu"))
    (scores,) = score_cases(predict, prepared)

    case = read_case(data / "case_00")
    ready = preprocess(case, settings)
    backend = TorchBackend(checkpoint_of(network, settings, {}), "cpu", torch.float32)
    found = backend(ready.array, ProgressReporter()).classes()
    truth = ready.crop(ready.network_grid.labels_to_network(read_labels(case)[0]))
    for region in Region:
        expected = dice(region_mask(found, region), region_mask(truth, region))
        assert scores[region.value] == pytest.approx(expected, abs=2e-3)  # kept in half precision
    assert 0.01 < scores["wt"] < 0.99
