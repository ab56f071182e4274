"""Scans that the Follow-up dock compares, and what it lists."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from report_cases import AFFINE, SHAPE, ball, brain_case


def write_scan(folder: Path, classes: np.ndarray) -> Path:
    """Write a scan of `report_cases.brain_case` with a mask; gives its folder."""
    folder.mkdir()
    for modality in ("t1ce", "flair"):
        image = nib.Nifti1Image(brain_case().volumes[modality], AFFINE)
        nib.save(image, folder / f"{folder.name}_{modality}.nii.gz")
        nib.save(image, folder / f"{folder.name}_{'t1' if modality == 't1ce' else 't2'}.nii.gz")
    stored = np.where(classes == 3, 4, classes).astype(np.uint8)
    nib.save(nib.Nifti1Image(stored, AFFINE), folder / f"{folder.name}_seg.nii.gz")
    return folder


def later() -> np.ndarray:
    """A new small lesion; the large one has grown, and the earlier small one is gone."""
    classes = ball(np.zeros(SHAPE, np.uint8), (22, 30, 20), 8)
    return ball(classes, (40, 20, 25), 1.5)


def compared(dock, qtbot, folder: Path) -> None:
    """Compare with the scan in a folder, and wait for the end."""
    dock.compare_with(folder)
    qtbot.waitUntil(lambda: not dock.busy)


def words(dock) -> list[str]:
    """What became of each lesion, as the table says it."""
    model = dock.model
    return [model.data(model.index(row, 0)).split()[-1] for row in range(model.rowCount())]
