"""A DICOM series with a mask on its grid, and where the voxels of a DICOM SEG lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dicom_cases import write_series
from smalltumor.data.segmentation import InferenceRun, Segmentation
from smalltumor.labels.regions import TissueClass
from smalltumor.scanner.studies import find_studies
from synthetic import grid_along

pydicom = pytest.importorskip("pydicom")

SHAPE = (24, 20, 12)
SPACING = (0.9, 1.1, 5.0)
RUN = InferenceRun(seconds=1.0, device="cpu", backend="torch", weights="starter")


def classes() -> np.ndarray:
    """An asymmetric mask: one corner only, another number of voxels in each slice."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[2:9, 3:6, 2:5] = TissueClass.ED
    labels[3:7, 3:5, 2:4] = TissueClass.NCR
    labels[3:5, 3, 2] = TissueClass.ET
    labels[15, 16, 9] = TissueClass.ET
    return labels


def write_series_and_mask(
    folder: Path, axes: str = "LPS", degrees: float = 0, reverse: bool = False, **tags
):
    """A series, and a segmentation on its grid as it is read."""
    grid = grid_along(axes, SHAPE, SPACING, degrees)
    data = np.random.default_rng(0).integers(1, 900, SHAPE).astype(np.uint16)
    tags = {"PatientName": "Doe^Jane", "PatientBirthDate": "19700101"} | tags
    write_series(folder, data, grid, "Ax T1 POST", number=4, **tags)
    if reverse:
        for path in folder.iterdir():
            image = pydicom.dcmread(path)
            image.InstanceNumber = SHAPE[2] + 1 - image.InstanceNumber
            image.save_as(path)
    (study,) = find_studies(folder).studies
    (series,) = study.series
    volume = series.read()
    return series, Segmentation("case", classes(), volume.grid, run=RUN)


def centres(mask: np.ndarray, segmentation: Segmentation) -> np.ndarray:
    """Points of the voxels of a mask, (n, 3) in mm, DICOM's axes, sorted."""
    return ordered(segmentation.grid.to_patient(np.argwhere(mask)) * (-1, -1, 1))


def ordered(points: np.ndarray) -> np.ndarray:
    return points[np.lexsort(points.round(2).T)]


def points_by_pydicom(path: Path, number: int) -> np.ndarray:
    """Points of the voxels of a segment, by DICOM's equation C.7.6.2.1-1, frame by frame."""
    seg = pydicom.dcmread(path)
    shared = seg.SharedFunctionalGroupsSequence[0]
    row, column = np.reshape(
        list(map(float, shared.PlaneOrientationSequence[0].ImageOrientationPatient)), (2, 3)
    )
    down, across = map(float, shared.PixelMeasuresSequence[0].PixelSpacing)
    points = []
    for frame, pixels in zip(seg.PerFrameFunctionalGroupsSequence, seg.pixel_array, strict=True):
        if frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber != number:
            continue
        first = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, float)
        for r, c in np.argwhere(pixels):
            points.append(first + row * across * c + column * down * r)
    return ordered(np.array(points))
