"""Small synthetic grids, cases and weights for several tests."""

from __future__ import annotations

from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
from smalltumor.geometry.grid import Grid
from smalltumor.models.checkpoint import random_checkpoint, save_checkpoint
from smalltumor.models.config import NetworkConfig

NARROWEST = NetworkConfig(width=4, channels=8, groups=2)
"""The smallest network of the published architecture."""

ORIENTATIONS = [
    "".join(axes) for order in permutations(("LR", "AP", "SI")) for axes in product(*order)
]


def grid_along(axcodes: str, shape=(7, 8, 9), spacing=(1.0, 1.0, 1.0), degrees=0.0) -> Grid:
    """A grid with the given axis directions, rotated about two axes by `degrees`."""
    directions = {"R": (1, 0, 0), "L": (-1, 0, 0), "A": (0, 1, 0), "P": (0, -1, 0)}
    directions |= {"S": (0, 0, 1), "I": (0, 0, -1)}
    affine = np.eye(4)
    affine[:3, :3] = np.column_stack([directions[a] for a in axcodes]) * np.array(spacing)
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    about_z = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    affine[:3, :3] = about_z @ about_x @ affine[:3, :3]
    affine[:3, 3] = (31.5, -20.25, 7.0)
    return Grid(shape, affine)


SHAPE = (20, 22, 18)
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def write_case(
    folder: Path,
    affine: np.ndarray = LPS,
    modalities: str = "flair t1ce t1 t2",
    name: str = "case",
    seed: int = 3,
    **changed,
) -> Path:
    """Write a case of noise in a ball; `changed` replaces (array, affine) of a modality."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    distance = np.linalg.norm(np.stack(np.indices(SHAPE)) - 9.5, axis=0, keepdims=False)
    for modality in modalities.split():
        data = (rng.integers(1, 900, SHAPE) * (distance < 8)).astype(np.int16)
        data, own_affine = changed.get(modality, (data, affine))
        nib.save(nib.Nifti1Image(data, own_affine), folder / f"{name}_{modality}.nii.gz")
    return folder


def write_weights(
    path: Path, config: NetworkConfig = NARROWEST, seed: int = 3, **card: object
) -> Path:
    """Write the weights of an untrained network; `card` adds to the model card."""
    checkpoint = random_checkpoint(seed, config)
    save_checkpoint(path, checkpoint.network, checkpoint.preprocessing, checkpoint.card | card)
    return path
