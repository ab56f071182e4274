"""How often a "new" lesion is said to be in the earlier image, and how often it is.

    python tests/benchmarks/scans/earlier_contrast.py CASES

For each case with small enhancing lesions, the earlier scan is the case itself: turned by 4 degrees
and moved, brighter, with noise, and registered with an error of 0 or 1 mm; or on slices of 5 mm.
Its mask lacks the small lesions, which its image shows. Then copies of the lesions are added to the
current image only, at places of the brain outside the tumour, where nothing should be said.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.ndimage import binary_dilation, gaussian_filter
from smalltumor.data.case import Case
from smalltumor.data.masks.case_mask import mask_beside
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation
from smalltumor.follow_up.local_contrast import LocalContrast, with_contrast
from smalltumor.follow_up.matching import ChangeKind, LesionChange
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.resampling import resample, resample_labels
from smalltumor.measures import LesionMeasures, measure_case

SIZES = ((8, 50), (50, 300), (300, 3000))
"""mm³, from and below."""

COPIES = 5
NOISE = 0.05


def main() -> None:
    """Print, for each kind of earlier scan and size of lesions, how many are said to be bright."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of case folders")
    options = parser.parse_args()
    found: list[tuple[str, float, bool]] = []
    for folder in sorted(path for path in options.folder.iterdir() if path.is_dir()):
        found += results(folder)
        print(f"{folder.name}: {len(found)} results so far", flush=True)
    for kind in dict.fromkeys(name for name, _, _ in found):
        for low, high in SIZES:
            said = [bright for name, mm3, bright in found if name == kind and low <= mm3 < high]
            print(f"{kind}, {low} to {high} mm³: {sum(said)} of {len(said)} said to be bright")


def results(folder: Path) -> Iterator[tuple[str, float, bool]]:
    """Kind of earlier scan, volume and answer for the small lesions of a case."""
    case = read_case(folder, allow_missing=True)
    classes = mask_beside(case).classes
    measures = measure_case(case, Segmentation(case.name, classes, case.grid))
    lesions = [x for x in measures.lesions if SIZES[0][0] <= x.lesion.mm3 < SIZES[-1][1]]
    if not lesions:
        return
    rng = np.random.default_rng(0)
    current = LocalContrast(case, classes)
    without = classes.copy()
    for each in lesions:
        without[binary_dilation(voxels_of(each, classes.shape)) & (classes == 3)] = 2
    turn = turn_about(case.grid)
    for kind, error_mm, slices in (("shown", 0, 1), ("shown, 1 mm off", 1, 1), ("5 mm", 0, 5)):
        grid = thick(case.grid, slices)
        earlier = LocalContrast(*scan(case, without, turn, grid, rng))
        matrix = np.linalg.inv(turn) @ shift(error_mm)
        changes = [LesionChange(ChangeKind.NEW, (), (each,)) for each in lesions]
        for change in with_contrast(changes, earlier, current, matrix):
            yield kind, change.current[0].lesion.mm3, change.bright_earlier
    earlier = LocalContrast(*scan(case, classes, np.eye(4), case.grid, rng))
    for copied, later in copies(case, classes, lesions, current, rng):
        (change,) = with_contrast(
            [LesionChange(ChangeKind.NEW, (), (copied,))], earlier, later, np.eye(4)
        )
        yield "not shown", copied.lesion.mm3, change.bright_earlier


def copies(
    case: Case, classes: np.ndarray, lesions: list[LesionMeasures], known: LocalContrast, rng
) -> Iterator[tuple[LesionMeasures, LocalContrast]]:
    """Copies of lesions at other places of the brain, each with the scan that has it."""
    image = case.volumes["t1ce"].astype(np.float32)
    head, normal = image > 0, np.argwhere((image > 0) & (classes == 0))
    for each in lesions:
        contrast = known.at(known.place_of(each.lesion)) or 1.5
        added = contrast * np.subtract(*np.percentile(image[head], (75, 25)))
        middle = np.rint(each.lesion.indices.mean(axis=0)).astype(int)
        for centre in normal[rng.choice(len(normal), COPIES)]:
            lesion = replace(each.lesion, indices=each.lesion.indices - middle + centre)
            copied = replace(each, lesion=lesion)
            inside = np.all((lesion.indices >= 0) & (lesion.indices < image.shape), axis=1)
            if not inside.all():
                continue
            mask = voxels_of(copied, image.shape)
            if not head[mask].all() or classes[mask].any():
                continue
            bright = image + added * gaussian_filter(mask.astype(np.float32), 0.5)
            labels = np.where(mask, 3, classes).astype(np.uint8)
            yield copied, LocalContrast(replace(case, volumes={"t1ce": bright}), labels)


def scan(
    case: Case, classes: np.ndarray, turn: np.ndarray, grid: Grid, rng
) -> tuple[Case, np.ndarray]:
    """The case with a head that is turned, on a grid, 1.3 times as bright and with noise."""
    placed = Grid(case.grid.shape, turn @ case.grid.affine)
    image = resample(case.volumes["t1ce"], placed, grid)
    head = image > 0
    noise = rng.normal(0, NOISE * image[head].std(), image.shape)
    image = np.where(head, 1.3 * (image + noise), 0).clip(0).astype(np.float32)
    moved = replace(case, volumes={"t1ce": image}, grid=grid)
    return moved, resample_labels(classes, placed, grid)


def voxels_of(each: LesionMeasures, shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(each.lesion.indices.T)] = True
    return mask


def turn_about(grid: Grid) -> np.ndarray:
    """4 degrees about the middle, and 2, -3 and 1.5 mm."""
    angle = np.deg2rad(4)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    middle = (grid.affine @ [*(np.array(grid.shape) / 2), 1])[:3]
    turn[:3, 3] = middle - turn[:3, :3] @ middle + (2, -3, 1.5)
    return turn


def shift(mm: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[0, 3] = mm
    return matrix


def thick(grid: Grid, slices: int) -> Grid:
    affine = grid.affine.copy()
    affine[:3, 2] *= slices
    return Grid((*grid.shape[:2], grid.shape[2] // slices), affine)


if __name__ == "__main__":
    main()
