"""The network for arrays as they lie in files: the first axis fastest.

A case is read, normalised and labelled in the order of its file. Turning four modalities over into
an array whose last axis is fastest takes longer than normalising them, so the backends run the
network with its kernels turned over instead.
"""

from __future__ import annotations

from copy import deepcopy

from torch import nn

from smalltumor.models.network import SegmentationNetwork


def reverse_network_axes(network: SegmentationNetwork) -> SegmentationNetwork:
    """The same network for (channel, s, p, l), the last axis of (channel, l, p, s) first.

    Parameters
    ----------
    network : SegmentationNetwork
        Not changed.
    """
    network = deepcopy(network)
    for conv in network.modules():
        if isinstance(conv, nn.Conv3d):
            weight = conv.weight.detach().permute(0, 1, 4, 3, 2).contiguous()
            conv.weight = nn.Parameter(weight, requires_grad=False)
            for name in ("kernel_size", "stride", "padding", "dilation"):
                setattr(conv, name, tuple(reversed(getattr(conv, name))))
    return network
