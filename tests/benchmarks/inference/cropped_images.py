"""Masks of images that are cropped to the brain, beside masks of the whole images.

    python tests/benchmarks/inference/cropped_images.py CASE... [--voxels I J K]

CASE is the folder of a case. A crop moves the first voxel, and so what the network halves together.
With --voxels, the case is resampled to voxels of this size in mm before it is cropped, so that a
crop also moves the places at which it is interpolated to voxels of 1 mm. The masks of the whole
images are compared with the expert's, too.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np
from agreement import dice
from smalltumor import read_case, segment
from smalltumor.data.case import Case
from smalltumor.data.masks.label_files import read_labels
from smalltumor.geometry.boxes import bounding_box
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.resampling import resample, resample_labels
from smalltumor.labels.masks import Classes
from smalltumor.labels.regions import Region


def main() -> None:
    """Print the Dice of ET, TC and WT of each case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", type=Path, nargs="+")
    parser.add_argument("--voxels", type=float, nargs=3, metavar="MM")
    options = parser.parse_args()
    print(
        "case | shape of the crop | voxels that differ | Dice to the whole ET TC WT | to the expert"
    )
    for folder in options.cases:
        case = read_case(folder)
        expert = read_labels(case)[0]
        with tempfile.TemporaryDirectory() as name:
            if options.voxels:
                case, expert = resampled(case, expert, options.voxels, Path(name, "whole"))
            box = bounding_box(np.any([volume != 0 for volume in case.volumes.values()], axis=0))
            cropped = segment(read_cropped(case, box, Path(name, "cropped"))).classes
            whole = segment(case).classes
        differ = np.count_nonzero(cropped != whole[box])
        cells = (case.name, cropped.shape, differ, dices(cropped, whole[box]), dices(whole, expert))
        print(*cells, sep=" | ", flush=True)


def dices(one: Classes, other: Classes) -> str:
    """Dice of ET, TC and WT."""
    return " ".join(f"{dice(one, other, region):.4f}" for region in Region)


def resampled(
    case: Case, labels: Classes, voxels: Sequence[float], folder: Path
) -> tuple[Case, Classes]:
    """The case with voxels of another size along its axes, from files, and its labels."""
    affine = case.grid.affine.copy()
    affine[:3, :3] *= np.divide(voxels, case.grid.spacing)
    i, j, k = (int(n) for n in case.grid.shape * case.grid.spacing // voxels)
    grid = Grid((i, j, k), affine)
    folder.mkdir()
    for modality, volume in case.volumes.items():
        image = nibabel.Nifti1Image(resample(volume, case.grid, grid), affine)
        image.to_filename(folder / f"{case.name}_{modality}.nii")
    return read_case(folder), resample_labels(labels, case.grid, grid)


def read_cropped(case: Case, box: tuple[slice, slice, slice], folder: Path) -> Case:
    """The case, from files that hold the box only."""
    folder.mkdir()
    for path in case.paths.values():
        nibabel.load(path).slicer[box].to_filename(folder / path.name)
    return read_case(folder)


if __name__ == "__main__":
    main()
