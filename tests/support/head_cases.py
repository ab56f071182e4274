"""The sample case as a scanner sees it: in a head, each sequence in a pose of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from dicom_cases import TIMES, write_series
from scipy import ndimage
from smalltumor.data.read_case import read_case
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.resampling import resample

NAMES = {"t1": "Ax T1", "t1ce": "Ax T1", "t2": "t2_tse_tra", "flair": "t2_tirm_tra_dark-fluid"}

COARSE_MM = 3.0
"""Voxel size of the heads of tests, which are small to be fast."""


_SURROUND_MM = 24.0
"""Added below and above the brain for the skull and the scalp."""


@dataclass
class Head:
    """Sequences of a head on one grid, and the pose of each at the scanner.

    Parameters
    ----------
    images : dict of str to (i, j, k) float32 array
    brain : (i, j, k) bool array
    grid : Grid
    stripped : bool
        Whether the images show the brain alone.
    poses : dict of str to (4, 4) array
        From points in T1CE to points in the sequence, mm, RAS.
    """

    images: dict[str, np.ndarray]
    brain: np.ndarray
    grid: Grid
    stripped: bool = False
    poses: dict[str, np.ndarray] = field(default_factory=dict)

    def seen(self, modality: str, grid: Grid) -> np.ndarray:
        """The sequence at the voxels of a grid at the scanner."""
        moved = Grid(self.grid.shape, self.poses[modality] @ self.grid.affine)
        image = resample(self.images[modality], moved, grid)
        return image * (resample(self.brain, moved, grid) > 0.5) if self.stripped else image


def sample_head(folder: Path, *, stripped: bool = False, spacing_mm: float = COARSE_MM) -> Head:
    """The sample case, with a skull and a scalp around the brain unless `stripped`."""
    case = read_case(folder)
    shape = np.array(case.grid.shape) // int(spacing_mm)
    affine = case.grid.affine @ np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    first = (spacing_mm - 1) / 2
    affine[:3, 3] = (case.grid.affine @ (first, first, first, 1))[:3]
    pad = round(_SURROUND_MM / spacing_mm)
    affine[:3, 3] -= affine[:3, :3] @ (0, 0, pad)
    grid = Grid((int(shape[0]), int(shape[1]), int(shape[2]) + 2 * pad), affine)
    images = {m: resample(v, case.grid, grid) for m, v in case.volumes.items()}
    brain = resample(case.volumes["t1"] > 0, case.grid, grid) > 0.5
    if not stripped:
        images = _with_skull(images, brain, grid)
    poses = {"t1ce": np.eye(4), "t1": pose((4, -3, 2), (8, 0, 2))}
    poses |= {"t2": pose((0, 6, -4), (-3, 8, 4)), "flair": pose((-6, 2, 5), (2, 4, -6))}
    return Head(images, brain, grid, stripped, poses)


def _with_skull(
    images: dict[str, np.ndarray], brain: np.ndarray, grid: Grid
) -> dict[str, np.ndarray]:
    outside = ndimage.distance_transform_edt(~brain, sampling=grid.spacing)
    rng = np.random.default_rng(2)
    heads = {}
    for modality, image in images.items():
        usual = float(np.median(image[brain]))
        scalp = {"t1": 1.3, "t1ce": 1.4, "t2": 0.6, "flair": 0.5}[modality]
        head = np.where(brain, image, 0.15 * usual)
        head = np.where((outside > 8) & (outside <= 16), scalp * usual, head)
        head = np.where(outside > 16, 0, head)
        noise = rng.normal(0, 0.02 * usual, head.shape)
        heads[modality] = np.abs(head + noise).astype(np.float32)
    return heads


def pose(degrees: tuple[float, float, float], shift: tuple[float, float, float]) -> np.ndarray:
    """A rotation about the three axes and a shift in mm, (4, 4)."""
    result = np.eye(4)
    for axis, angle in enumerate(np.radians(degrees)):
        c, s = np.cos(angle), np.sin(angle)
        turn = np.eye(3)
        a, b = (n for n in range(3) if n != axis)
        turn[[a, a, b, b], [a, b, a, b]] = (c, -s, s, c)
        result[:3, :3] = turn @ result[:3, :3]
    result[:3, 3] = shift
    return result


def slices_of(grid: Grid, thickness: float, tilt: float = 0.0) -> Grid:
    """A grid of thick axial slices over the same head, tilted about the left-right axis."""
    in_plane = float(grid.spacing[0])
    axial = np.diag([-in_plane, -in_plane, thickness, 1.0])
    count = int(grid.shape[2] * grid.spacing[2] / thickness)
    affine = pose((tilt, 0, 0), (0, 0, 0)) @ axial
    shape = (grid.shape[0], grid.shape[1], count)
    centre = grid.to_patient((np.array(grid.shape) - 1) / 2)
    affine[:3, 3] = centre - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)


def write_scan(head: Head, folder: Path, thickness: float = 5.0) -> dict[str, Grid]:
    """Write each sequence as a DICOM series; returns the native grids."""
    grids = {}
    for number, modality in enumerate(("t1", "t2", "flair", "t1ce"), start=2):
        grid = slices_of(head.grid, thickness, tilt=3.0 if modality == "t1ce" else 0.0)
        seen = head.seen(modality, grid)
        tags = {"ContrastBolusAgent": "Gadovist"} if modality == "t1ce" else {}
        write_series(
            folder / "DICOM" / f"{number:03d}",
            np.clip(seen, 0, 65000).round(),
            grid,
            NAMES[modality],
            number=number,
            times=TIMES[modality],
            **tags,
        )
        grids[modality] = grid
    return grids
