"""What lies around a crop: background, not zeros."""

from __future__ import annotations

import pytest
import torch
from lived_in import lived_in_network
from smalltumor.architecture import NetworkConfig
from smalltumor.inference.folded import FoldedNetwork
from smalltumor.inference.surroundings import background, relative_to_background
from smalltumor.network import SegmentationNetwork
from torch import Tensor
from torch.nn import functional


@pytest.fixture(scope="module")
def network() -> SegmentationNetwork:
    return lived_in_network(NetworkConfig(width=8, channels=16, groups=4))


@pytest.fixture(autouse=True)
def no_gradients() -> object:
    with torch.no_grad():
        yield


def test_background_is_what_encoder_1_makes_of_nothing(network: SegmentationNetwork) -> None:
    nothing = torch.zeros(1, 4, 128, 128, 128)
    features = network.encoder1(network.stem(nothing))
    middle = features[0, :, 14:18, 14:18, 14:18]  # 12 voxels from the border see beyond it
    expected = background(network).reshape(-1, 1, 1, 1).expand_as(middle)
    torch.testing.assert_close(middle, expected)
    assert expected.std() > 0.1


def test_relative_features_give_the_same_logits(network: SegmentationNetwork) -> None:
    x = torch.randn(1, 4, 32, 48, 32)
    relative = relative_to_background(network)
    torch.testing.assert_close(relative.logits(x), network.logits(x), atol=1e-4, rtol=1e-4)
    features = network.encoder1(network.stem(x))
    difference = features - background(network).reshape(1, -1, 1, 1, 1)
    torch.testing.assert_close(relative.encoder1(relative.stem(x)), difference)


@pytest.mark.parametrize("view", [16, 32])
def test_deep_levels_see_background_around_the_crop(
    network: SegmentationNetwork, view: int
) -> None:
    x = torch.randn(1, 4, 32, 48, 32)
    expected = _with_background(network, x, view)
    torch.testing.assert_close(FoldedNetwork(network, view)(x), expected, atol=1e-4, rtol=1e-4)


def test_a_crop_is_closer_to_the_whole_volume_for_it(network: SegmentationNetwork) -> None:
    whole = torch.zeros(1, 4, 160, 160, 160)
    brain = (slice(None), slice(None), *(slice(68, 92),) * 3)
    whole[brain] = torch.randn(1, 4, 24, 24, 24)
    crop = whole[:, :, 48:112, 48:112, 48:112]
    in_whole, in_crop = (slice(34, 46),) * 3, (slice(10, 22),) * 3  # at half resolution
    expected = FoldedNetwork(network, 0)(whole)[0, :, *in_whole]
    errors = [
        float((FoldedNetwork(network, view)(crop)[0, :, *in_crop] - expected).abs().mean())
        for view in (0, 16)
    ]
    assert errors[1] < 0.5 * errors[0]


def _with_background(network: SegmentationNetwork, x: Tensor, view: int) -> Tensor:
    """Logits at half resolution, by the network's own modules."""
    stem = network.stem(x)
    half = network.encoder1(stem)
    sizes = [n + view // 2 for n in half.shape[2:]]
    wide = background(network).reshape(1, -1, 1, 1, 1).repeat(1, 1, *sizes)
    inner = (slice(None), slice(None), *(slice(view // 4, -view // 4),) * 3)
    wide[inner] = half
    quarter = network.encoder2(wide)
    deepest = network.encoder3(quarter)
    deepest = network.decoder3(torch.cat([quarter, _double(deepest)], dim=1))
    deepest = network.decoder2(torch.cat([half, _double(deepest)[inner]], dim=1))
    deepest = network.decoder1(torch.cat([stem, _double(deepest)], dim=1))
    return network.head(deepest)  # type: ignore[no-any-return]


def _double(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="trilinear", align_corners=False)
