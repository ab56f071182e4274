"""The steps that will run are told before they run."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from smalltumor.geometry.grid import Grid
from smalltumor.scanner.preparation.steps import SeriesImage, planned_steps

GRID = Grid((10, 10, 10), np.eye(4))
OTHER = Grid((10, 10, 5), np.diag([1.0, 1.0, 2.0, 1.0]))


def image(grid: Grid, stripped: bool) -> SeriesImage:
    header = nib.Nifti1Header()
    header.set_sform(grid.affine, 1)
    return SeriesImage(grid, stripped, header, Path("a.nii.gz"))


def reasons(images) -> dict[str, str]:
    return {step.name: step.reason for step in planned_steps(images) if step.needed}


def test_images_of_the_brain_on_one_grid_need_no_step():
    images = dict.fromkeys(("t1", "t1ce", "t2", "flair"), image(GRID, stripped=True))
    assert reasons(images) == {}


def test_each_step_names_what_needs_it():
    images = {"t1ce": image(GRID, False), "t2": image(OTHER, False)}
    images["flair"] = image(GRID, False)
    assert reasons(images) == {
        "Brain extraction": "T1CE shows the head",
        "Registration": "FLAIR and T2 to T1CE, unless they lie in place on its grid",
        "Resampling": "T2 to the voxels of T1CE",
    }
