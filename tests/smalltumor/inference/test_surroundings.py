"""What lies around a crop: background, not zeros."""

from __future__ import annotations

import pytest
import torch
from lived_in import lived_in_network
from smalltumor.architecture import NetworkConfig
from smalltumor.inference.folded import VIEWS, FoldedNetwork
from smalltumor.inference.surroundings import backgrounds, relative_to_background
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


def test_background_is_what_the_encoders_make_of_nothing(network: SegmentationNetwork) -> None:
    features = network.stem(torch.zeros(1, 4, 304, 304, 304))
    for encoder, expected in zip(
        (network.encoder1, network.encoder2), backgrounds(network), strict=True
    ):
        features = encoder(features)
        middle = features[0, :, *(slice(n // 2, n // 2 + 2) for n in features.shape[2:])]
        torch.testing.assert_close(
            middle, expected.reshape(-1, 1, 1, 1).expand_as(middle), atol=1e-4, rtol=1e-4
        )
        assert expected.std() > 0.1


def test_relative_features_give_the_same_logits(network: SegmentationNetwork) -> None:
    x = torch.randn(1, 4, 32, 48, 32)
    relative = relative_to_background(network)
    torch.testing.assert_close(relative.logits(x), network.logits(x), atol=1e-4, rtol=1e-4)
    features, own = network.stem(x), relative.stem(x)
    for name, constant in zip(("encoder1", "encoder2"), backgrounds(network), strict=True):
        features, own = getattr(network, name)(features), getattr(relative, name)(own)
        torch.testing.assert_close(own, features - _everywhere(constant), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("views", [(8, 16), (0, 16), (16, 16), (16, 48)])
def test_deep_levels_see_background_around_the_crop(
    network: SegmentationNetwork, views: tuple[int, int]
) -> None:
    x = torch.randn(1, 4, 32, 48, 32)
    expected = _with_background(network, x, *views)
    torch.testing.assert_close(FoldedNetwork(network, views)(x), expected, atol=1e-4, rtol=1e-4)


def test_a_crop_is_closer_to_the_whole_volume_for_it(network: SegmentationNetwork) -> None:
    torch.manual_seed(1)
    whole = torch.zeros(1, 4, 160, 160, 160)
    brain = (slice(None), slice(None), *(slice(68, 92),) * 3)
    whole[brain] = torch.randn(1, 4, 24, 24, 24)
    crop = whole[:, :, 48:112, 48:112, 48:112]
    in_whole, in_crop = (slice(34, 46),) * 3, (slice(10, 22),) * 3  # at half resolution
    expected = FoldedNetwork(network, (0, 0))(whole)[0, :, *in_whole]
    errors = [
        float((FoldedNetwork(network, views)(crop)[0, :, *in_crop] - expected).abs().mean())
        for views in ((0, 0), VIEWS, (16, 16))
    ]
    assert errors[1] < 0.85 * errors[0]
    assert errors[2] < 0.6 * errors[0]


def _with_background(network: SegmentationNetwork, x: Tensor, second: int, third: int) -> Tensor:
    """Logits at half resolution, by the network's own modules."""
    one, two = backgrounds(network)
    stem = network.stem(x)
    half = network.encoder1(stem)
    quarter = network.encoder2(_surrounded(half, one, second // 4))
    deepest = network.encoder3(_surrounded(quarter, two, (third - second) // 8))
    upper = _middle(_double(deepest), (third - second) // 8)
    deepest = network.decoder3(torch.cat([quarter, upper], dim=1))
    upper = _middle(_double(deepest), second // 4)
    deepest = network.decoder2(torch.cat([half, upper], dim=1))
    deepest = network.decoder1(torch.cat([stem, _double(deepest)], dim=1))
    return network.head(deepest)  # type: ignore[no-any-return]


def _surrounded(features: Tensor, constant: Tensor, voxels: int) -> Tensor:
    sizes = [n + 2 * voxels for n in features.shape[2:]]
    wide = _everywhere(constant).repeat(1, 1, *sizes)
    _middle(wide, voxels)[...] = features
    return wide


def _middle(features: Tensor, around: int) -> Tensor:
    return features[:, :, *(slice(around, n - around) for n in features.shape[2:])]


def _everywhere(constant: Tensor) -> Tensor:
    return constant.reshape(1, -1, 1, 1, 1)


def _double(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="trilinear", align_corners=False)
