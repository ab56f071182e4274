"""Training crops without T1, T2 or FLAIR, but never without T1CE or without any image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from smalltumor.errors import TrainingError
from smalltumor.training.augmentation.modality_dropout import drop_modalities
from smalltumor.training.data.dataloader import batches
from smalltumor.training.data.training_case import TrainingCase
from training_cases import QUICK

CHANNELS = ("flair", "t1ce", "t1", "t2")
IMAGE = torch.full((4, 3, 3, 3), 2.0)


def kept(image) -> tuple[bool, ...]:
    """Which modalities are there; each is either unchanged or 0 everywhere."""
    assert all((m == 2).all() or (m == 0).all() for m in image)
    return tuple(bool(m.any()) for m in image)


def test_each_is_dropped_by_itself_and_t1ce_never():
    rng = np.random.default_rng(0)
    patterns = [kept(drop_modalities(IMAGE, CHANNELS, 0.3, rng)) for _ in range(400)]
    assert len(set(patterns)) == 8
    np.testing.assert_allclose(np.mean(patterns, axis=0), [0.7, 1, 0.7, 0.7], atol=0.08)
    assert (IMAGE == 2).all()


def test_a_network_without_t1ce_keeps_an_image():
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert any(kept(drop_modalities(IMAGE[:2], ("t1", "t2"), 1.0, rng)))


def test_batches_of_a_run_with_dropout_lack_whole_modalities():
    case = TrainingCase(
        "case", torch.ones(4, 16, 16, 16), torch.zeros(16, 16, 16).byte(), np.zeros((0, 6), int)
    )
    config = replace(QUICK, crop=16, batch_size=8, modality_dropout=0.5)
    (batch,) = batches([case], config, [0], slice(None))
    absent = (batch.image == 0).flatten(2).all(dim=2)
    t1ce = config.preprocessing.channels.index("t1ce")
    assert absent.any()
    assert not absent[:, t1ce].any()
    (whole,) = batches([case], replace(config, modality_dropout=0.0), [0], slice(None))
    assert torch.equal(torch.where(batch.image == 0, whole.image, batch.image), whole.image)


def test_a_probability_of_one_or_more_is_refused():
    for probability in (-0.1, 1.0):
        with pytest.raises(TrainingError, match="modality_dropout"):
            replace(QUICK, modality_dropout=probability)
