"""Batch-norm statistics: estimated on whole volumes, frozen, shared."""

from __future__ import annotations

import torch
from smalltumor.models.network import MultiTaskNetwork, SegmentationNetwork
from smalltumor.training.optimisation.batch_norm import (
    SharedBatchNorm,
    batch_norms,
    estimate_statistics,
    freeze_statistics,
    share_statistics,
)
from torch import nn
from training_cases import NARROW


def volumes(count=3):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(1, 4, 32, 32, 16, generator=generator) * 3 + 1 for _ in range(count)]


def test_statistics_become_the_average_over_volumes():
    network = SegmentationNetwork(NARROW)
    estimate_statistics(network, volumes())
    first = network.encoder1[0].squeeze.norm
    means = torch.stack([network.stem(v).mean(dim=(0, 2, 3, 4)) for v in volumes()])
    torch.testing.assert_close(first.running_mean, means.mean(dim=0), atol=1e-4, rtol=1e-4)


def test_statistics_of_every_norm_are_those_of_plain_averaging():
    found, expected = SegmentationNetwork(NARROW), SegmentationNetwork(NARROW)
    expected.load_state_dict(found.state_dict())
    estimate_statistics(found, volumes())
    for norm in batch_norms(expected):
        norm.reset_running_stats()
        norm.momentum = None
    with torch.no_grad():
        for volume in volumes():
            expected.train()(volume)
    for one, two in zip(batch_norms(found), batch_norms(expected), strict=True):
        torch.testing.assert_close(one.running_mean, two.running_mean, rtol=0, atol=0)
        torch.testing.assert_close(one.running_var, two.running_var, rtol=0, atol=0)


def test_one_volume_then_gives_the_same_features_in_both_modes():
    """What training saw on that volume is what inference sees."""
    network = SegmentationNetwork(NARROW)
    volume = volumes(1)
    estimate_statistics(network, volume)
    with torch.no_grad():
        training = dict(network.train().steps(volume[0]))["encoder 1"]
        inference = dict(network.eval().steps(volume[0]))["encoder 1"]
    # Running variances are unbiased: 256 voxels make that much difference.
    assert (training - inference).abs().mean() < 0.02 * training.abs().mean()


def test_estimating_keeps_mode_momentum_and_weights():
    network = SegmentationNetwork(NARROW).eval()
    before = {n: p.clone() for n, p in network.named_parameters()}
    estimate_statistics(network, volumes(1))
    assert not network.training
    assert all(norm.momentum == 0.1 for norm in batch_norms(network))
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(parameter, before[name], rtol=0, atol=0)


def test_no_volume_leaves_the_statistics():
    network = SegmentationNetwork(NARROW)
    estimate_statistics(network, volumes(1))
    before = network.encoder2[0].merge.norm.running_var.clone()
    estimate_statistics(network, [])
    torch.testing.assert_close(network.encoder2[0].merge.norm.running_var, before)


def test_frozen_statistics_do_not_move_while_weights_still_learn():
    network = MultiTaskNetwork(NARROW).train()
    estimate_statistics(network, volumes(1))
    freeze_statistics(network)
    norm = network.encoder1[0].squeeze.norm
    before = norm.running_mean.clone()
    network.outputs(volumes(1)[0]).logits.sum().backward()
    torch.testing.assert_close(norm.running_mean, before, rtol=0, atol=0)
    assert norm.weight.grad.abs().sum() > 0


def test_shared_norm_is_batch_norm_in_a_single_process():
    plain = nn.BatchNorm3d(3)
    nn.init.uniform_(plain.weight)
    holder = nn.Sequential(plain)
    x = torch.randn(2, 3, 4, 5, 6) * 2 + 3
    expected_input = x.clone().requires_grad_()
    expected = plain(expected_input)
    expected.square().sum().backward()
    weight_gradient = plain.weight.grad.clone()
    statistics = plain.running_var.clone()

    plain.reset_running_stats()
    plain.zero_grad()
    share_statistics(holder, lambda values: values)
    assert isinstance(holder[0], SharedBatchNorm)
    found_input = x.clone().requires_grad_()
    found = holder(found_input)
    found.square().sum().backward()
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(found_input.grad, expected_input.grad, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(holder[0].weight.grad, weight_gradient)
    torch.testing.assert_close(holder[0].running_var, statistics)
