"""How often a mask is noticed that is mirrored, moved, or another patient's.

    python tests/benchmarks/scans/mask_placement.py CASES [CASES ...] [--others N] [--network]

CASES are folders of skull-stripped cases with experts' masks, all on grids of one shape. The mask
of each case is checked as it is, at thick voxels, eroded, dilated, moved, mirrored, and over the
images of N other cases. With ``--network``, masks of the shipped weights take the experts' place.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import ndimage
from smalltumor import load_checkpoint, segment
from smalltumor.data.case import Case
from smalltumor.data.mask_placement.flair_border import flair_border
from smalltumor.data.mask_placement.outside_images import outside_images_text
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.read_case import read_case_files
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.mirroring import mirrored
from smalltumor.labels.masks import Classes
from smalltumor.labels.regions import TissueClass
from smalltumor.models.checkpoint import Checkpoint

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
    tumour = classes > 0
    for steps in (1, 2, 3):
        grown = ndimage.binary_dilation(tumour, iterations=steps)
        yield f"{steps} mm too large", case, grown * np.uint8(TissueClass.ED)
        shrunk = ndimage.binary_erosion(tumour, iterations=steps)
        yield f"{steps} mm too small", case, shrunk * np.uint8(TissueClass.ED)
    generator = np.random.default_rng(0)
    for distance in (2, 3, 5, 10, 20):
        direction = generator.normal(size=3)
        offset = np.round(distance * direction / np.linalg.norm(direction))
        yield f"moved by {distance} mm", case, ndimage.shift(classes, offset, order=0)
    for name, image in mirrored(classes, case.grid):
        yield f"mirrored {name}", case, image


def without_margin(files: CaseFiles, checkpoint: Checkpoint | None) -> tuple[Case, Classes]:
    """FLAIR and a mask of a case, without as many voxels on one side as on the other.

    Where FLAIR is 0, all images are. The mask is the network's if there is a checkpoint.
    """
    case = read_case_files(files)
    classes = read_labels(case)[0] if checkpoint is None else segment(case, checkpoint).classes
    inner = tuple(slice(_MARGIN, -_MARGIN) for _ in range(2))
    brain = np.logical_or.reduce([volume[inner] != 0 for volume in case.volumes.values()])
    flair = np.where(brain, np.maximum(case.volumes["flair"][inner], 1), 0)
    grid = Grid(flair.shape, case.grid.affine)
    return replace(case, volumes={"flair": flair}, grid=grid), classes[inner]


@dataclass(frozen=True)
class Checked:
    """What the checks say of a mask."""

    probability: float
    mirroring: str
    is_doubtful: bool
    leaves_brain: bool


def checked(case: Case, classes: Classes) -> Checked:
    """Check a mask. One that is said to be mirrored counts as doubtful as well."""
    border = flair_border(case, classes)
    leaves_brain = bool(outside_images_text(case, classes))
    if border is None:
        return Checked(np.nan, "", False, leaves_brain)
    return Checked(border.probability, border.mirroring, bool(str(border)), leaves_brain)


def main() -> None:
    """Print the lowest and highest probability of each kind, and how many are doubtful."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="+", type=Path)
    parser.add_argument("--others", type=int, default=5, help="masks of others on each case")
    parser.add_argument("--network", action="store_true", help="masks of the shipped weights")
    options = parser.parse_args()
    checkpoint = load_checkpoint() if options.network else None
    files = [each for folder in options.cases for each in find_cases(folder)]
    cases = [without_margin(each, checkpoint) for each in files]
    found: dict[str, list[Checked]] = {}
    for number, (case, mask) in enumerate(cases):
        for kind, changed, classes in variants(case, mask):
            found.setdefault(kind, []).append(checked(changed, classes))
        for step in range(1, options.others + 1):
            other = cases[(number + step) % len(cases)][1]
            found.setdefault("another patient's", []).append(checked(case, other))
    print(f"{'mask':<42} probability     mirrored  rightly  doubtful  outside")
    for kind, each in found.items():
        values = [check.probability for check in each]
        named = [check.mirroring for check in each if check.mirroring]
        rightly = sum(kind == f"mirrored {name}" for name in named)
        print(
            f"{kind:<42} {np.nanmin(values):.3f} to {np.nanmax(values):.3f}"
            f"  {len(named):>8}  {rightly:>7}  {sum(c.is_doubtful for c in each):>8}"
            f"  {sum(c.leaves_brain for c in each):>7}  of {len(each)}"
        )


if __name__ == "__main__":
    main()
