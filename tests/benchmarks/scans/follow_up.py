"""How well scans of one head are told from scans of two; the midsagittal plane of a turned head.

    python tests/benchmarks/scans/follow_up.py CASES --cases 10

For each case, a later scan is made: the head turned by 10 and 6 degrees and moved, with a bias
field and noise; once on the same voxels, once on voxels of 2 x 2 x 5 mm with three times the noise.
Both are registered to the case, as is the scan of the next case, which shows another head.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter
from smalltumor.data.case import Case
from smalltumor.data.midsagittal_plane import midsagittal_plane
from smalltumor.data.read_case import read_case
from smalltumor.follow_up.registration import measure_registration
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.resampling import resample

POINTS = ([60, 60, 60], [120, 120, 70], [180, 150, 100])
"""Voxels whose displacement is compared."""


def main() -> None:
    """Print a line for each pair of scans, and the planes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of case folders")
    parser.add_argument("--cases", type=int, default=10)
    options = parser.parse_args()
    folders = sorted(path for path in options.folder.iterdir() if path.is_dir())
    cases = [_t1ce(folder) for folder in folders[: options.cases]]
    for case, other in zip(cases, cases[1:] + cases[:1], strict=True):
        for kind, thick in (("same voxels", False), ("thick slices", True)):
            later, turn = later_scan(case, thick=thick)
            found = measure_registration(case, later)
            points = case.grid.to_patient(np.array(POINTS))
            error = np.linalg.norm(_moved(points, turn) - _moved(points, found.matrix), axis=1)
            print(f"{case.name}, {kind}: {found.similarity:.3f}, error {error.max():.2f} mm")
        found = measure_registration(case, other)
        print(f"{case.name} and {other.name}: {found.similarity:.3f}, Dice {found.brain_dice:.3f}")
        print(f"{case.name}, midsagittal plane: {plane_of_turned_head(case)}", flush=True)


def later_scan(case: Case, *, thick: bool) -> tuple[Case, np.ndarray]:
    """A later scan of a head, and the matrix from its points in the first to those in this one."""
    rng = np.random.default_rng(0)
    turn = _turn(case)
    grid = Grid((120, 120, 31), case.grid.affine @ np.diag([2, 2, 5, 1.0])) if thick else case.grid
    image = resample(
        case.volumes["t1ce"], case.grid, Grid(grid.shape, np.linalg.inv(turn) @ grid.affine)
    )
    head = image > 0.05 * image.max()
    noise = (0.3 if thick else 0.1) * image[head].std()
    image = image + rng.normal(0, noise, image.shape)
    bias = gaussian_filter(rng.normal(0, 1, image.shape), 30 / grid.spacing)
    image *= 1 + 0.3 * bias / np.abs(bias).max()
    image = np.where(head, np.maximum(image, 1), 0).astype(np.float32)
    return Case(f"{case.name} later", {"t1ce": image}, grid), turn


def plane_of_turned_head(case: Case) -> str:
    """Symmetry, and the greatest change of a point's distance when the head is turned."""
    turn = _turn(case)
    turned = Case(case.name, case.volumes, Grid(case.grid.shape, turn @ case.grid.affine))
    plane, other = midsagittal_plane(case), midsagittal_plane(turned)
    if plane is None or other is None:
        return "none"
    points = case.grid.to_patient(np.array(POINTS))
    change = np.abs(plane.distance_mm(points) - other.distance_mm(_moved(points, turn))).max()
    return f"symmetry {plane.symmetry:.3f}, changed by {change:.2f} mm"


def _t1ce(folder: Path) -> Case:
    case = read_case(folder)
    return Case(case.name, {"t1ce": case.volumes["t1ce"]}, case.grid, case.header)


def _turn(case: Case) -> np.ndarray:
    a, b = np.radians([10, 6])
    about_s, about_r = np.eye(4), np.eye(4)
    about_s[:2, :2] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
    about_r[1:3, 1:3] = [[np.cos(b), -np.sin(b)], [np.sin(b), np.cos(b)]]
    turn = about_s @ about_r
    centre = case.grid.to_patient(np.array(case.grid.shape) / 2)
    turn[:3, 3] = centre - turn[:3, :3] @ centre + (4, -6, 3)
    return turn


def _moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return points @ matrix[:3, :3].T + matrix[:3, 3]


if __name__ == "__main__":
    main()
