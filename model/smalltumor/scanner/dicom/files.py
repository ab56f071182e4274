"""Headers of DICOM images: what each file, or each frame of an enhanced file, says."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from textwrap import shorten
from typing import Any

from smalltumor.errors import CaseError
from smalltumor.files.requirements import require
from smalltumor.scanner.series import Acquisition

_TAGS = [
    "Modality",
    "PatientID",
    "StudyInstanceUID",
    "StudyDate",
    "SeriesInstanceUID",
    "SeriesNumber",
    "SeriesDescription",
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
    "AcquisitionDate",
    "AcquisitionTime",
    "AcquisitionDateTime",
    "AcquisitionNumber",
    "TemporalPositionIdentifier",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "NumberOfFrames",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
]

_LONGEST_REASON = 120

MOST_FILES = 10_000
"""Files that are opened to tell whether a folder holds DICOM."""

START_BYTES = 132
"""The preamble and the letters after it, which tell that a file is DICOM."""

_NAMED_DICOM = (".dcm", ".ima", ".dicom")


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
        Patient ID, Study Instance UID, Study Date, Series Instance UID, Series Number.
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


@contextmanager
def invalid_values_allowed() -> Iterator[None]:
    """Take values that DICOM does not allow, such as letters in a UID, without a warning.

    Many scanners and archives write them, and pydicom would warn of each.
    """
    with warnings.catch_warnings():
        for package in ("pydicom", "highdicom"):
            warnings.filterwarnings("ignore", module=package)
        yield


def read_images(
    folder: Path, on_file: Callable[[int], None] | None = None
) -> tuple[list[DicomImage], list[str]]:
    """Read the headers of all DICOM images in a folder and its subfolders.

    Parameters
    ----------
    folder : Path
    on_file : callable, optional
        Called with the number of files looked at; an exception that it raises ends the search.

    Returns
    -------
    list of DicomImage
        Images of MRI and other modalities that have a position in the patient.
    list of str
        A warning for each DICOM file that cannot be read.

    Raises
    ------
    MissingPackageError
        If there are DICOM files and pydicom is not installed.
    """
    images: list[DicomImage] = []
    problems: list[str] = []
    for count, path in enumerate(_files(folder), start=1):
        if on_file is not None:
            on_file(count)
        if not _is_dicom(path):
            continue
        try:
            images += images_of_file(path)
        except CaseError as error:
            problems.append(f"{error}; it is left out")
    return images, problems


def holds_dicom(folder: Path, most_files: int = MOST_FILES) -> bool:
    """Whether a folder or its subfolders hold DICOM.

    Parameters
    ----------
    folder : Path
    most_files : int
        Files that are opened at most, in the order of their folders and names. Folders with a
        DICOMDIR hold DICOM.
    """
    files = islice(_files(folder, with_directory=True), most_files)
    return any(_is_directory(path) or _is_dicom(path) for path in files)


def _files(folder: Path, *, with_directory: bool = False) -> Iterator[Path]:
    """The files in a folder and its subfolders, possibly first the DICOMDIR of each."""
    for root, folders, names in os.walk(folder):
        folders.sort()
        paths = [Path(root, name) for name in sorted(names) if not name.startswith(".")]
        if with_directory:
            yield from filter(_is_directory, paths)
        yield from (path for path in paths if not _is_directory(path))


def _is_directory(path: Path) -> bool:
    """Whether a file lists the DICOM files of a medium and holds no image."""
    return path.name.upper() == "DICOMDIR"


def _is_dicom(path: Path) -> bool:
    if is_named_dicom(path.name):
        return True
    try:
        with path.open("rb") as file:
            return starts_as_dicom(file.read(START_BYTES))
    except OSError:
        return False


def is_named_dicom(name: str) -> bool:
    """Whether a file is DICOM by the ending of its name; many have none."""
    return name.lower().endswith(_NAMED_DICOM)


def starts_as_dicom(start: bytes) -> bool:
    """Whether a file is DICOM by its first `START_BYTES` bytes."""
    return start[128:] == b"DICM"


@invalid_values_allowed()
def images_of_file(path: Path) -> list[DicomImage]:
    """Read the headers of a file: an image for each frame that has a position in the patient.

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
        reason = shorten(str(error), _LONGEST_REASON)
        raise CaseError(f"{path} is a damaged DICOM file ({reason})") from error


def _read_images(pydicom: Any, path: Path) -> list[DicomImage]:
    # Files of old archives lack the preamble; they are told by their ending.
    header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_TAGS, force=True)
    if not header.get("SeriesInstanceUID"):
        raise ValueError("no Series Instance UID")
    if int(header.get("SamplesPerPixel") or 1) != 1 or not header.get("Rows"):
        return []  # a colour picture, a report, a segmentation without pixels
    images = (_image(path, _Frame(header, index)) for index in range(_number_of_frames(header)))
    return [image for image in images if image is not None]


def _number_of_frames(header: Any) -> int:
    """Frames whose place is known: those that an enhanced file describes, else the first."""
    described = len(header.get("PerFrameFunctionalGroupsSequence") or ())
    said = int(header.get("NumberOfFrames") or 1)
    if described and said != described:
        raise ValueError(f"it says that it has {said} frames and describes {described}")
    return described or 1


class _Frame:
    """Values of a frame: of its own functional groups, of the shared ones, or of the file."""

    def __init__(self, header: Any, index: int) -> None:
        self.header = header
        self.index = index
        self._macros = [macro for group in self._groups() for macro in self._items(group)]

    def __call__(self, keyword: str) -> Any:
        """The value, or None."""
        for dataset in (*self._macros, self.header):
            value = dataset.get(keyword)
            if value is not None and str(value) != "":
                return value
        return None

    def text(self, keyword: str) -> str:
        value = self(keyword)
        return "" if value is None else str(value).strip()

    def number(self, *keywords: str) -> float | None:
        values = (self(keyword) for keyword in keywords)
        found = next((v for v in values if v is not None), None)
        if isinstance(found, list | tuple) or hasattr(found, "__len__"):
            found = found[0] if found is not None and len(found) else None
        return None if found is None else float(found)

    def texts(self, keyword: str) -> tuple[str, ...]:
        value = self(keyword)
        if value is None:
            return ()
        values = [value] if isinstance(value, str) else value
        return tuple(str(v).strip().upper() for v in values)

    def numbers(self, keyword: str) -> tuple[float, ...]:
        return tuple(float(v) for v in self(keyword) or ())

    def _groups(self) -> Iterator[Any]:
        frames = self.header.get("PerFrameFunctionalGroupsSequence") or []
        if self.index < len(frames):
            yield frames[self.index]
        yield from self.header.get("SharedFunctionalGroupsSequence") or []

    @staticmethod
    def _items(group: Any) -> Iterator[Any]:
        for element in group:
            if element.VR == "SQ":
                yield from element.value


def _image(path: Path, frame: _Frame) -> DicomImage | None:
    position, orientation = (
        frame.numbers("ImagePositionPatient"),
        frame.numbers("ImageOrientationPatient"),
    )
    spacing = frame.numbers("PixelSpacing")
    if len(position) != 3 or len(orientation) != 6 or len(spacing) != 2:
        return None  # a screenshot or a report has no place in the patient
    return DicomImage(
        path=path,
        frame=frame.index,
        modality=frame.text("Modality"),
        patient=frame.text("PatientID"),
        study=frame.text("StudyInstanceUID"),
        date=frame.text("StudyDate"),
        series=frame.text("SeriesInstanceUID"),
        number=frame.text("SeriesNumber"),
        acquisition=_acquisition(frame),
        repeat=(frame.text("AcquisitionNumber"), frame.text("TemporalPositionIdentifier")),
        position=position,
        orientation=orientation,
        spacing=(spacing[0], spacing[1]),
        shape=(int(frame.header.Rows), int(frame.header.Columns)),
    )


def _acquisition(frame: _Frame) -> Acquisition:
    names = [
        frame.text(keyword)
        for keyword in ("SeriesDescription", "SequenceName", "PulseSequenceName")
    ]
    agent = frame.text("ContrastBolusAgent")
    if not agent and frame.header.get("ContrastBolusAgentSequence"):
        agent = "given"
    kind = frame.text("MRAcquisitionType").upper()
    when = frame.text("AcquisitionDateTime")
    return Acquisition(
        text="; ".join(dict.fromkeys(name for name in names if name)),
        protocol=frame.text("ProtocolName"),
        contrast_agent=agent,
        repetition_time=frame.number("RepetitionTime"),
        echo_time=frame.number("EffectiveEchoTime", "EchoTime"),
        inversion_time=frame.number("InversionTime", "InversionTimes"),
        techniques=frozenset(frame.texts("ScanningSequence")),
        image_type=frozenset((*frame.texts("FrameType"), *frame.texts("ImageType"))),
        is_3d={"3D": True, "2D": False}.get(kind),
        time=when or frame.text("AcquisitionDate") + frame.text("AcquisitionTime"),
    )
