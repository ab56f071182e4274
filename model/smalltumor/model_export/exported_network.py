"""The network that is exported: from a prepared crop to class probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from smalltumor.inference.fused.network import network_for_inference
from smalltumor.models.upsampling import upsample_trilinear

if TYPE_CHECKING:
    from smalltumor.models.checkpoint import Checkpoint


class ExportedNetwork(nn.Module):
    """The network that segments cases here, with its last step: doubling, and softmax.

    It pads a crop as ``smalltumor segment`` does, with the network's response to background. The
    network of the checkpoint pads with zeros, and gives other classes near the edges of a crop.

    Parameters
    ----------
    checkpoint : Checkpoint
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        self.network = network_for_inference(checkpoint.network)

    def forward(self, image: Tensor) -> Tensor:
        """Class probabilities.

        Parameters
        ----------
        image : (1, channel, l, p, s) float32 tensor
            A prepared crop; each axis a multiple of 16.

        Returns
        -------
        (1, class, l, p, s) tensor
            The classes of each voxel sum to 1.
        """
        return torch.softmax(upsample_trilinear(self.network(image)), dim=1)
