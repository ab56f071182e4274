"""Diameters of lesions with cavities: how many are measurable, and what a turn of the head changes.

    python tests/benchmarks/lesions/diameters.py CASES

For the largest lesion of each expert's mask, its product is measured with what it encloses and
beside its cavity, in the mask and in two that were turned by 5, 3 and 4 degrees, and back.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.ndimage import affine_transform, gaussian_filter
from scipy.spatial.transform import Rotation
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.read_case import read_case
from smalltumor.geometry.grid import Grid
from smalltumor.labels.components import connected_components
from smalltumor.labels.masks import Mask, region_mask
from smalltumor.labels.regions import Region
from smalltumor.lesions.axial_diameters import AxialDiameters, axial_diameters

MIN_VOXELS = 2000
PROGRESSION = 1.25
MARGIN = 15
SHIFT = [0.3, 0.4, 0.2]
"""In voxels."""


def main() -> None:
    """Print the numbers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of case folders with masks")
    folders = sorted(path for path in parser.parse_args().folder.iterdir() if path.is_dir())
    found = [turns for folder in folders if (turns := products(folder)) is not None]
    print(f"{len(found)} largest lesions of at least {MIN_VOXELS} voxels with a cavity")
    for name, n in (("with what they enclose", 0), ("beside the cavity", 1)):
        kind = [measured[n] for measured in found]
        areas = np.array([[axial.product_mm2 for axial in each] for each in kind])
        change = areas.max(axis=1) / areas.min(axis=1)
        changed = (change >= PROGRESSION).sum()
        print(f"{name}: {sum(each[0].measurable for each in kind)} measurable, median product")
        print(f"  {np.median(areas[:, 0]):.0f} mm2; turned, the largest is {np.median(change):.2f}")
        print(f"  times the smallest (median), and at least {PROGRESSION} times in {changed}")


def products(folder: Path) -> tuple[list[AxialDiameters], list[AxialDiameters]] | None:
    """Diameters with and without the cavity in each position; None without a cavity."""
    case = read_case(folder)
    et = region_mask(read_labels(case)[0], Region.ET)
    components = connected_components(et).voxels
    if not components or len(components[-1]) < MIN_VOXELS:
        return None
    voxels = components[-1]
    if not axial_diameters(voxels, case.grid).has_cavity:
        return None
    print(case.name, flush=True)
    lesion = np.zeros(voxels.max(axis=0) - voxels.min(axis=0) + 1 + 2 * MARGIN, dtype=bool)
    lesion[tuple((voxels - voxels.min(axis=0) + MARGIN).T)] = True
    grid = Grid(lesion.shape, case.grid.affine)
    positions = [np.argwhere(mask) for mask in turned(lesion)]
    return (
        [axial_diameters(each, grid, of_outline=True) for each in positions],
        [axial_diameters(each, grid) for each in positions],
    )


def turned(lesion: Mask) -> Iterator[Mask]:
    """A lesion as it is, and turned about its centre one way and the other."""
    yield lesion
    smooth = gaussian_filter(lesion.astype(np.float32), 0.5)
    turn = Rotation.from_euler("xyz", [4, 3, 5], degrees=True).as_matrix()
    centre = (np.array(lesion.shape) - 1) / 2
    for matrix in (turn, turn.T):
        offset = centre - matrix @ centre + SHIFT
        moved = affine_transform(smooth, matrix, offset, order=1) > 0.5
        largest = connected_components(moved).voxels[-1]
        mask = np.zeros_like(lesion)
        mask[tuple(largest.T)] = True
        yield mask


if __name__ == "__main__":
    main()
