"""A network whose parameters vary like those of a trained one."""

from __future__ import annotations

import torch
from smalltumor.models.config import NetworkConfig
from smalltumor.models.network import SegmentationNetwork
from torch import nn


def trained_like_network(config: NetworkConfig) -> SegmentationNetwork:
    """A network with random norm statistics and scales; some scales are negative."""
    torch.manual_seed(0)
    network = SegmentationNetwork(config)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, -0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
    return network.eval()
