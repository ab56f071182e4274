"""What is compared: this project's paths, and what a user would pick instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Run = Callable[[], object]
Array = npt.NDArray[np.float32]

WHOLE_SHAPE = (240, 240, 160)
"""A BraTS volume, padded as the paper has it."""

NNUNET_WINDOW = (128, 128, 128)

BASELINE = "plain torch, float32, whole volume"


@dataclass(frozen=True)
class Setting:
    """What every path of one run has in common.

    Parameters
    ----------
    case : Path
        Folder of the case.
    device : str
    threads : int
    weights : Path or None
        Of this project's network; the shipped ones if not given.
    """

    case: Path
    device: str
    threads: int
    weights: Path | None


@dataclass(frozen=True)
class Ready:
    """A path, set up: what one run is, and how many parameters its network has."""

    run: Run
    parameters: int


def own(setting: Setting, backend: str, flips: bool = False) -> Ready:
    """This project: the case's volumes in, classes on its grid out, all steps included."""
    from smalltumor.data.case import read_case
    from smalltumor.inference import segment
    from smalltumor.models.checkpoint import load_checkpoint

    case = read_case(setting.case)
    checkpoint = load_checkpoint(setting.weights)

    def run() -> object:
        result = segment(case, checkpoint, device=setting.device, backend=backend, flips=flips)  # type: ignore[arg-type]
        assert result.run is not None
        assert result.run.backend == backend, result.run.warnings
        return result.classes

    return Ready(run, sum(a.size for n, a in checkpoint.tensors().items() if "running" not in n))


def plain(setting: Setting, channels_last: bool = False) -> Ready:
    """The network as published: the head behind the last resize, the whole volume at once."""
    import torch
    from smalltumor.models.checkpoint import load_checkpoint
    from torch.nn import functional

    checkpoint = load_checkpoint(setting.weights)
    network = checkpoint.network.to(setting.device)
    form = torch.channels_last_3d if channels_last else torch.contiguous_format
    network = network.to(memory_format=form)
    volume = _volume(WHOLE_SHAPE)

    def run() -> object:
        with torch.inference_mode():
            x = torch.from_numpy(volume)[None].to(setting.device).to(memory_format=form)
            stages = dict(network.steps(x))
            doubled = functional.interpolate(
                stages["decoder 1"], scale_factor=2.0, mode="trilinear"
            )
            return network.head(doubled).softmax(1).argmax(1).cpu().numpy()

    return Ready(run, sum(p.numel() for p in network.parameters()))


def segresnet(setting: Setting) -> Ready:
    """MONAI's SegResNet as in its BraTS bundle: one pass over the whole volume."""
    from monai.networks.nets import SegResNet

    network = SegResNet(
        blocks_down=[1, 2, 2, 4],
        blocks_up=[1, 1, 1],
        init_filters=16,
        in_channels=4,
        out_channels=3,
        dropout_prob=0.2,
    )
    return _elsewhere(setting, network, WHOLE_SHAPE, None)


def dynunet(setting: Setting) -> Ready:
    """MONAI's DynUNet as nnU-Net sets up BraTS in 3d_fullres, its windows over the brain's box."""
    from monai.networks.nets import DynUNet

    network = DynUNet(
        spatial_dims=3,
        in_channels=4,
        out_channels=4,
        kernel_size=[3] * 6,
        strides=[1, 2, 2, 2, 2, 2],
        upsample_kernel_size=[2] * 5,
        filters=[32, 64, 128, 256, 320, 320],
        norm_name=("INSTANCE", {"affine": True}),
        act_name=("leakyrelu", {"negative_slope": 0.01, "inplace": True}),
    )
    return _elsewhere(setting, network, _brain_box(setting.case), NNUNET_WINDOW)


def swin_unetr(setting: Setting) -> Ready:
    """Swin UNETR with 48 features, windows of 128 voxels over the brain's box."""
    from monai.networks.nets import SwinUNETR

    network = SwinUNETR(in_channels=4, out_channels=3, feature_size=48)
    return _elsewhere(setting, network, _brain_box(setting.case), NNUNET_WINDOW)


PATHS: dict[str, Callable[[Setting], Ready]] = {
    BASELINE: plain,
    "plain torch, channels last": lambda s: plain(s, channels_last=True),
    "smalltumor, torch": lambda s: own(s, "torch"),
    "smalltumor, openvino": lambda s: own(s, "openvino"),
    "smalltumor, torch, 8 flips": lambda s: own(s, "torch", flips=True),
    "smalltumor, openvino, 8 flips": lambda s: own(s, "openvino", flips=True),
    "MONAI SegResNet, BraTS bundle": segresnet,
    "MONAI DynUNet, nnU-Net BraTS": dynunet,
    "MONAI SwinUNETR": swin_unetr,
}


def _elsewhere(
    setting: Setting, network: object, shape: tuple[int, ...], window: tuple[int, ...] | None
) -> Ready:
    import torch
    from monai.inferers import sliding_window_inference

    assert isinstance(network, torch.nn.Module)
    network = network.to(setting.device).eval()
    volume = _volume(shape)

    def run() -> object:
        with torch.inference_mode():
            x = torch.from_numpy(volume)[None].to(setting.device)
            if window is None:
                result = network(x)
            else:
                result = sliding_window_inference(x, window, 1, network, 0.5, mode="gaussian")
            return result.argmax(1).cpu().numpy()

    return Ready(run, sum(p.numel() for p in network.parameters()))


def _volume(shape: tuple[int, ...]) -> Array:
    return np.random.default_rng(0).standard_normal((4, *shape), dtype=np.float32)


def _brain_box(case: Path) -> tuple[int, ...]:
    """Voxels of the brain's bounding box, which nnU-Net crops to."""
    from smalltumor.data.case import read_case
    from smalltumor.data.preprocessing import Preprocessing, prepare

    ready = prepare(read_case(case), Preprocessing(margin=0, multiple=1))
    return ready.array.shape[1:]
