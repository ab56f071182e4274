"""Headers of DICOM images: what each file, or each frame of an enhanced file, says."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from textwrap import shorten
from typing import Any, NamedTuple

from smalltumor.errors import CaseError
from smalltumor.extras import require
from smalltumor.scanner.deidentification.patient_names import known_id, patient_name_key
from smalltumor.scanner.dicom.acquisitions import acquisition_of, is_colour
from smalltumor.scanner.dicom.frames import Frame, frames_of
from smalltumor.scanner.series import Acquisition, Instance, StoredFrame

_TAGS = [
    "SOPClassUID",
    "SOPInstanceUID",
    "Modality",
    "PatientID",
    "PatientName",
    *("PatientBirthDate", "PatientSex"),
    "PatientIdentityRemoved",
    "StudyInstanceUID",
    "StudyDate",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "SeriesNumber",
    "SeriesDescription",
    "BodyPartExamined",
    "ProtocolName",
    "SequenceName",
    "PulseSequenceName",
    "ContrastBolusAgent",
    "ContrastBolusAgentSequence",
    "RepetitionTime",
    "EchoTime",
    "InversionTime",
    "ScanningSequence",
    "ImageType",
    "MRAcquisitionType",
    *("AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime"),
    *("SeriesDate", "SeriesTime", "ContentDate", "ContentTime"),
    "AcquisitionNumber",
    "ImagesInAcquisition",
    "TemporalPositionIdentifier",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "SpacingBetweenSlices",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "NumberOfFrames",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "EchoPulseSequence",
    "EchoPlanarPulseSequence",
]

_MR_IMAGES = (
    *("1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"),
    "1.2.840.10008.5.1.4.1.1.4.4",
)
"""Classes of single, enhanced, and converted images; other objects of MR have no pixels."""

_DIRECTORY = "1.2.840.10008.1.3.10"
"""Class of a DICOMDIR, which may have another name."""

_SEGMENTATION = "SEG"

_MAX_REASON_LENGTH = 120

_INVALID_ALLOWED = ContextVar("invalid values of DICOM are allowed", default=False)


@dataclass(frozen=True)
class DicomImage:
    """One slice.

    Parameters
    ----------
    path : Path
    frame : int
        Index within the file.
    modality : str
        Such as ``MR``.
    patient, study, date, series, number : str
        Patient ID (the name if there is none), Study Instance UID, Study Date, Series Instance
        UID, Series Number.
    acquisition : Acquisition
    repeat : tuple of str
        Acquisition Number and Temporal Position, which tell apart repeated slices.
    position : (3,) float
        Centre of the first pixel in mm, DICOM's axes (x to the left, y to posterior).
    orientation : (6,) float
        Directions of a row's and a column's pixels.
    spacing : (2,) float
        Distance of rows and of columns in mm.
    shape : (2,) int
        Number of rows and of columns.
    thickness, slice_distance : float
        Slice Thickness and Spacing Between Slices in mm; 0 if the header does not state them.
    identity : (str, str), optional
    is_named : bool
    birth_date, sex : str
        As in `Series`.
    uid : str
        SOP Instance UID of the file.
    images_in_acquisition : int
        As the header states; 0 if it does not.
    frame_of_reference : str
        Frame of Reference UID.
    """

    path: Path
    frame: int
    modality: str
    patient: str
    study: str
    date: str
    series: str
    number: str
    acquisition: Acquisition
    repeat: tuple[str, str]
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    spacing: tuple[float, float]
    shape: tuple[int, int]
    thickness: float = 0.0
    slice_distance: float = 0.0
    identity: tuple[str, str] | None = None
    is_named: bool = False
    birth_date: str = ""
    sex: str = ""
    uid: str = ""
    images_in_acquisition: int = 0
    frame_of_reference: str = ""

    @property
    def stored(self) -> StoredFrame:
        """Where the slice is, and of which image."""
        return StoredFrame(self.path, self.frame, Instance(self.uid, self.series, self.patient))


@contextmanager
def invalid_values_allowed() -> Iterator[None]:
    """Take values that DICOM does not allow, such as letters in a UID, without a warning.

    Many scanners and archives write them, and pydicom would warn of each.
    """
    logging.getLogger("pydicom").addFilter(_is_logged)  # pydicom logs each warning as well
    token = _INVALID_ALLOWED.set(True)
    try:
        with warnings.catch_warnings():
            for package in ("pydicom", "highdicom"):
                warnings.filterwarnings("ignore", module=package)
            yield
    finally:
        _INVALID_ALLOWED.reset(token)


def _is_logged(record: logging.LogRecord) -> bool:
    return record.levelno > logging.WARNING or not _INVALID_ALLOWED.get()


class FileImages(NamedTuple):
    """The images of a file.

    Parameters
    ----------
    images : list of DicomImage
        One for each frame that has a place in the patient.
    unplaced : int
        Number of frames of MRI without one.
    title : str
        Number and description of the series.
    """

    images: list[DicomImage]
    unplaced: int = 0
    title: str = ""


def images_of_file(path: Path) -> list[DicomImage]:
    """The images of a file that have a place in the patient, as of `read_file`."""
    return read_file(path).images


@invalid_values_allowed()
def is_segmentation(path: Path) -> bool:
    """Whether a file is a DICOM SEG, which holds masks and no images."""
    pydicom = require("pydicom", "reading DICOM files")
    try:
        header = pydicom.dcmread(path, specific_tags=["Modality"], stop_before_pixels=True)
    except (OSError, ValueError, AttributeError, pydicom.errors.InvalidDicomError):
        return False
    return bool(header.get("Modality") == _SEGMENTATION)


@invalid_values_allowed()
def read_file(path: Path) -> FileImages:
    """Read the headers of a file; a DICOM SEG has no images.

    Raises
    ------
    CaseError
        If it is damaged or not DICOM.
    MissingPackageError
        If pydicom is not installed.
    """
    pydicom = require("pydicom", "reading DICOM files")
    try:
        return _read_images(pydicom, path)
    except Exception as error:  # of many kinds: pydicom converts a value when it is asked for
        reason = shorten(str(error), _MAX_REASON_LENGTH)
        raise CaseError(f"{path} is a damaged DICOM file ({reason})") from error


def _read_images(pydicom: Any, path: Path) -> FileImages:
    # Files of old archives lack the preamble.
    header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_TAGS, force=True)
    if not header.get("SeriesInstanceUID"):
        if header.file_meta.get("MediaStorageSOPClassUID") == _DIRECTORY:
            return FileImages([])
        raise ValueError("no Series Instance UID")
    if header.get("Modality") == _SEGMENTATION:
        return FileImages([])
    if not header.get("Rows"):
        if str(header.get("SOPClassUID")) in _MR_IMAGES:
            raise ValueError("it ends within its header")
        return FileImages([])  # a report, a segmentation without pixels
    frames = list(frames_of(header))
    found = (_image(path, frame) for frame in frames)
    images = [image for image in found if image is not None]
    unplaced = len(frames) - len(images)
    if not unplaced or str(header.get("SOPClassUID")) not in _MR_IMAGES or is_colour(frames[0]):
        return FileImages(images)  # a picture of the screen has no place in the patient
    parts = (frames[0].text(keyword) for keyword in ("SeriesNumber", "SeriesDescription"))
    return FileImages(images, unplaced, " ".join(filter(None, parts)))


def _image(path: Path, frame: Frame) -> DicomImage | None:
    position, orientation = (
        frame.numbers("ImagePositionPatient"),
        frame.numbers("ImageOrientationPatient"),
    )
    spacing = frame.numbers("PixelSpacing")
    if len(position) != 3 or len(orientation) != 6 or len(spacing) != 2:
        return None
    instance = instance_of(frame)
    return DicomImage(
        path=path,
        frame=frame.index,
        modality=frame.text("Modality"),
        patient=instance.patient,
        study=frame.text("StudyInstanceUID"),
        date=frame.text("StudyDate"),
        series=instance.series,
        number=frame.text("SeriesNumber"),
        acquisition=acquisition_of(frame),
        repeat=(
            frame.text("FrameAcquisitionNumber") or frame.text("AcquisitionNumber"),
            frame.text("TemporalPositionIndex") or frame.text("TemporalPositionIdentifier"),
        ),
        position=position,
        orientation=orientation,
        spacing=(spacing[0], spacing[1]),
        shape=(int(frame.header.Rows), int(frame.header.Columns)),
        thickness=_length(frame, "SliceThickness"),
        slice_distance=_length(frame, "SpacingBetweenSlices"),
        identity=_identity(frame),
        is_named=not known_id(frame.text("PatientID")),
        birth_date=frame.text("PatientBirthDate"),
        sex=frame.text("PatientSex").upper(),
        uid=instance.uid,
        images_in_acquisition=int(frame.number("ImagesInAcquisition") or 0),
        frame_of_reference=frame.text("FrameOfReferenceUID"),
    )


def instance_of(frame: Frame) -> Instance:
    """The image that a file holds."""
    return Instance(
        frame.text("SOPInstanceUID"),
        frame.text("SeriesInstanceUID"),
        known_id(frame.text("PatientID")) or _known_name(frame),
    )


def _length(frame: Frame, keyword: str) -> float:
    """A length in mm; 0 for what is none. Some scanners write negative distances of slices."""
    try:
        length = abs(frame.number(keyword) or 0.0)
    except ValueError:
        return 0.0
    return length if isfinite(length) else 0.0


def _known_name(frame: Frame) -> str:
    name = frame.text("PatientName")
    return name if patient_name_key(name).full else ""


def _identity(frame: Frame) -> tuple[str, str] | None:
    if frame.text("PatientIdentityRemoved").upper() == "YES":
        return None
    return frame.text("PatientID"), frame.text("PatientName")
