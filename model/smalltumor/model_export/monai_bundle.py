"""The network as a MONAI bundle: a folder that ``python -m monai.bundle run`` segments cases with.

The network and its preprocessing stay in this package, which the bundle requires, so that they
cannot differ from those of ``smalltumor segment``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smalltumor.errors import Action, OutputError, Remedy
from smalltumor.files.atomic import write_bytes, write_text
from smalltumor.files.new_folders import new_folders
from smalltumor.files.transactions.replacement import write_together
from smalltumor.model_export.description import INPUT, INTENDED_USE, class_titles, version
from smalltumor.models.checkpoint import save_checkpoint

if TYPE_CHECKING:
    from smalltumor.models.checkpoint import Checkpoint

WEIGHTS = "models/model.safetensors"
_STEPS = "smalltumor.model_export.bundle_steps"

_INFERENCE: Mapping[str, Any] = {
    "imports": ["$import torch", f"$import {_STEPS} as steps"],
    "bundle_root": ".",
    "dataset_dir": "$@bundle_root + '/cases'",
    "output_dir": "$@bundle_root + '/masks'",
    "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
    "weights": f"$@bundle_root + '/{WEIGHTS}'",
    "network_def": {"_target_": f"{_STEPS}.load_network", "path": "@weights"},
    "network": "$@network_def.to(@device)",
    "preprocessing": {"_target_": f"{_STEPS}.PrepareCase", "path": "@weights"},
    "dataset": {
        "_target_": "Dataset",
        "data": "$steps.find_cases(@dataset_dir)",
        "transform": "@preprocessing",
    },
    "inferer": {"_target_": "SimpleInferer"},
    "postprocessing": {"_target_": f"{_STEPS}.WriteMask", "folder": "@output_dir"},
    "run": ["$steps.segment_cases(@dataset, @network, @inferer, @postprocessing, @device)"],
}

_README = """\
# {name}

{description}

**{use}**

It needs napari-smalltumor {version}, installed from its source with `pip install .`, and MONAI.
In this folder:

```sh
pip install "monai[fire]"
python -m monai.bundle run --config_file configs/inference.json \\
    --bundle_root . --dataset_dir CASES --output_dir MASKS
```

CASES is a folder of cases, each with T1, T1CE, T2 and FLAIR; MASKS gets a label file for each.

Input of the network: {input}

Licence of the weights: {licence}.
"""


def write_bundle(checkpoint: Checkpoint, folder: str | Path) -> Path:
    """Write a network as a MONAI bundle, all its files or none.

    Parameters
    ----------
    checkpoint : Checkpoint
    folder : path
        New or empty; created if it does not exist.

    Raises
    ------
    OutputError
        If the folder holds files, or cannot be written.
    """
    folder = Path(folder)
    _check_empty(folder)
    texts = {
        folder / "docs" / "README.md": _readme(checkpoint),
        folder / "LICENSE": f"Weights: {_licence(checkpoint)}\n",
        folder / "configs" / "inference.json": _json(_INFERENCE),
        folder / "configs" / "metadata.json": _json(_metadata(checkpoint)),
    }
    contents: dict[Path, Callable[[Path], None]] = {
        path: partial(write_text, content=text) for path, text in texts.items()
    }
    contents[folder / WEIGHTS] = partial(_write_weights, checkpoint)
    with new_folders(*{path.parent: None for path in contents}):
        write_together(contents)
    return folder


def _check_empty(folder: Path) -> None:
    try:
        if folder.is_dir() and any(folder.iterdir()):
            raise OutputError(f"{folder} is not empty", Remedy(Action.CHOOSE_OUTPUT))
    except OSError as error:
        raise OutputError(f"{folder} cannot be a bundle: {error.strerror or error}") from error


def _write_weights(checkpoint: Checkpoint, path: Path) -> None:
    if checkpoint.path is None:
        save_checkpoint(path, checkpoint.network, checkpoint.preprocessing, checkpoint.card)
    else:
        write_bytes(path, checkpoint.path.read_bytes())


def _metadata(checkpoint: Checkpoint) -> dict[str, Any]:
    """The bundle's metadata, with the keys of MONAI's model zoo."""
    card, channels = checkpoint.card, checkpoint.preprocessing.channels
    volume = {
        "type": "image",
        "format": "magnitude",
        "modality": "MR",
        "num_channels": len(channels),
        "spatial_shape": ["16*n", "16*n", "16*n"],
        "dtype": "float32",
        "is_patch_data": False,
    }
    return {
        "version": version(),
        "changelog": {version(): f"exported from {checkpoint.name}"},
        "monai_version": _version_of("monai", "1.4.0"),
        "pytorch_version": _version_of("torch", "2.4.0"),
        "numpy_version": _version_of("numpy", "1.26.0"),
        "required_packages_version": {"napari-smalltumor": version()},
        "name": checkpoint.name,
        "task": "segmentation of brain tumours in MRI",
        "description": _description(checkpoint),
        "authors": "napari-smalltumor developers",
        "copyright": _licence(checkpoint),
        "data_source": card.get("data", "unknown"),
        "data_type": "nibabel",
        "image_classes": INPUT,
        "label_classes": "integers as in pred_classes",
        "pred_classes": class_titles(),
        "eval_metrics": card.get("scores", {}),
        "intended_use": INTENDED_USE,
        "references": card.get("citations", []),
        "network_data_format": {
            "inputs": {
                "image": volume
                | {"value_range": [], "channel_def": dict(enumerate(map(str.upper, channels)))}
            },
            "outputs": {
                "pred": volume
                | {
                    "format": "probabilities",
                    "num_channels": checkpoint.config.classes,
                    "value_range": [0, 1],
                    "channel_def": class_titles(),
                }
            },
        },
        "model_card": card,
    }


def _readme(checkpoint: Checkpoint) -> str:
    return _README.format(
        name=checkpoint.name,
        description=_description(checkpoint),
        use=INTENDED_USE,
        input=INPUT,
        version=version(),
        licence=_licence(checkpoint),
    )


def _description(checkpoint: Checkpoint) -> str:
    return str(checkpoint.card.get("description", "Network for brain tumours in MRI"))


def _licence(checkpoint: Checkpoint) -> str:
    return str(checkpoint.card.get("licence", "not stated"))


def _version_of(package: str, otherwise: str) -> str:
    try:
        return metadata.version(package).partition("+")[0]
    except metadata.PackageNotFoundError:
        return otherwise


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, indent=4) + "\n"
