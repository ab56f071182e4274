"""How far the regions of a case move when its slices get thicker, and nothing else changes.

``python tests/benchmarks/scans/slice_thickness.py [CASE] [--thickness 1 2 3 5]``: the images of
CASE (the sample by default) are cut into slices of each thickness, at their true places, and
segmented. The centres of the regions are compared with those of the mask of CASE itself; so are
those of that mask on the same slices, which move only if the slices do.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import nibabel as nib
import numpy as np
from head_cases import Head, sample_head, slices_of
from smalltumor import Checkpoint, Segmentation, load_checkpoint, read_case, segment
from smalltumor.data.case import Case
from smalltumor.data.sample import sample_case_folder
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.resampling import resample, resample_labels
from smalltumor.labels.masks import region_mask
from smalltumor.labels.regions import Region

CUTS = ("", "half a slice higher", "in the reverse order")


def main() -> None:
    """Print Dice and movement of each region for each thickness."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", type=Path, nargs="?", default=sample_case_folder())
    parser.add_argument("--thickness", type=float, nargs="+", default=[1, 2, 3, 5])
    options = parser.parse_args()
    checkpoint = load_checkpoint()
    direct = segment(read_case(options.case), checkpoint)
    head = sample_head(options.case, stripped=True, spacing_mm=1.0)
    for thickness in options.thickness:
        for cut in CUTS if thickness == max(options.thickness) else CUTS[:1]:
            print(f"slices of {thickness:g} mm {cut}".rstrip())
            compare(head, cut_grid(slices_of(head.grid, thickness), cut), direct, checkpoint)


def cut_grid(grid: Grid, cut: str) -> Grid:
    """The slices of a grid, all higher or in another order."""
    affine = grid.affine.copy()
    if cut == CUTS[1]:
        affine[:3, 3] += affine[:3, 2] / 2
    elif cut == CUTS[2]:
        affine[:3, 3] += affine[:3, 2] * (grid.shape[2] - 1)
        affine[:3, 2] *= -1
    return Grid(grid.shape, affine)


def compare(head: Head, grid: Grid, direct: Segmentation, checkpoint: Checkpoint) -> None:
    """Segment the head on a grid, and print where the regions are."""
    brain = resample(head.brain, head.grid, grid) > 0.5
    images = {m: resample(v, head.grid, grid) * brain for m, v in head.images.items()}
    header = nib.Nifti1Image(np.zeros(grid.shape, np.int16), grid.affine).header
    found = segment(Case("cut", images, grid, header), checkpoint)
    placed = resample_labels(direct.classes, direct.grid, grid)
    for region in Region:
        mask, expected = found.mask(region), region_mask(placed, region)
        centre = centre_of(direct.mask(region), direct.grid)
        moved = [np.round(centre_of(m, grid) - centre, 1).tolist() for m in (mask, expected)]
        dice = 2 * np.count_nonzero(mask & expected) / (mask.sum() + expected.sum())
        print(
            f"  {region}: Dice {dice:.3f}; to right, anterior, superior in mm: segmented on the "
            f"slices {moved[0]}, the mask of the case on them {moved[1]}"
        )


def centre_of(mask: np.ndarray, grid: Grid) -> np.ndarray:
    """Centre of a mask in mm, RAS."""
    return grid.to_patient(np.argwhere(mask).mean(axis=0))


if __name__ == "__main__":
    main()
