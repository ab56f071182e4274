"""Mixed precision: steps in float16, overflowing gradients, and the scale across a stop."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from smalltumor.errors import TrainingError
from smalltumor.training.architecture import MultiTaskArchitecture
from smalltumor.training.data.dataloader import Batch
from smalltumor.training.optimisation.amp import MixedPrecision
from smalltumor.training.optimisation.budget import Budget
from smalltumor.training.optimisation.distributed import Processes
from smalltumor.training.optimisation.learner import Learner
from training_cases import QUICK

CPU = torch.device("cpu")


def create_learner(dtype=torch.float16, scale=2.0**8):
    config = replace(QUICK, ema_decay=0.0, crop=16, warmup=0, epochs=10)
    learner = Learner(
        config,
        MultiTaskArchitecture(config.network),
        Budget(config, epoch_steps=10),
        Processes(0, 1, CPU),
    )
    learner.precision = MixedPrecision(CPU, dtype)
    if dtype is torch.float16:
        learner.precision.scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    learner.set_mode()
    return learner


def batch(step=0):
    generator = torch.Generator().manual_seed(7)
    image = torch.randn(2, 4, 16, 16, 16, generator=generator)
    classes = (image[:, 0] > 0.5).to(torch.uint8) * 3
    return Batch(step, image, classes, ["case_00", "case_01"])


def weights(of):
    return torch.cat([p.detach().flatten().clone() for p in of.network.parameters()])


def test_float16_takes_the_step_that_float32_takes():
    steps = {}
    for dtype in (None, torch.float16):
        one = create_learner(dtype)
        before = weights(one)
        one.step(batch())
        steps[dtype] = weights(one) - before
    likeness = torch.nn.functional.cosine_similarity(steps[None], steps[torch.float16], dim=0)
    # Adam's first step is the sign of the gradient, which small gradients change easily.
    assert likeness > 0.8


@pytest.mark.slow
def test_float16_learns():
    one = create_learner()
    losses = [one.step(batch(step))["segmentation"] for step in range(12)]
    assert losses[-1] < 0.8 * losses[0]
    assert all(p.dtype == torch.float32 for p in one.network.parameters())


def test_a_gradient_that_overflows_is_discarded_and_the_scale_halved():
    one = create_learner(scale=2.0**120)
    before = weights(one)
    one.step(batch())
    torch.testing.assert_close(weights(one), before, rtol=0, atol=0)
    assert one.precision.scaler.get_scale() == 2.0**119
    assert one.progress.step == 1


def test_a_gradient_that_is_not_finite_at_the_smallest_scale_ends_the_run():
    one = create_learner(scale=1.0)
    broken = batch()
    broken.image[0, 0, 0, 0, 0] = float("nan")
    before = weights(one)
    with pytest.raises(TrainingError, match=r"no longer finite at step 0 .*case_00"):
        one.step(broken)
    torch.testing.assert_close(weights(one), before, rtol=0, atol=0)


def test_a_stop_keeps_the_scale(tmp_path):
    one = create_learner(scale=2.0**120)
    one.step(batch())
    one.save(tmp_path / "last.safetensors")
    other = create_learner()
    other.load(tmp_path / "last.safetensors")
    assert other.precision.scaler.get_scale() == 2.0**119


def test_a_state_of_float16_is_resumed_in_float32_and_vice_versa(tmp_path):
    one, other = create_learner(None), create_learner()
    one.save(tmp_path / "last.safetensors")
    other.load(tmp_path / "last.safetensors")
    assert other.precision.scaler.get_scale() == 2.0**8
    other.save(tmp_path / "last.safetensors")
    one.load(tmp_path / "last.safetensors")
    one.step(batch())


def test_cpus_train_in_float32():
    precision = MixedPrecision.of(CPU)
    assert precision.dtype is None
    assert not precision.scaler.is_enabled()


@pytest.mark.parametrize("supported, dtype", [(True, torch.bfloat16), (False, torch.float16)])
def test_gpus_train_in_the_format_they_support(monkeypatch, supported, dtype):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: supported)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert MixedPrecision.of(torch.device("cuda")).dtype is dtype
