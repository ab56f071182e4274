"""DICOM series of synthetic images, as a scanner writes them."""

from __future__ import annotations

import shutil
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from smalltumor.geometry.grid import Grid

pydicom = pytest.importorskip("pydicom", reason="pydicom is not installed: no DICOM files")

TIMES = {  # repetition, echo and inversion time in ms
    "t1": (600.0, 9.0, None),
    "t1ce": (600.0, 9.0, None),
    "t2": (4500.0, 95.0, None),
    "flair": (9000.0, 110.0, 2500.0),
}

SHAPE = (24, 20, 12)


def noise(seed: int = 0, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """Random voxels, (i, j, k)."""
    return np.random.default_rng(seed).integers(0, 900, shape).astype(np.uint16)


def write_series(
    folder: Path,
    data: np.ndarray,
    grid: Grid,
    description: str,
    *,
    patient: str = "P1",
    study: str = "1.2.3",
    number: int = 1,
    times: tuple[float, float, float | None] = TIMES["t1"],
    suffix: str = "",
    **tags: object,
) -> Path:
    """Write a volume, (i, j, k) on `grid`, as one file for each slice along k."""
    folder.mkdir(parents=True, exist_ok=True)
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ grid.affine
    row, column = lps[:3, 0] / grid.spacing[0], lps[:3, 1] / grid.spacing[1]
    for k in range(data.shape[2]):
        image = _image(np.ascontiguousarray(data[..., k].T), f"1.9.{number}.{k + 1}")
        image.PatientID, image.StudyInstanceUID, image.StudyDate = patient, study, "20240102"
        image.SeriesInstanceUID = f"{study}.{patient.encode().hex() or 0}.{number}"[:64]
        image.FrameOfReferenceUID = f"{study}.9"
        image.SeriesNumber, image.InstanceNumber = number, k + 1
        image.SeriesDescription = description
        image.RepetitionTime, image.EchoTime, inversion = times
        if inversion is not None:
            image.InversionTime = inversion
        image.AcquisitionTime = f"{100000 + 100 * number}"
        image.ImagePositionPatient = list(map(float, (lps @ (0, 0, k, 1))[:3].round(6)))
        image.ImageOrientationPatient = list(map(float, np.concatenate([row, column]).round(9)))
        image.PixelSpacing = [float(grid.spacing[1]), float(grid.spacing[0])]
        image.SliceThickness = float(grid.spacing[2])
        for keyword, value in tags.items():
            setattr(image, keyword, value)
        # Names that do not sort like the slices.
        name = f"{(k * 7919) % 10007:05d}{suffix}"
        image.save_as(folder / name, enforce_file_format=True)
    return folder


def write_enhanced(folder: Path, data: np.ndarray, grid: Grid, description: str) -> Path:
    """Write a volume, (i, j, k) on `grid`, as one file of enhanced MR, in the order of `k`."""
    parts = write_series(folder / "slices", data, grid, description)
    slices = sorted(map(pydicom.dcmread, parts.iterdir()), key=lambda image: image.InstanceNumber)
    enhanced = deepcopy(slices[0])
    for keyword in (
        *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RepetitionTime"),
    ):
        delattr(enhanced, keyword)
    timing = _item(MRTimingAndRelatedParametersSequence=_item(RepetitionTime=9000.0))
    enhanced.SharedFunctionalGroupsSequence = [timing]
    enhanced.PerFrameFunctionalGroupsSequence = [
        _item(
            PlanePositionSequence=_item(ImagePositionPatient=image.ImagePositionPatient),
            PlaneOrientationSequence=_item(ImageOrientationPatient=image.ImageOrientationPatient),
            PixelMeasuresSequence=_item(
                PixelSpacing=image.PixelSpacing, SliceThickness=image.SliceThickness
            ),
        )
        for image in slices
    ]
    uid = pydicom.uid.EnhancedMRImageStorage
    enhanced.SOPClassUID = enhanced.file_meta.MediaStorageSOPClassUID = uid
    enhanced.NumberOfFrames = len(slices)
    enhanced.PixelData = b"".join(image.PixelData for image in slices)
    shutil.rmtree(parts)
    enhanced.save_as(folder / "enhanced.dcm")
    return folder / "enhanced.dcm"


def _item(**values: object) -> pydicom.Dataset:
    item = pydicom.Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, [value] if isinstance(value, pydicom.Dataset) else value)
    return item


def _image(pixels: np.ndarray, uid: str) -> pydicom.Dataset:
    image = pydicom.Dataset()
    image.file_meta = pydicom.dataset.FileMetaDataset()
    image.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = pydicom.uid.MRImageStorage
    image.file_meta.MediaStorageSOPInstanceUID = uid
    image.SOPClassUID, image.SOPInstanceUID = pydicom.uid.MRImageStorage, uid
    image.Modality, image.SamplesPerPixel = "MR", 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.Rows, image.Columns = pixels.shape
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelRepresentation = 15, 0
    image.PixelData = pixels.astype("<u2").tobytes()
    return image
