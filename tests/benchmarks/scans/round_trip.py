"""Segment a case that was turned, cut into thick slices and saved as DICOM, and compare the masks.

``python tests/benchmarks/scans/round_trip.py [CASE] [--thickness 5]``: each sequence of CASE (the
sample by default) gets a skull and a scalp, a pose of its own, slices of the thickness, and noise,
and is saved as a DICOM series. The series are prepared and segmented, and the mask on the native
grid of T1CE is compared with that of CASE itself, carried to this grid. The DICOM SEG is read back.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from head_cases import sample_head, write_scan
from smalltumor import load_checkpoint, read_case, segment
from smalltumor.data.sample import sample_case_folder
from smalltumor.geometry.resampling import resample, resample_labels
from smalltumor.labels.masks import region_mask
from smalltumor.labels.regions import Region
from smalltumor.scanner.dicom_seg import write_dicom_seg
from smalltumor.scanner.preparation.prepare import prepare
from smalltumor.scanner.source import find_source


def main() -> None:
    """Print what became of the sequences, the brain and the masks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", type=Path, nargs="?", default=sample_case_folder())
    parser.add_argument("--thickness", type=float, default=5.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        compare(options.case, options.thickness, Path(temporary))


def compare(folder: Path, thickness: float, temporary: Path) -> None:
    """Go the whole way and print the differences."""
    checkpoint = load_checkpoint()
    direct = segment(read_case(folder), checkpoint)
    head = sample_head(folder, spacing_mm=1.0)
    grids = write_scan(head, temporary, thickness)
    wall, cpu = time.perf_counter(), time.process_time()
    source = find_source(temporary, {})
    prepared = prepare(source)
    print(
        f"prepared in {time.perf_counter() - wall:.0f} s, {time.process_time() - cpu:.0f} s of CPU"
    )
    print("series:", {m: s.title for m, s in source.assignment.chosen.items()})
    print("grid of T1CE as written:", prepared.grid.matches(grids["t1ce"]))
    brain = resample(head.brain, head.grid, prepared.grid) > 0.5
    print(f"brain: Dice {dice(brain, prepared.brain):.3f}")
    points = prepared.grid.to_patient(np.argwhere(brain)[::50])
    for modality, sequence in prepared.sequences.items():
        if sequence.registration is not None:
            off = sequence.registration.matrix - head.poses[modality]
            distance = np.linalg.norm(points @ off[:3, :3].T + off[:3, 3], axis=1)
            print(f"{modality}: registered within {distance.mean():.2f} mm")
    found = segment(prepared.to_case(), checkpoint)
    expected = resample_labels(direct.classes, direct.grid, found.grid)
    for region in Region:
        own, other = found.mask(region), region_mask(expected, region)
        shift = prepared.grid.to_patient([np.argwhere(mask).mean(axis=0) for mask in (own, other)])
        apart = np.linalg.norm(shift[0] - shift[1])
        volumes = f"{found.volume_ml(region):.2f} and {direct.volume_ml(region):.2f} ml"
        print(f"{region}: Dice {dice(own, other):.3f}, centres {apart:.2f} mm apart, {volumes}")
    path = write_dicom_seg(found, prepared.sequences["t1ce"].files, temporary / "mask.dcm")
    print("DICOM SEG:", seg_difference(path, found.classes, prepared.grid), "voxels differ")


def seg_difference(path: Path, classes: np.ndarray, grid) -> int:
    """Voxels of a DICOM SEG, read by highdicom, that differ from the mask on its grid."""
    import highdicom

    volume = highdicom.seg.segread(path).get_volume(combine_segments=True)
    at = np.argwhere(volume.array)
    ras = volume.map_indices_to_reference(at) * (-1, -1, 1)
    voxels = np.rint((np.linalg.inv(grid.affine) @ np.c_[ras, np.ones(len(ras))].T)[:3].T)
    read = np.zeros_like(classes)
    read[tuple(voxels.astype(int).T)] = volume.array[tuple(at.T)]
    return int(np.count_nonzero(read != classes))


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Dice of two masks."""
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


if __name__ == "__main__":
    main()
