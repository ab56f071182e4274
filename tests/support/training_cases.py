"""Synthetic cases with lesions that a narrow network can learn in seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
from smalltumor.models.config import NetworkConfig
from smalltumor.training.augmentation.settings import Augmentation
from smalltumor.training.config import PRESETS, TrainingConfig

SHAPE = (40, 44, 38)
NARROW = NetworkConfig(width=8, channels=16, groups=4)

QUICK: TrainingConfig = replace(
    PRESETS["starter"],
    network=NARROW,
    augmentation=Augmentation(affine_probability=0.0),
    epochs=2,
    crops_per_case=2,
    batch_size=2,
    crop=32,
    learning_rate=3e-3,
    warmup=5,
    reconstruction_every=1,
    ema_decay=0.9,
    validation_interval=2,
    batch_norm_cases=2,
)
"""A few seconds a run."""


def write_lesion_cases(
    folder: Path, count: int = 4, names: str = "case_{:02d}", *, seed: int = 0
) -> Path:
    """Cases with a brain, edema bright in FLAIR, a core bright in T1CE around a dark necrosis.

    Cases of the same number and seed have the same images.
    """
    for number in range(count):
        rng = np.random.default_rng(seed + number)
        centre = np.array(SHAPE) / 2 - 0.5
        where = np.stack(np.indices(SHAPE), axis=-1)
        brain = np.linalg.norm((where - centre) / (18, 20, 17), axis=-1) < 1
        lesion = np.linalg.norm(where - centre - rng.uniform(-6, 6, 3), axis=-1)
        classes = np.zeros(SHAPE, np.uint8)
        for radius, label in ((9, 2), (6, 4), (3, 1)):
            classes[(lesion < radius + rng.uniform(-1, 1)) & brain] = label
        case = folder / names.format(number)
        case.mkdir(parents=True, exist_ok=True)
        for word, contrast in (
            ("flair", (2, 3, 2)),
            ("t1ce", (-1, 0, 4)),
            ("t1", (0, 0, 0)),
            ("t2", (3, 2, 1)),
        ):
            image = 400 + 40 * rng.standard_normal(SHAPE)
            for label, change in zip((1, 2, 4), contrast, strict=True):
                image[classes == label] += 80 * change
            image = np.where(brain, np.clip(image, 1, None), 0).astype(np.int16)
            nib.save(nib.Nifti1Image(image, AFFINE), case / f"{case.name}_{word}.nii.gz")
        nib.save(nib.Nifti1Image(classes, AFFINE), case / f"{case.name}_seg.nii.gz")
    return folder


AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0])


def disagree_about_sides(path: Path) -> None:
    """Mirror the qform of an image, so that reading it gives a warning."""
    image = nib.load(path)
    image.set_sform(image.affine, 1)
    image.set_qform(image.affine @ np.diag([-1, 1, 1, 1]), 1)
    nib.save(image, path)
