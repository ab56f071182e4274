"""How often the checks before training notice a mask that is mirrored or another patient's.

    python tests/benchmarks/scans/mask_placement.py CASES [CASES ...] [--others N]

CASES are folders of skull-stripped cases with experts' masks, all on grids of one shape. The mask
of each case is checked as it is, at thick voxels, eroded and dilated, mirrored, and over the images
of N other cases.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import ndimage
from smalltumor.data.case import Case
from smalltumor.data.label_files import read_labels
from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.read_case import read_case_files
from smalltumor.geometry.grid import Grid
from smalltumor.labels.masks import Classes
from smalltumor.training.data.flair_edge import DOUBTFUL, brighter_inside
from smalltumor.training.data.outside_images import outside_images_text

_MARGIN = 16
THICK_VOXELS = ((2, 2, 2), (1, 1, 5))


def averaged(case: Case, classes: Classes, factors: tuple[int, int, int]) -> tuple[Case, Classes]:
    """FLAIR averaged over blocks of voxels, and the class in the middle of each."""
    shape = tuple(n // f * f for n, f in zip(case.grid.shape, factors, strict=True))
    blocks = [n for size, f in zip(shape, factors, strict=True) for n in (size // f, f)]
    flair = case.volumes["flair"][tuple(slice(0, n) for n in shape)]
    flair = flair.astype(np.float32).reshape(blocks).mean((1, 3, 5))
    middles = tuple(slice(f // 2, n, f) for f, n in zip(factors, shape, strict=True))
    grid = Grid(flair.shape, case.grid.affine @ np.diag([*factors, 1]))
    return replace(case, volumes={"flair": flair}, grid=grid), classes[middles]


def variants(case: Case, classes: Classes) -> Iterator[tuple[str, Case, Classes]]:
    """The case with its mask as it is and changed."""
    yield "as it is", case, classes
    for factors in THICK_VOXELS:
        yield f"averaged to {factors} mm", *averaged(case, classes, factors)
    for steps in (1, 2):
        grown = ndimage.binary_dilation(classes > 0, iterations=steps)
        yield f"dilated by {steps} mm", case, grown.astype(np.uint8)
        shrunk = ndimage.binary_erosion(classes > 0, iterations=steps)
        yield f"eroded by {steps} mm", case, shrunk.astype(np.uint8)
    yield "mirrored", case, classes[::-1]
    yield "mirrored front to back", case, classes[:, ::-1]


def without_margin(files: CaseFiles) -> tuple[Case, Classes]:
    """FLAIR and the mask of a case, without as many voxels on one side as on the other.

    Where FLAIR is 0, all images are.
    """
    case = read_case_files(files)
    classes, _ = read_labels(case)
    inner = tuple(slice(_MARGIN, -_MARGIN) for _ in range(2))
    brain = np.logical_or.reduce([volume[inner] != 0 for volume in case.volumes.values()])
    flair = np.where(brain, np.maximum(case.volumes["flair"][inner], 1), 0)
    grid = Grid(flair.shape, case.grid.affine)
    return replace(case, volumes={"flair": flair}, grid=grid), classes[inner]


def main() -> None:
    """Print the lowest and highest probability of each kind, and how many are doubtful."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="+", type=Path)
    parser.add_argument("--others", type=int, default=5, help="masks of others on each case")
    options = parser.parse_args()
    cases = [without_margin(f) for folder in options.cases for f in find_cases(folder)]
    found: dict[str, list[float]] = {}
    leaves: dict[str, int] = {}

    def note(kind: str, case: Case, classes: Classes) -> None:
        value = brighter_inside(case.volumes["flair"], classes > 0, case.grid.spacing)
        found.setdefault(kind, []).append(np.nan if value is None else value)
        leaves[kind] = leaves.get(kind, 0) + bool(outside_images_text(case, classes))

    for number, (case, mask) in enumerate(cases):
        for kind, changed, classes in variants(case, mask):
            note(kind, changed, classes)
        for step in range(1, options.others + 1):
            note("another patient's", case, cases[(number + step) % len(cases)][1])
    print(f"{'mask':<24} lowest  highest  border doubtful  outside the brain")
    for kind, values in found.items():
        doubtful = int(np.sum(np.array(values) < DOUBTFUL))
        print(
            f"{kind:<24} {np.nanmin(values):.3f}   {np.nanmax(values):.3f}    "
            f"{doubtful:>5} of {len(values):<5}   {leaves[kind]}"
        )


if __name__ == "__main__":
    main()
