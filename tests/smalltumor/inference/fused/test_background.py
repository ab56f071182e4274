"""The network's response to background."""

from __future__ import annotations

import pytest
import torch
from smalltumor.inference.fused.background import background_response
from smalltumor.models.config import NetworkConfig
from trained_like import trained_like_network


@pytest.mark.slow
def test_background_response_equals_features_far_from_the_border_of_an_empty_volume() -> None:
    network = trained_like_network(NetworkConfig(width=8, channels=16, groups=4))
    with torch.inference_mode():
        features = network.stem(torch.zeros(1, 4, 304, 304, 304))
        background = torch.zeros(8)
        for encoder in (network.encoder1, network.encoder2):
            features = encoder(features)
            for unit in encoder:
                background = background_response(unit, background)
            middle = features[0, :, *(slice(n // 2, n // 2 + 2) for n in features.shape[2:])]
            expected = background.reshape(-1, 1, 1, 1).expand_as(middle)
            torch.testing.assert_close(middle, expected, atol=1e-4, rtol=1e-4)
            assert background.std() > 0.1
            assert not torch.allclose(features[0, :, 0, 0, 0], background, atol=0.1)
