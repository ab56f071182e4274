"""The networks that peers.py compares, as architectures that this project can train.

Those of MONAI have the shape of the networks in Table 3 of Ngo et al. 2020. All take crops and
volumes of a multiple of 16 voxels, and give logits of the four tissue classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from monai.networks.nets import DynUNet, SegResNetVAE, UNet
from smalltumor.data.preprocessing import Preprocessing
from smalltumor.files.tensor_file import read_tensors, write_tensors
from smalltumor.labels.masks import Classes
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.models.network import MultiTaskOutput
from smalltumor.training.architecture import Architecture, MultiTaskArchitecture
from smalltumor.training.config import TrainingConfig
from smalltumor.training.data.training_case import TrainingCase
from smalltumor.training.data.whole_volumes import Predict, whole_volume
from torch import Tensor, nn

CHANNELS, CLASSES = 4, 4
AUTOENCODER_WEIGHT = 0.1
"""Weight of reconstruction and Kullback-Leibler divergence in Myronenko 2018 (arXiv:1810.11654)."""

FORMAT, FORMAT_VERSION = "network of MONAI trained by peers.py", 1


class StudyArchitecture(Architecture, Protocol):
    def load(self, path: Path) -> nn.Module:
        """The inverse of `save`."""


class OwnArchitecture(MultiTaskArchitecture):
    def load(self, path: Path) -> nn.Module:
        return load_checkpoint(path).network


class MonaiNetwork(nn.Module):
    """A network of MONAI with the interface of this project's networks."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        return self.outputs(image).logits

    def outputs(self, image: Tensor, *, reconstruction: bool = True) -> MultiTaskOutput:
        """Logits, and the loss of the autoencoder where there is one; in training only."""
        result = self.network(image)
        logits, loss = result if isinstance(result, tuple) else (result, None)
        penalty = None if loss is None else AUTOENCODER_WEIGHT * loss
        return MultiTaskOutput(logits, [], [], penalty)


@dataclass(frozen=True)
class MonaiArchitecture:
    """See `Architecture`.

    Parameters
    ----------
    create : callable
        Creates the network with random weights.
    """

    create: Callable[[], nn.Module]

    def training_network(self) -> nn.Module:
        return MonaiNetwork(self.create())

    def inference_network(self) -> nn.Module:
        return self.training_network()

    def predictor(self, network: nn.Module, device: torch.device) -> Predict:
        network.to(device, memory_format=torch.channels_last_3d)

        @torch.inference_mode()
        def predict(case: TrainingCase) -> Classes:
            i, j, k = case.classes.shape
            classes = network(whole_volume(case, device)).argmax(1)[0, :i, :j, :k]
            return classes.to(torch.uint8).cpu().numpy()

        return predict

    def save(
        self, path: Path, network: nn.Module, preprocessing: Preprocessing, card: Mapping[str, Any]
    ) -> None:
        tensors = {n: v.cpu().contiguous().numpy() for n, v in network.state_dict().items()}
        write_tensors(path, tensors, FORMAT, FORMAT_VERSION, {}, overwrite=True)

    def load(self, path: Path) -> nn.Module:
        network = self.inference_network()
        network.load_state_dict({n: torch.from_numpy(a) for n, a in read_tensors(path).items()})
        return network.requires_grad_(False).eval()


@dataclass(frozen=True)
class StudyNetwork:
    """A network of the study.

    Parameters
    ----------
    name : str
        On the command line, and of its folder.
    title : str
        In the tables.
    architecture : StudyArchitecture
    changes : mapping of str to value
        Settings in which its training differs from that of the others.
    """

    name: str
    title: str
    architecture: StudyArchitecture
    changes: Mapping[str, Any] = field(default_factory=dict)


MULTI_TASK, BASELINE, UNET, DYNUNET, SEGRESNET = NAMES = (
    *("multi-task", "baseline", "unet", "dynunet", "segresnet-vae"),
)

WIDTHS = {UNET: 32, DYNUNET: 30, SEGRESNET: 32}
"""Channels at full resolution, as published; each halving of the resolution doubles them."""


def study_networks(config: TrainingConfig) -> dict[str, StudyNetwork]:
    """All networks by name, for the crops of a configuration."""
    own = OwnArchitecture(config.network)
    networks = (
        StudyNetwork(MULTI_TASK, "multi-task network", own),
        StudyNetwork(BASELINE, "without auxiliary task", own, {"reconstruction": False}),
        StudyNetwork(UNET, "MONAI UNet (3D U-Net)", MonaiArchitecture(unet)),
        StudyNetwork(DYNUNET, "MONAI DynUNet (No New-Net)", MonaiArchitecture(dynunet)),
        StudyNetwork(
            SEGRESNET,
            "MONAI SegResNetVAE (NVDLMED)",
            MonaiArchitecture(lambda: segresnet_vae(config.crop)),
        ),
    )
    return {network.name: network for network in networks}


def unet() -> nn.Module:
    """After 3D U-Net, Çiçek et al. 2016, with residual units: four halvings, batch norm."""
    return UNet(
        spatial_dims=3,
        in_channels=CHANNELS,
        out_channels=CLASSES,
        channels=[WIDTHS[UNET] * 2**level for level in range(5)],
        strides=(2, 2, 2, 2),
        num_res_units=2,
        norm="BATCH",
    )


def dynunet() -> nn.Module:
    """After No New-Net, Isensee et al. 2018: four halvings, instance norm, leaky ReLU."""
    return DynUNet(
        spatial_dims=3,
        in_channels=CHANNELS,
        out_channels=CLASSES,
        kernel_size=[3] * 5,
        strides=[1, 2, 2, 2, 2],
        upsample_kernel_size=[2] * 4,
        filters=[WIDTHS[DYNUNET] * 2**level for level in range(5)],
        norm_name=("INSTANCE", {"affine": True}),
        act_name=("leakyrelu", {"negative_slope": 0.01, "inplace": True}),
    )


def segresnet_vae(crop: int) -> nn.Module:
    """After Myronenko 2018: group norm, dropout, and an autoencoder of the input."""
    network = SegResNetVAE(
        input_image_size=[crop] * 3,
        vae_estimate_std=True,
        init_filters=WIDTHS[SEGRESNET],
        in_channels=CHANNELS,
        out_channels=CLASSES,
        dropout_prob=0.2,
        blocks_down=(1, 2, 2, 4),
        blocks_up=(1, 1, 1),
    )
    # MONAI takes a view of these features, which channels-last memory does not allow.
    network.vae_down.register_forward_hook(lambda module, inputs, output: output.contiguous())
    return network
