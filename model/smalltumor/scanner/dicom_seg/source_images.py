"""The images that a DICOM SEG refers to, and their headers as highdicom needs them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from smalltumor.errors import CaseError
from smalltumor.extras import require
from smalltumor.scanner.dicom.headers import DicomImage, images_of_file
from smalltumor.scanner.series import StoredFrame, other_image_error

_MAY_BE_EMPTY = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    *("AccessionNumber", "StudyID", "StudyDate", "StudyTime"),
)
"""Attributes that DICOM requires and allows to be empty; de-identified files may lack them."""


def source_images(files: Sequence[Path], frames: Collection[StoredFrame] = ()) -> list[DicomImage]:
    """The images in the files of a series.

    Parameters
    ----------
    files : sequence of Path
    frames : collection of StoredFrame
        Those that are of the series; all if it is empty.

    Raises
    ------
    CaseError
        If a file is no DICOM image or that of another one by now, or there is none.
    """
    images = []
    for path in files:
        try:
            images += images_of_file(path)
        except CaseError as error:
            raise CaseError(f"{path} is not a DICOM image; a SEG refers to DICOM images") from error
    if not images:
        raise CaseError("a DICOM SEG refers to a DICOM series, and there is none")
    if not frames:
        return images
    known = {(path, index): instance for path, index, instance in frames}
    kept = [image for image in images if (image.path, image.frame) in known]
    for image in kept:
        if image.stored.instance != known[image.path, image.frame]:
            raise other_image_error(image.path)
    return kept


def source_headers(images: Sequence[DicomImage]) -> list[Any]:
    """Headers of the files, with empty values for those that are missing or no dates.

    Returns
    -------
    list of pydicom.Dataset
        In the order of the images; one for all frames of an enhanced file, without the frames of
        other volumes.

    Raises
    ------
    CaseError
        If a file has no frame of reference.
    """
    pydicom = require("pydicom", "reading DICOM files")
    headers = []
    for path in dict.fromkeys(image.path for image in images):
        header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        if not header.get("FrameOfReferenceUID"):
            raise CaseError(f"{path} has no Frame of Reference UID, which a DICOM SEG needs")
        for keyword in _MAY_BE_EMPTY:
            if keyword not in header or not _is_valid(header[keyword], pydicom.valuerep):
                setattr(header, keyword, "")
        _keep_frames(header, [image.frame for image in images if image.path == path])
        _share_geometry(header)
        headers.append(header)
    return headers


def _is_valid(element: Any, representations: Any) -> bool:
    """Whether a date or time can be read; de-identification may leave a part of it."""
    if element.VR not in ("DA", "TM"):
        return True
    try:
        getattr(representations, element.VR)(element.value)
    except ValueError:
        return False
    return True


def number_source_frames(segmentation: Any, images: Sequence[DicomImage]) -> None:
    """Let frames of a SEG refer to those of the file, where headers have those of a volume alone.

    Parameters
    ----------
    segmentation : highdicom.seg.Segmentation
        Made with `source_headers`; changed in place.
    images : sequence of DicomImage
    """
    sources = [
        source
        for frame in segmentation.PerFrameFunctionalGroupsSequence
        for derivation in frame.get("DerivationImageSequence") or ()
        for source in derivation.SourceImageSequence
        if "ReferencedFrameNumber" in source
    ]
    for source in {id(each): each for each in sources}.values():  # segments share them
        number = int(source.ReferencedFrameNumber)
        source.ReferencedFrameNumber = images[number - 1].frame + 1


def _keep_frames(header: Any, kept: Sequence[int]) -> None:
    frames = header.get("PerFrameFunctionalGroupsSequence")
    if frames:
        header.PerFrameFunctionalGroupsSequence = [frames[index] for index in kept]
        header.NumberOfFrames = len(kept)


def _share_geometry(header: Any) -> None:
    """In an enhanced file, where each frame has its own voxel size, set what all of them share.

    highdicom looks for it there; the frames of a series have one size and orientation.
    """
    frames = header.get("PerFrameFunctionalGroupsSequence")
    shared = header.get("SharedFunctionalGroupsSequence")
    if not frames or not shared:
        return
    for keyword in ("PixelMeasuresSequence", "PlaneOrientationSequence"):
        if keyword not in shared[0] and keyword in frames[0]:
            setattr(shared[0], keyword, frames[0][keyword].value)
