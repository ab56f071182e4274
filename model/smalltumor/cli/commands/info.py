"""`smalltumor info`: versions, devices and weights for a bug report; what made a mask."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from smalltumor.cli import arguments

PACKAGES = (
    *("napari-smalltumor", "torch", "openvino", "napari", "numpy", "scipy"),
    *(
        "nibabel",
        "scikit-image",
        "safetensors",
        "matplotlib",
        "plutoprint",
        "magicgui",
        "qtpy",
        "PyQt5",
        "PyQt6",
        "PySide6",
    ),
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "info",
        help="versions, devices and weights, for a bug report; what made a mask",
        description="Print versions, devices and the model card of a weights file; or of a mask, "
        "what its file records of the weights that made it, and whether it was edited.",
    )
    parser.add_argument(
        "mask",
        metavar="MASK.nii.gz",
        nargs="?",
        type=arguments.path_argument,
        help="label file",
    )
    parser.add_argument(
        "--weights",
        metavar="FILE",
        type=arguments.path_argument,
        help="weights file (default: the shipped ones)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what made a mask, or versions, devices and the model card."""
    if options.mask is not None:
        _print_mask(options.mask)
        return 0
    from smalltumor.errors import CheckpointError
    from smalltumor.models.card import readable_card
    from smalltumor.models.checkpoint import load_checkpoint

    print(f"Python {platform.python_version()} on {platform.platform()}, {os.cpu_count()} cores")
    for package in PACKAGES:
        print(f"  {package:<18} {_version(package)}")
    print("devices")
    for device in _devices():
        print(f"  {device}")
    try:
        checkpoint = load_checkpoint(options.weights)
    except CheckpointError as error:
        if options.weights is not None:
            raise
        print(f"weights: none ({error})")
        return 0
    print(f"weights {checkpoint.path}")
    for key, value in readable_card(checkpoint.card).items():
        print(f"  {key}: {value}")
    return 0


def _print_mask(path: Path) -> None:
    """Print what the file of a mask records."""
    from smalltumor.data.identity.image_digests import recorded_images
    from smalltumor.data.made_by import recorded_made_by
    from smalltumor.data.masks.label_files import read_label_volume
    from smalltumor.data.naming.case_files import MODALITY_TITLES, modality_titles

    volume = read_label_volume(path)
    made_by, images = recorded_made_by(volume), recorded_images(volume)
    print(path)
    print(f"  {made_by or 'records nothing of what made it'}")
    if known := [modality for modality in MODALITY_TITLES if modality in images]:
        print(f"  records digests of {modality_titles(known)}")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _devices() -> Iterator[str]:
    import torch

    yield f"cpu ({torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()})"
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        yield f"cuda:{index} ({properties.name}, {properties.total_memory / 2**30:.0f} GB)"
    if torch.backends.mps.is_available():
        yield "mps (Apple)"
