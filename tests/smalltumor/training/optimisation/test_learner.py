"""One step of training: the moving average, weight decay, and steps without reconstruction."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from smalltumor.models.network import MultiTaskNetwork
from smalltumor.training.architecture import MultiTaskArchitecture
from smalltumor.training.data.dataloader import Batch
from smalltumor.training.optimisation.budget import Budget
from smalltumor.training.optimisation.distributed import Processes
from smalltumor.training.optimisation.learner import Learner
from smalltumor.training.optimisation.losses import LossWeights, training_loss
from smalltumor.training.optimisation.optimiser import create_optimiser, ema_decay, update_average
from torch import nn
from training_cases import NARROW, QUICK

CPU = torch.device("cpu")


ALONE = Processes(0, 1, CPU)


class TwoProcesses(Processes):
    """The first of two that never talk to each other."""

    def wrap(self, module: nn.Module, unused: bool) -> nn.Module:
        return module


def learner(processes: Processes = ALONE, **changes) -> Learner:
    config = replace(QUICK, crop=16, warmup=0, epochs=10, **changes)
    created = Learner(
        config, MultiTaskArchitecture(config.network), Budget(config, epoch_steps=10), processes
    )
    created.set_mode()
    return created


def batch(step: int) -> Batch:
    generator = torch.Generator().manual_seed(step)
    image = torch.randn(2, 4, 16, 16, 16, generator=generator)
    classes = (image[:, 0] > 0.5).to(torch.uint8) * 3
    return Batch(step, image, classes, ["case_00", "case_01"])


def test_the_moving_average_warms_up():
    config = replace(QUICK, ema_decay=0.99)
    assert ema_decay(config, 0) == pytest.approx(1 / 10)
    assert ema_decay(config, 10) == pytest.approx(11 / 20)
    assert ema_decay(config, 10_000) == 0.99


def test_the_moving_average_of_a_parameter_is_that_of_its_values():
    network = nn.Linear(1, 1)
    average = {name: p.detach().clone() for name, p in network.named_parameters()}
    expected = network.weight.item()
    for value, decay in ((3.0, 0.5), (-1.0, 0.9)):
        nn.init.constant_(network.weight, value)
        update_average(average, network, decay)
        expected = decay * expected + (1 - decay) * value
    assert average["weight"].item() == pytest.approx(expected)


@pytest.mark.parametrize("freeze_after", [None, 1])
def test_the_average_is_that_of_the_weights_and_of_those_at_the_start(freeze_after):
    """``s w0 + (1 - s) m``, m the moving average without a share; training does not change."""
    plain, shared = learner(ema_decay=0.9), learner(ema_decay=0.9, starting_weights_share=0.75)
    start = {name: value.clone() for name, value in plain.average.items()}
    for step in range(4):
        plain.step(batch(step))
        shared.step(batch(step))
        if step == freeze_after:
            plain.freeze_batch_norm(())
            shared.freeze_batch_norm(())
    for name, value in plain.network.named_parameters():
        other = dict(shared.network.named_parameters())[name]
        # Adam enlarges rounding where a gradient is nearly zero; a step moves a weight by 1e-3.
        torch.testing.assert_close(other, value, rtol=1e-4, atol=1e-4)
        expected = 0.75 * start[name] + 0.25 * plain.average[name]
        torch.testing.assert_close(shared.average[name], expected, rtol=1e-4, atol=1e-4)


def test_a_share_of_the_start_needs_no_moving_average():
    one = learner(ema_decay=0.0, starting_weights_share=0.5)
    start = one.average["head.weight"].clone()
    one.step(batch(0))
    weight = dict(one.network.named_parameters())["head.weight"].detach()
    given = one.averaged_network([torch.randn(1, 4, 32, 32, 32)]).state_dict()["head.weight"]
    torch.testing.assert_close(given, (start + weight) / 2)
    assert not torch.equal(weight, start)


def test_a_resumed_run_keeps_the_share_of_its_start(tmp_path):
    whole, first = learner(starting_weights_share=0.5), learner(starting_weights_share=0.5)
    for step in range(2):
        whole.step(batch(step))
    first.step(batch(0))
    first.save(tmp_path / "last.safetensors")
    resumed = learner(starting_weights_share=0.5)
    for value in resumed.initial.values():
        value.zero_()
    resumed.load(tmp_path / "last.safetensors")
    resumed.step(batch(1))
    for name, value in whole.average.items():
        torch.testing.assert_close(resumed.average[name], value)


def test_after_the_first_steps_the_average_is_near_the_weights_and_not_at_the_start():
    one = learner(ema_decay=0.999)
    start = {name: value.clone() for name, value in one.average.items()}
    for step in range(3):
        one.step(batch(step))
    name, weight = "head.weight", dict(one.network.named_parameters())["head.weight"].detach()
    moved = (one.average[name] - start[name]).abs().sum()
    assert moved > 0.3 * (weight - start[name]).abs().sum()


@pytest.mark.parametrize("optimiser", ["adam", "adamw"])
def test_batch_norms_and_biases_have_no_weight_decay(optimiser):
    network = MultiTaskNetwork(NARROW)
    config = replace(QUICK, optimiser=optimiser, weight_decay=0.1)
    decay = {
        id(parameter): group["weight_decay"]
        for group in create_optimiser(config, network).param_groups
        for parameter in group["params"]
    }
    norms = {
        id(parameter)
        for module in network.modules()
        if isinstance(module, nn.BatchNorm3d)
        for parameter in module.parameters()
    }
    assert norms
    for name, parameter in network.named_parameters():
        spared = id(parameter) in norms or parameter.ndim <= 1
        assert decay[id(parameter)] == (0.0 if spared else 0.1), name


def test_steps_that_skip_the_reconstruction_are_made_up_for(monkeypatch):
    """Over a whole round the reconstruction has the weight it has when every step computes it."""
    used: list[tuple[bool, LossWeights]] = []
    outputs = MultiTaskNetwork.outputs

    def note(self, image, *, reconstruction=True):
        used.append((reconstruction, one._step_weights()))
        return outputs(self, image, reconstruction=reconstruction)

    monkeypatch.setattr(MultiTaskNetwork, "outputs", note)
    for every in (1, 3):
        one = learner(reconstruction_every=every, reconstruction_weight=0.05)
        used.clear()
        for step in range(6):
            one.step(batch(step))
        computed = [weights.reconstruction for reconstructs, weights in used if reconstructs]
        assert len(computed) == 6 // every
        assert sum(computed) == pytest.approx(6 * 0.05)
        assert all(weights.segmentation == 1.0 for _, weights in used)


def test_the_paper_s_weights_count_epochs():
    one = learner(reconstruction_weight=None)
    one.progress.step = 20 * one.budget.epoch_steps - 1
    assert one.loss_weights() == LossWeights(0.5, 0.5)
    one.progress.step += 1
    assert one.loss_weights() == LossWeights(1.0, 0.05)


@pytest.mark.parametrize(
    ("processes", "compiled"), [(ALONE, True), (TwoProcesses(0, 2, CPU), False)]
)
def test_the_loss_is_compiled_for_a_single_process_only(processes, compiled):
    assert (learner(processes, compile=True).loss is not training_loss) == compiled
    assert learner(processes).loss is training_loss
