"""Compared paths: this project's backends, plain torch, and networks of MONAI."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Run = Callable[[], object]
Array = npt.NDArray[np.float32]

WHOLE_SHAPE = (240, 240, 160)
"""Shape of a BraTS volume, padded as in the paper."""

NNUNET_WINDOW = (128, 128, 128)

BASELINE = "plain torch, float32, whole volume"


@dataclass(frozen=True)
class Setting:
    """Settings that all paths share.

    Parameters
    ----------
    case : Path
        Folder of the case.
    device : str
    threads : int
    weights : Path or None
        Weights of this project's network; by default the starter weights.
    """

    case: Path
    device: str
    threads: int
    weights: Path | None


@dataclass(frozen=True)
class LoadedPath:
    """A path that is set up: a function that runs it once, and its number of parameters."""

    run: Run
    parameters: int


def own(setting: Setting, backend: str, flips: bool = False) -> LoadedPath:
    """This project, from the case's volumes to classes on its grid."""
    from smalltumor.data.read_case import read_case
    from smalltumor.inference import segment
    from smalltumor.models.checkpoint import load_checkpoint

    case = read_case(setting.case)
    checkpoint = load_checkpoint(setting.weights)

    def run() -> object:
        result = segment(case, checkpoint, device=setting.device, backend=backend, flips=flips)  # type: ignore[arg-type]
        assert result.run is not None
        assert result.run.backend == backend, result.run.warnings
        return result.classes

    return LoadedPath(
        run, sum(a.size for n, a in checkpoint.tensors().items() if "running" not in n)
    )


def plain(setting: Setting, channels_last: bool = False) -> LoadedPath:
    """The network as published, with the head after the last upsampling, on the whole volume."""
    import torch
    from smalltumor.models.checkpoint import load_checkpoint
    from torch.nn import functional

    checkpoint = load_checkpoint(setting.weights)
    network = checkpoint.network.to(setting.device)
    memory_format = torch.channels_last_3d if channels_last else torch.contiguous_format
    network = network.to(memory_format=memory_format)
    volume = _volume(WHOLE_SHAPE)

    def run() -> object:
        with torch.inference_mode():
            x = torch.from_numpy(volume)[None].to(setting.device).to(memory_format=memory_format)
            stages = dict(network.steps(x))
            doubled = functional.interpolate(
                stages["decoder 1"], scale_factor=2.0, mode="trilinear"
            )
            return network.head(doubled).softmax(1).argmax(1).cpu().numpy()

    return LoadedPath(run, sum(p.numel() for p in network.parameters()))


def segresnet(setting: Setting) -> LoadedPath:
    """MONAI's SegResNet as in its BraTS bundle, on the whole volume in one pass."""
    from monai.networks.nets import SegResNet

    network = SegResNet(
        blocks_down=[1, 2, 2, 4],
        blocks_up=[1, 1, 1],
        init_filters=16,
        in_channels=4,
        out_channels=3,
        dropout_prob=0.2,
    )
    return _monai_path(setting, network, WHOLE_SHAPE, None)


def dynunet(setting: Setting) -> LoadedPath:
    """MONAI's DynUNet with nnU-Net's 3d_fullres plan for BraTS; windows in the brain's box."""
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
    return _monai_path(setting, network, _brain_box(setting.case), NNUNET_WINDOW)


def swin_unetr(setting: Setting) -> LoadedPath:
    """MONAI's SwinUNETR with 48 features; windows of 128 voxels in the brain's bounding box."""
    from monai.networks.nets import SwinUNETR

    network = SwinUNETR(in_channels=4, out_channels=3, feature_size=48)
    return _monai_path(setting, network, _brain_box(setting.case), NNUNET_WINDOW)


PATHS: dict[str, Callable[[Setting], LoadedPath]] = {
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


def _monai_path(
    setting: Setting, network: object, shape: tuple[int, ...], window: tuple[int, ...] | None
) -> LoadedPath:
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

    return LoadedPath(run, sum(p.numel() for p in network.parameters()))


def _volume(shape: tuple[int, ...]) -> Array:
    return np.random.default_rng(0).standard_normal((4, *shape), dtype=np.float32)


def _brain_box(case: Path) -> tuple[int, ...]:
    """Voxels of the brain's bounding box, which nnU-Net crops to."""
    from smalltumor.data.preprocessing import Preprocessing, preprocess
    from smalltumor.data.read_case import read_case

    prepared = preprocess(read_case(case), Preprocessing(margin=0, multiple=1))
    return prepared.array.shape[1:]
