"""Cases of random volumes without symmetry, with any orientation of their axes."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from smalltumor.data.case import Case
from smalltumor.geometry.grid import Grid
from synthetic import ORIENTATIONS

__all__ = [
    "MODALITIES",
    "ORIENTATIONS",
    "case_along",
    "displayed",
    "oriented",
    "random_volume",
    "write_case_along",
]

MODALITIES = ("flair", "t1ce", "t1", "t2")
SHAPE_LPS = (9, 10, 11)
SPACING_LPS = (1.0, 1.5, 2.0)


def random_volume(seed: int, shape: tuple[int, int, int] = SHAPE_LPS) -> np.ndarray:
    """A random volume with axes (L, P, S) and a margin of zeros."""
    voxels = np.zeros(shape, np.int16)
    inner = tuple(n - 2 for n in shape)
    voxels[1:-1, 1:-1, 1:-1] = np.random.default_rng(seed).integers(1, 1000, inner)
    return voxels


def displayed(lps: np.ndarray) -> np.ndarray:
    """Layer data (I, P, L) of a volume with axes (L, P, S)."""
    return lps.transpose(2, 1, 0)[::-1]


def oriented(lps: np.ndarray, axcodes: str) -> nib.Nifti1Image:
    """A volume with axes (L, P, S) as a NIfTI image with the given axis codes."""
    affine = np.diag([-SPACING_LPS[0], -SPACING_LPS[1], SPACING_LPS[2], 1.0])
    affine[:3, 3] = (40.0, 55.0, -30.0)
    image = nib.Nifti1Image(lps, affine)
    image.header.set_xyzt_units("mm")
    start = nib.orientations.io_orientation(affine)
    end = nib.orientations.axcodes2ornt(tuple(axcodes))
    image = image.as_reoriented(nib.orientations.ornt_transform(start, end))
    image.set_sform(image.affine, code=1)
    image.set_qform(image.affine, code=1)
    return image


def case_along(axcodes: str = "LPS", name: str = "Pat") -> Case:
    """A case in memory whose volumes have the given axis codes."""
    images = {m: oriented(random_volume(n), axcodes) for n, m in enumerate(MODALITIES)}
    first = images["t1ce"]
    volumes = {m: np.asarray(i.dataobj) for m, i in images.items()}
    return Case(name, volumes, Grid(first.shape, first.affine), first.header)


def write_case_along(
    folder: Path,
    axcodes: str = "LPS",
    *,
    labels: bool = True,
    name: str | None = None,
    seed: int = 0,
) -> Path:
    """Write a case folder with BraTS file names, whose volumes have the given axis codes."""
    folder.mkdir(parents=True, exist_ok=True)
    name = name or folder.name
    for number, modality in enumerate(MODALITIES, start=10 * seed):
        nib.save(oriented(random_volume(number), axcodes), folder / f"{name}_{modality}.nii.gz")
    if labels:
        stored = np.array([0, 1, 2, 4], np.uint8)[random_volume(9) % 4]
        nib.save(oriented(stored, axcodes), folder / f"{name}_seg.nii.gz")
    return folder
