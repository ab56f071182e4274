"""A small scan of four NIfTI files, T2 in another pose, and the case that was prepared of it."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage
from smalltumor.geometry.grid import Grid
from smalltumor.scanner.deidentification.deidentified_title import deidentified_titles
from smalltumor.scanner.prepared.applied_steps import AppliedStep, StepKind
from smalltumor.scanner.prepared.preparation_warning import PreparationWarning, WarningKind
from smalltumor.scanner.prepared.prepared_case import PreparedCase, PreparedSequence
from smalltumor.scanner.registration.registration import Registration, on_grid, registered_grid
from smalltumor.scanner.sequences.selection import assign
from smalltumor.scanner.studies import find_studies

SHAPE = (24, 26, 22)
NAMES = {"t1": "ax_t1", "t1ce": "ax_t1_post_gd", "t2": "ax_t2", "flair": "ax_flair"}
SHIFT_MM = 6.0


def write_raw_scan(folder: Path) -> Path:
    """Write the scan; 5 mm voxels, and T2 shifted along x by `SHIFT_MM`."""
    folder.mkdir(parents=True)
    anatomy = _smooth_noise(9)
    for number, (modality, name) in enumerate(NAMES.items()):
        data = anatomy + 0.3 * _smooth_noise(number)
        data = (1000 * (data - data.min() + 0.1)).astype(np.int16)
        affine = np.diag([-5.0, -5.0, 5.0, 1.0])
        affine[:3, 3] = (60 + (SHIFT_MM if modality == "t2" else 0), 65, -55)
        nib.save(nib.Nifti1Image(data, affine), folder / f"{name}.nii.gz")
    return folder


def _smooth_noise(seed: int) -> np.ndarray:
    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(0, 1, SHAPE), 2)


def prepared_by_hand(scan: Path, name: str = "Pat") -> PreparedCase:
    """The scan as a prepared case, without the networks: T2 is registered by its true pose."""
    chosen = assign(find_studies(scan).studies[0].series).chosen
    volumes = {m: series.read() for m, series in chosen.items()}
    grid = volumes["t1ce"].grid
    brain = np.zeros(SHAPE, bool)
    brain[6:-6, 6:-6, 5:-5] = True
    matrix = np.eye(4)
    matrix[0, 3] = SHIFT_MM
    moved = {"t2": Registration(matrix, SHIFT_MM, 0.1, 0.4)}
    sequences = {}
    for modality, volume in volumes.items():
        found = moved.get(modality)
        placed: Grid = volume.grid if found is None else registered_grid(volume.grid, matrix)
        sequences[modality] = PreparedSequence(
            image=np.where(brain, on_grid(volume, placed, grid), 0),
            native_grid=volume.grid,
            series=chosen[modality].title,
            uid=chosen[modality].uid,
            reason="a reason",
            steps=(AppliedStep(StepKind.BRAIN, "a step"),),
            registration=found,
            overlap=0.95 if found is not None else None,
        )
    text = "T2 may not be registered to T1CE: a reason; look at it"
    warnings = (PreparationWarning(WarningKind.REGISTRATION, text, "t2"),)
    titles = deidentified_titles(chosen.values())
    header = volumes["t1ce"].header
    return PreparedCase(name, grid, header, sequences, brain, warnings, deidentified_titles=titles)
