"""The network optimised for inference."""

from __future__ import annotations

import pytest
import torch
from background_padding import BackgroundPaddedNetwork
from smalltumor.inference.backends.base import BFLOAT16_MIN_EDGE
from smalltumor.inference.fused import convs
from smalltumor.inference.fused.network import FusedNetwork, reverse_network_axes
from smalltumor.models.config import NetworkConfig
from smalltumor.models.network import SegmentationNetwork
from trained_like import trained_like_network

CONFIGS = [
    NetworkConfig(width=8, channels=16, groups=4),
    NetworkConfig(width=12, channels=24, groups=3),
    NetworkConfig(),
]


@pytest.mark.parametrize("config", CONFIGS, ids=["narrow", "odd groups", "full width"])
def test_logits_are_those_of_the_network_padded_with_background(config: NetworkConfig) -> None:
    network = trained_like_network(config)
    fused = FusedNetwork(network)
    x = torch.randn(1, 4, 48, 32, 16)
    with torch.inference_mode():
        expected = BackgroundPaddedNetwork(network)(x)
        *_, (_, in_slabs) = fused.steps(x, slab=4)
        for logits in (in_slabs, fused(x)):
            torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)
    assert 0.1 < expected.std() < 100


@pytest.mark.parametrize("onednn", [True, False], ids=["oneDNN", "torch's own"])
def test_half_precision_is_close_and_ends_in_float32(
    monkeypatch: pytest.MonkeyPatch, onednn: bool
) -> None:
    if onednn and not convs._ONEDNN_BFLOAT16:
        pytest.skip("oneDNN has no bfloat16 on this processor")
    monkeypatch.setattr(convs, "_ONEDNN_BFLOAT16", onednn)
    network = trained_like_network(CONFIGS[0])
    x = torch.randn(1, 4, 48, 32, BFLOAT16_MIN_EDGE)
    fused = FusedNetwork(network, torch.bfloat16)
    with torch.inference_mode():
        expected = FusedNetwork(network)(x)
        *_, (_, logits) = fused.steps(x.bfloat16(), slab=4)
    assert logits.dtype is torch.float32
    error = (logits - expected).abs().mean() / expected.std()
    assert 0 < error < 2 * torch.finfo(torch.bfloat16).eps


def test_reversing_the_axes_of_network_and_input_reverses_those_of_the_logits() -> None:
    network = trained_like_network(CONFIGS[0])
    x = torch.randn(1, 4, 48, 32, 16)
    reversed_x = x.permute(0, 1, 4, 3, 2)
    with torch.inference_mode():
        expected = network.logits(x)
        logits = reverse_network_axes(network).logits(reversed_x).permute(0, 1, 4, 3, 2)
        unchanged = network.logits(reversed_x).permute(0, 1, 4, 3, 2)
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(unchanged, expected, atol=1e-2)


def test_logits_of_a_crop_are_close_to_those_of_the_whole_volume() -> None:
    network = trained_like_network(CONFIGS[0])
    whole = torch.zeros(1, 4, 160, 160, 160)
    whole[:, :, 66:94, 64:95, 65:96] = torch.randn(1, 4, 28, 31, 31)
    crop = whole[:, :, 64:96, 64:96, 64:96]
    with torch.inference_mode():
        *_, features = dict(network.steps(whole)).values()
        expected = features[0, :, 64:96, 64:96, 64:96]
        double = torch.nn.Upsample(scale_factor=2, mode="trilinear")
        error = (double(FusedNetwork(network)(crop))[0] - expected).abs().mean()
        without = (network.logits(crop)[0] - expected).abs().mean()
    assert error < 0.5 * without


def test_the_number_of_steps_is_known_beforehand() -> None:
    fused = FusedNetwork(SegmentationNetwork(CONFIGS[0]).eval())
    for rows in (16, 48, 80):
        with torch.inference_mode():
            steps = list(fused.steps(torch.zeros(1, 4, rows, 16, 16)))
        assert len(steps) == FusedNetwork.count_steps(rows)
