"""Scores of whole volumes while a network is trained."""

from __future__ import annotations

import pytest
import torch
from lesions_to_learn import NARROW
from lived_in import lived_in_network
from smalltumor.case import read_case, read_labels
from smalltumor.checkpoint import checkpoint_of
from smalltumor.dataset import labelled_cases, prepare_cases
from smalltumor.inference.torch_engine import TorchEngine
from smalltumor.inference.watch import Watch
from smalltumor.labels import Region, region_mask
from smalltumor.metrics import dice
from smalltumor.preprocess import Preprocessing, prepare
from smalltumor.training.validation import score_cases


def test_a_network_is_scored_by_the_labels_that_inference_gives(data, tmp_path):
    network, settings = lived_in_network(NARROW), Preprocessing(margin=0)
    prepared = prepare_cases(labelled_cases(data / "made_00"), settings, tmp_path)
    (scores,) = score_cases(network, prepared, torch.device("cpu"))

    case = read_case(data / "made_00")
    ready = prepare(case, settings)
    engine = TorchEngine(checkpoint_of(network, settings, {}), "cpu", torch.float32)
    found = engine(ready.array, Watch()).classes()
    truth = ready.crop(ready.network_grid.labels_to_network(read_labels(case)[0]))
    for region in Region:
        expected = dice(region_mask(found, region), region_mask(truth, region))
        assert scores[region.value] == pytest.approx(expected, abs=2e-3)  # kept in half precision
    assert 0.01 < scores["wt"] < 0.99
