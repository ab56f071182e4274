"""Import of checkpoints written by the published DMFNet code."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smalltumor.data.preprocessing import Preprocessing
from smalltumor.errors import CheckpointError
from smalltumor.files.tensor_file import MAX_BYTES
from smalltumor.models.checkpoint import Checkpoint, checkpoint_of
from smalltumor.models.config import NetworkConfig

if TYPE_CHECKING:
    from torch import Tensor

_BLOCKS = {
    "encoder_block1": "stem",
    "encoder_block2": "encoder1",
    "encoder_block3": "encoder2",
    "encoder_block4": "encoder3",
    "decoder_block1": "decoder3",
    "decoder_block2": "decoder2",
    "decoder_block3": "decoder1",
    "seg": "head",
}
_LAYERS = {
    "conv1x1x1_in1": "squeeze",
    "conv1x1x1_in2": "expand",
    "conv3x3x3_m2": "merge",
    "conv1x1x1_shortcut": "shortcut",
    "conv2x2x2_shortcut": "shortcut",
}
_PREPROCESSING = Preprocessing(channels=("flair", "t1ce", "t1", "t2"), lower=0.2, upper=99.8)
"""Preprocessing of the published code: clip and normalise inside the brain, FLAIR first."""


def import_dmfnet(path: str | Path) -> Checkpoint:
    """Read a published DMFNet checkpoint.

    The file is a pickle. It is read with ``weights_only=True``, which accepts tensors and plain
    containers and runs no code. The network size is derived from the shapes of the tensors.

    Parameters
    ----------
    path : path
        ``{'iter', 'state_dict', 'optim_dict'}`` or a bare state dict; names may have the
        ``module.`` prefix of DataParallel.

    Returns
    -------
    Checkpoint
        In memory only; `smalltumor.models.checkpoint.save_checkpoint` writes it.

    Raises
    ------
    CheckpointError
        If the file cannot be read or contains another network.
    """
    path = Path(path)
    published = _read_state(path)
    try:
        config = _config_of(published)
        network = _load_network(config, published)
    except (KeyError, ValueError, RuntimeError, CheckpointError) as error:
        reason = " ".join(str(error).split())[:300]
        raise CheckpointError(f"{path}: not a DMFNet checkpoint ({reason})") from error
    card = {
        "name": f"DMFNet imported from {path.name}",
        "trained_on": "unknown: see where the file came from",
        "licence": "unknown: see where the file came from",
    }
    return checkpoint_of(network, _PREPROCESSING, card)


def _read_state(path: Path) -> Mapping[str, Tensor]:
    import torch

    try:
        _check_size(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns about pickles that are refused below
            content = torch.load(path, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror or error})") from None
    except Exception as error:  # unpickling a malformed file can raise any exception
        reason = str(error).strip().partition("\n")[0][:200] or "cut short"
        if "weights_only" in str(error):  # torch's message advises weights_only=False
            reason = "it contains objects other than tensors, which could run code"
        raise CheckpointError(
            f"{path}: cannot be read as a PyTorch checkpoint ({reason})"
        ) from None
    state = content.get("state_dict", content) if isinstance(content, dict) else None
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in state.items()
    ):
        raise CheckpointError(f"{path}: contains no state_dict of tensors")
    if sum(value.numel() * value.element_size() for value in state.values()) > MAX_BYTES:
        raise CheckpointError(f"{path}: has more weights than any DMFNet")
    return {name.removeprefix("module."): value for name, value in state.items()}


def _check_size(path: Path) -> None:
    size = path.stat().st_size
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:  # torch also unpacks compressed members
            size = max(size, sum(member.file_size for member in archive.infolist()))
    if size > MAX_BYTES:
        raise CheckpointError(
            f"{path}: {size / 2**30:.1f} GB when unpacked exceed the limit of "
            f"{MAX_BYTES // 2**30} GB for weights"
        )


def _config_of(state: Mapping[str, Tensor]) -> NetworkConfig:
    stem = state["encoder_block1.weight"]
    grouped = state["encoder_block2.1.conv3x3x3_m2.conv.weight"]
    return NetworkConfig(
        in_channels=stem.shape[1],
        classes=state["seg.weight"].shape[0],
        width=stem.shape[0],
        channels=grouped.shape[0],
        groups=grouped.shape[0] // grouped.shape[1],
    )


def _load_network(config: NetworkConfig, published: Mapping[str, Tensor]) -> Any:
    import torch

    from smalltumor.models.network import SegmentationNetwork

    state: dict[str, Any] = {}
    scalars: dict[str, dict[int, Tensor]] = {}
    for name, value in published.items():
        renamed = _rename(name)
        scalar = re.fullmatch(r"(.+)\.weight([123])", renamed)
        if scalar:
            scalars.setdefault(f"{scalar[1]}.scales", {})[int(scalar[2])] = value.reshape(1)
        else:
            state[renamed] = value
    for name, parts in scalars.items():
        state[name] = torch.cat([parts[number] for number in (1, 2, 3)])
    with torch.device("meta"):  # allocates no memory for the sizes in the file
        network = SegmentationNetwork(config)
    network.load_state_dict(state, assign=True)
    return network.float().eval()


def _rename(name: str) -> str:
    block, _, rest = name.partition(".")
    name = f"{_BLOCKS[block]}.{rest}"
    name = re.sub(r"conv3x3x3_m1\.([012])\.", r"branches.\1.", name)
    name = name.replace("conv3x3x3_m1.", "branches.0.").replace(".bn.", ".norm.")
    for published, own in _LAYERS.items():
        name = name.replace(f"{published}.", f"{own}.")
    return name
