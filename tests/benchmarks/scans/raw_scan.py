"""Prepare a raw scan and compare it with another tool's brain masks.

``python tests/benchmarks/scans/raw_scan.py RAW MASKS``: RAW is a folder for `smalltumor prepare`.
MASKS has ``*_t1ce.nii.gz`` and others: one brain mask, carried to the native grid of each series by
that tool's registration. Both registrations are compared by the rigid transforms between the masks.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from scipy import ndimage
from smalltumor.data.volumes.nifti import Volume, read_nifti
from smalltumor.geometry.resampling import resample
from smalltumor.scanner.preparation.prepare import prepare
from smalltumor.scanner.registration.registration import registered_grid
from smalltumor.scanner.registration.sitk_images import matrix_of, simpleitk, to_sitk, transform_of
from smalltumor.scanner.source import find_source

RANGE_MM = 15.0


def main() -> None:
    """Print the Dice of the brain, the distances of the registrations, and times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raw", type=Path)
    parser.add_argument("masks", type=Path)
    options = parser.parse_args()
    wall, cpu = time.perf_counter(), time.process_time()
    case = prepare(find_source(options.raw, {}))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    masks = {m: _mask(options.masks, m) for m in case.sequences}
    reference = masks["t1ce"]
    print(f"brain: Dice {dice(case.brain, reference.data > 0):.4f}")
    points = reference.grid.to_patient(np.argwhere(reference.data > 0)[::50])
    for modality, sequence in case.sequences.items():
        if sequence.registration is None:
            continue
        own = sequence.registration.matrix
        other = _between(reference, masks[modality], own)
        moved = points @ (own - other)[:3, :3].T + (own - other)[:3, 3]
        distance = np.linalg.norm(moved, axis=1)
        placed = registered_grid(masks[modality].grid, own)
        carried = resample(masks[modality].data > 0, placed, reference.grid) > 0.5
        far = np.percentile(distance, 95)
        overlap = dice(carried, reference.data > 0)
        print(f"{modality}: distance {distance.mean():.2f} mm, 95th percentile {far:.2f} mm")
        print(f"{modality}: Dice of the masks {overlap:.4f}")
    print(f"{wall:.1f} s, {cpu:.1f} s of CPU time")


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Dice of two masks."""
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def _mask(folder: Path, modality: str) -> Volume:
    (path,) = folder.glob(f"*_{modality}.nii.gz")
    return read_nifti(path)


def _between(fixed: Volume, moving: Volume, start: np.ndarray) -> np.ndarray:
    """Rigid transform between two masks, by their signed distances near the surface."""
    sitk = simpleitk()
    first, second = _distance(fixed), _distance(moving)
    initial = transform_of(start)
    transform = sitk.Euler3DTransform()
    transform.SetMatrix(initial.GetMatrix(), 1e-3)
    transform.SetTranslation(initial.GetTranslation())
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMeanSquares()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(0.5, 1e-4, 300, 0.7)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetMetricFixedMask(to_sitk(np.abs(first) < 0.8 * RANGE_MM, fixed.grid))
    method.SetInitialTransform(transform, inPlace=True)
    method.Execute(to_sitk(first, fixed.grid), to_sitk(second, moving.grid))
    return matrix_of(transform)


def _distance(mask: Volume) -> np.ndarray:
    inside, spacing = mask.data > 0, mask.grid.spacing
    distance = ndimage.distance_transform_edt(inside, sampling=spacing)
    distance -= ndimage.distance_transform_edt(~inside, sampling=spacing)
    return np.clip(distance, -RANGE_MM, RANGE_MM).astype(np.float32)


if __name__ == "__main__":
    main()
