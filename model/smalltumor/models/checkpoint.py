"""Checkpoints: weights, network size, preprocessing and card in one safetensors file.

Reading does not import torch, which a backend with a compiled copy of the network does not need.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from smalltumor.data.preprocessing import Preprocessing
from smalltumor.errors import Action, CheckpointError, Remedy, TensorFileError
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.tensor_file import Tensors, parse_tensors, read_content, write_tensors
from smalltumor.labels.regions import TissueClass
from smalltumor.models.config import NetworkConfig

if TYPE_CHECKING:
    from smalltumor.models.network import SegmentationNetwork

FORMAT = "smalltumor checkpoint"
FORMAT_VERSION = 1
STARTER_WEIGHTS = "starter.safetensors"
_MULTIPLES = (16, 32, 64, 128)
_CLASSES = [tissue.name for tissue in TissueClass]


@dataclass(eq=False)
class Checkpoint:
    """A network's weights and their origin.

    Parameters
    ----------
    config : NetworkConfig
        Size of the network.
    preprocessing : Preprocessing
        Preprocessing of its input.
    card : dict
        Information for the user: ``name``, ``trained_on``, ``scores``, ``licence`` and more,
        plain JSON values.
    digest : str
        SHA-256 of the file or of the weights; caches use it as their key.
    path : Path or None
        The file that it was read from; None if it was created in memory.
    arrays : dict of str to array
        Weights by parameter name, in the precision of the file; see `tensors`.
    """

    config: NetworkConfig
    preprocessing: Preprocessing
    card: dict[str, Any]
    digest: str
    path: Path | None = None
    arrays: Tensors = field(default_factory=dict, repr=False)

    def tensors(self) -> Tensors:
        """Float32 arrays by parameter name.

        Raises
        ------
        CheckpointError
            If a weight is not a finite number.
        """
        arrays: Tensors = {
            name: array.astype(np.float32, copy=False) for name, array in self.arrays.items()
        }
        for name, array in arrays.items():
            # NaN would give an empty mask, as if there were no tumour.
            if not np.isfinite(array).all():
                where = self.path or self.name
                raise CheckpointError(f"{where}: {name} has weights that are NaN or infinite")
        return arrays

    @property
    def name(self) -> str:
        """The name in the card, or that of the file."""
        return str(self.card.get("name") or (self.path.name if self.path else "unnamed"))

    @cached_property
    def network(self) -> SegmentationNetwork:
        """The torch module in evaluation mode; its ``forward`` computes class probabilities.

        Raises
        ------
        CheckpointError
            If the tensors do not belong to a network of this size.
        """
        import torch

        from smalltumor.models.network import SegmentationNetwork

        with torch.device("meta"):  # allocates no memory for the sizes in the file
            network = SegmentationNetwork(self.config)
        state = {name: torch.from_numpy(array) for name, array in self.tensors().items()}
        try:
            network.load_state_dict(state, assign=True)
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:200]
            where = self.path or self.name
            raise CheckpointError(f"{where}: weights of another network ({reason})") from error
        return network.requires_grad_(False).eval()


def load_checkpoint(path: str | Path | None = None) -> Checkpoint:
    """Read a weights file completely, so that it may be replaced while the weights are in use.

    Parameters
    ----------
    path : path, optional
        By default the shipped weights.

    Raises
    ------
    CheckpointError
        If the file is missing or damaged, has another format, or has a later format version.
    """
    path = Path(path) if path is not None else starter_weights()
    try:
        content = read_content(path)
        metadata, arrays = parse_tensors(content, path, FORMAT, FORMAT_VERSION)
    except TensorFileError as error:
        raise CheckpointError(f"the weights cannot be read: {error}", error.remedy) from error
    entries = {key: _json_entry(path, metadata, key) for key in ("config", "preprocessing", "card")}
    if metadata.get("classes") != json.dumps(_CLASSES):
        raise CheckpointError(
            f"{path}: its classes are {metadata.get('classes', 'not given')[:100]}, "
            f"but this version knows {_CLASSES}"
        )
    try:
        config = NetworkConfig.from_dict(entries["config"])
        preprocessing = Preprocessing.from_dict(entries["preprocessing"])
        _check_compatible(config, preprocessing)
    except (CheckpointError, *DAMAGED) as error:
        raise CheckpointError(f"{path}: {error}") from None
    digest = hashlib.sha256(content).hexdigest()
    return Checkpoint(
        config=config,
        preprocessing=preprocessing,
        card=entries["card"],
        digest=digest,
        path=path,
        arrays=arrays,
    )


def _check_compatible(config: NetworkConfig, preprocessing: Preprocessing) -> None:
    if config.in_channels != len(preprocessing.channels) or config.classes != len(_CLASSES):
        raise CheckpointError(
            f"a network of {config.in_channels} modalities and {config.classes} classes does not "
            f"match {', '.join(preprocessing.channels)} and {len(_CLASSES)} classes"
        )
    if preprocessing.multiple not in _MULTIPLES:
        raise CheckpointError(
            f"crops of multiples of {preprocessing.multiple} voxels; the network, which halves "
            f"its grid four times, takes {', '.join(map(str, _MULTIPLES))}"
        )


def starter_weights() -> Path:
    """Path of the shipped weights, which are named *starter*.

    Raises
    ------
    CheckpointError
        If this installation does not contain them.
    """
    found = resources.files("smalltumor.weights") / STARTER_WEIGHTS
    if not isinstance(found, Path) or not found.is_file():
        raise CheckpointError(
            f"this installation has no shipped weights ({STARTER_WEIGHTS})",
            Remedy(Action.CHOOSE_WEIGHTS),
        )
    return found


def save_checkpoint(
    path: str | Path,
    network: SegmentationNetwork,
    preprocessing: Preprocessing,
    card: Mapping[str, Any],
    *,
    half: bool = True,
    overwrite: bool = False,
) -> None:
    """Write the segmentation path of a network, without the U-module decoders.

    Parameters
    ----------
    path : path
        ``.safetensors`` file; a temporary file is written and renamed, so it is never partial.
    network : SegmentationNetwork or MultiTaskNetwork
    preprocessing : Preprocessing
    card : mapping
        Plain JSON values, see `Checkpoint`.
    half : bool
        Store convolutions in float16; batch norms stay in float32.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    OutputError
        If the file exists and may not be overwritten, or cannot be written.
    """
    tensors = _segmentation_tensors(network)
    if half:
        tensors = {
            name: array.astype(np.float16) if array.ndim > 1 else array
            for name, array in tensors.items()
        }
    metadata = {
        "config": json.dumps(network.config.to_dict()),
        "preprocessing": json.dumps(preprocessing.to_dict()),
        "classes": json.dumps(_CLASSES),
        "card": json.dumps(dict(card)),
    }
    write_tensors(path, tensors, FORMAT, FORMAT_VERSION, metadata, overwrite=overwrite)


def checkpoint_of(
    network: SegmentationNetwork, preprocessing: Preprocessing, card: Mapping[str, Any]
) -> Checkpoint:
    """Create a checkpoint of a network in memory, without a file."""
    tensors = _segmentation_tensors(network)
    digest = hashlib.sha256(json.dumps(network.config.to_dict()).encode())
    for name in sorted(tensors):
        digest.update(name.encode() + np.ascontiguousarray(tensors[name]).tobytes())
    return Checkpoint(
        config=network.config,
        preprocessing=preprocessing,
        card=dict(card),
        digest=digest.hexdigest(),
        path=None,
        arrays=tensors,
    )


def random_checkpoint(seed: int = 0, config: NetworkConfig | None = None) -> Checkpoint:
    """Create a checkpoint of an untrained network, for tests, demonstrations and timings.

    Parameters
    ----------
    seed : int
        Seed of the initialisation; the same seed gives the same weights.
    config : NetworkConfig, optional
        By default the size in the paper.
    """
    import torch

    from smalltumor.models.network import SegmentationNetwork

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SegmentationNetwork(config)
    card = {
        "name": f"random weights (seed {seed})",
        "trained_on": "nothing: these weights are random and their masks mean nothing",
    }
    return checkpoint_of(network, Preprocessing(), card)


def _segmentation_tensors(network: SegmentationNetwork) -> Tensors:
    return {
        name: _array(value)
        for name, value in network.state_dict().items()
        if not name.startswith("u_module") and not name.endswith("num_batches_tracked")
    }


def _array(value: Any) -> npt.NDArray[np.float32]:
    return np.array(value.detach().cpu().float().numpy(), dtype=np.float32, order="C")


def _json_entry(path: Path, metadata: Mapping[str, str], key: str) -> dict[str, Any]:
    try:
        entry = json.loads(metadata[key])
    except KeyError:
        raise CheckpointError(f"{path}: damaged checkpoint, {key} is missing") from None
    except DAMAGED:
        raise CheckpointError(f"{path}: damaged checkpoint, {key} is not JSON") from None
    if not isinstance(entry, dict):
        raise CheckpointError(f"{path}: damaged checkpoint, {key} is not a table")
    return entry
