"""The network rearranged for speed."""

from __future__ import annotations

import pytest
import torch
from lived_in import lived_in_network
from smalltumor.architecture import NetworkConfig
from smalltumor.inference.folded import FoldedNetwork
from smalltumor.network import SegmentationNetwork
from torch.nn import functional


@pytest.mark.parametrize(
    "config",
    [
        NetworkConfig(width=8, channels=16, groups=4),
        NetworkConfig(width=12, channels=24, groups=3),
        NetworkConfig(),
    ],
    ids=["narrow", "odd groups", "full width"],
)
def test_numbers_are_the_networks(config: NetworkConfig) -> None:
    network = lived_in_network(config)
    folded = FoldedNetwork(network, views=(0, 0))
    x = torch.randn(1, 4, 48, 32, 16)
    with torch.inference_mode():
        expected = network(x)
        *_, (_, in_slabs) = folded.steps(x, slab=4)
        for logits in (in_slabs, folded(x)):
            doubled = functional.interpolate(logits, scale_factor=2, mode="trilinear")
            torch.testing.assert_close(torch.softmax(doubled, dim=1), expected, atol=1e-4, rtol=0)
    assert 0.01 < expected[:, 1:].std() < 1


def test_count_of_steps_is_right_for_the_progress_bar() -> None:
    folded = FoldedNetwork(
        SegmentationNetwork(NetworkConfig(width=8, channels=16, groups=4)).eval()
    )
    for rows in (16, 48, 80):
        with torch.inference_mode():
            steps = list(folded.steps(torch.zeros(1, 4, rows, 16, 16)))
        assert len(steps) == FoldedNetwork.count_steps(rows)
