"""Segmentations as DICOM Segmentation objects (SEG), written by highdicom.

The segments are the tissue classes, coded as in DICOM's context group for lesions of the brain
(CID 7168): necrosis and edema in SNOMED CT, and the enhancing lesion in the NCI Thesaurus, because
SNOMED CT has no concept for it. They do not overlap, so that every viewer shows them; regions are
their unions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np

from smalltumor.data.case import REFERENCE
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import Action, CaseError, OutputError, Remedy
from smalltumor.files.atomic import atomic_path, check_output
from smalltumor.files.requirements import require
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.placement import place_on_grid
from smalltumor.labels.regions import CLASS_COLOURS, TissueClass
from smalltumor.scanner.dicom_files import DicomImage, images_of_file, invalid_values_allowed
from smalltumor.scanner.dicom_series import slices_on_grid
from smalltumor.scanner.selection import assign
from smalltumor.scanner.series import Series
from smalltumor.scanner.studies import find_studies

AlgorithmType = Literal["AUTOMATIC", "SEMIAUTOMATIC", "MANUAL"]

SUFFIX = ".dcm"

_NAME = "smalltumor"
_PACKAGE = "napari-smalltumor"
_DESCRIPTION = "Brain tumour segmentation, research only"

_SERIES_NUMBER = 1000
"""Added to the number of the source series, as numbers of a study's series should differ."""

_MAY_BE_EMPTY = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    *("AccessionNumber", "StudyID", "StudyDate", "StudyTime"),
)
"""Attributes that DICOM requires and allows to be empty; de-identified files may lack them."""


class _Segment(NamedTuple):
    label: str
    scheme: str
    code: str
    meaning: str


_SEGMENTS: Mapping[TissueClass, _Segment] = MappingProxyType(
    {
        TissueClass.NCR: _Segment("Necrosis", "SCT", "6574001", "Necrosis"),
        TissueClass.ED: _Segment("Edema", "SCT", "79654002", "Edema"),
        TissueClass.ET: _Segment("Enhancing tumor", "NCIt", "C113842", "Enhancing Lesion"),
    }
)


def check_dicom_seg(path: Path, files: Sequence[Path], *, overwrite: bool = False) -> None:
    """Check before the computation that a segmentation of a series can be written.

    Parameters
    ----------
    path : Path
        Ending in ``.dcm``.
    files : sequence of Path
        Files of the series that the segmentation will refer to.
    overwrite : bool
        Whether an existing file may be replaced; the files of the series never are.

    Raises
    ------
    OutputError
        As `check_dicom_seg_output`.
    CaseError
        If the series is not of DICOM files.
    MissingPackageError
        If pydicom or highdicom is not installed.
    """
    check_dicom_seg_output(path, files, overwrite=overwrite)
    _images(files[:1])


def check_dicom_seg_output(path: Path, sources: Sequence[Path], *, overwrite: bool = False) -> None:
    """Check that a DICOM SEG can be written to a file.

    Parameters
    ----------
    path : Path
    sources : sequence of Path
        Files that are never replaced.
    overwrite : bool

    Raises
    ------
    OutputError
        If the file cannot be written, has another ending, or exists and is no DICOM SEG.
    MissingPackageError
        If highdicom is not installed.
    """
    if path.suffix.lower() != SUFFIX:
        raise OutputError(f"{path}: the name of a DICOM segmentation ends in {SUFFIX}")
    check_output(path, overwrite=overwrite, sources=sources)
    _highdicom()
    if path.exists() and not _is_segmentation(path):
        raise OutputError(
            f"{path} is not a DICOM segmentation and is not replaced", Remedy(Action.CHOOSE_OUTPUT)
        )


@invalid_values_allowed()
def write_dicom_seg(
    segmentation: Segmentation,
    files: Sequence[Path],
    path: str | Path,
    *,
    algorithm_type: AlgorithmType | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a segmentation as a DICOM SEG that refers to the images of its series.

    It has the patient, the study and the frame of reference of the series, and a frame for each
    slice of a segment that is not empty.

    Parameters
    ----------
    segmentation : Segmentation
        On the native grid of the series.
    files : sequence of Path
        Files of the series, in any order: `PreparedSequence.files`, or `files` of `series_on_grid`.
    path : path
        Ending in ``.dcm``.
    algorithm_type : {"AUTOMATIC", "SEMIAUTOMATIC", "MANUAL"}, optional
        How the segments were made; by default automatically if the segmentation has an inference
        run, else semi-automatically.
    overwrite : bool
        Whether an existing file may be replaced; the files of the series never are.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    CaseError
        If the series is not of DICOM files, or they are damaged or lack what a SEG refers to.
    GridMismatchError
        If the segmentation is not on the grid of the series.
    MissingPackageError
        If pydicom or highdicom is not installed.
    """
    path = Path(path)
    check_dicom_seg(path, files, overwrite=overwrite)
    images = _images(files)
    headers = _headers(images)
    order = slices_on_grid(images, segmentation.grid)
    run = segmentation.run
    algorithm = algorithm_type or ("SEMIAUTOMATIC" if run is None else "AUTOMATIC")
    # Frames (slice, row, column): rows run along j, columns along i.
    pixels = np.ascontiguousarray(segmentation.classes.transpose(2, 1, 0)[order])
    try:
        seg = _encode(pixels, headers, segmentation, algorithm)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        folder = images[0].path.parent
        raise CaseError(f"{folder}: no DICOM SEG can refer to this series ({error})") from error
    with atomic_path(path, overwrite=overwrite) as temporary:
        seg.save_as(temporary)
    return path


def write_dicom_seg_of_study(
    segmentation: Segmentation,
    study: Path,
    path: str | Path,
    *,
    algorithm_type: AlgorithmType | None = None,
    overwrite: bool = False,
) -> Series:
    """Write a segmentation as a DICOM SEG of the series in a study that has its voxels.

    Parameters
    ----------
    segmentation : Segmentation
        On the grid of the series, possibly along other axes, or on a part of it.
    study : Path
        Folder of the DICOM study.
    path, algorithm_type, overwrite
        As for `write_dicom_seg`.

    Returns
    -------
    Series
        That which the file refers to.

    Raises
    ------
    OutputError, CaseError, GridMismatchError, MissingPackageError
        As `series_on_grid` and `write_dicom_seg`.
    """
    check_dicom_seg_output(Path(path), segmentation.sources, overwrite=overwrite)
    series = series_on_grid(study, segmentation.grid)
    assert series.grid is not None
    classes = place_on_grid(segmentation.classes, segmentation.grid, series.grid)
    assert classes is not None
    placed = replace(segmentation, classes=classes, grid=series.grid)
    write_dicom_seg(placed, series.files, path, algorithm_type=algorithm_type, overwrite=overwrite)
    return series


def series_on_grid(folder: Path, grid: Grid) -> Series:
    """The DICOM series in a folder that has the voxels of a grid, such as that of an edited mask.

    Parameters
    ----------
    folder : Path
        Searched with its subfolders.
    grid : Grid
        Possibly along other axes than the series, or a part of it, as tools save masks.

    Returns
    -------
    Series
        If several have these voxels, that which is taken as T1CE.

    Raises
    ------
    CaseError
        If no series has this grid, or several and none of them is T1CE.
    MissingPackageError
        If pydicom is not installed.
    """
    studies = find_studies(folder).studies
    found = [s for study in studies for s in study.series if _has_voxels_of(s, grid)]
    if not found:
        raise CaseError(f"{folder} holds no DICOM series on the grid of the mask")
    references = [assign(study.series).chosen.get(REFERENCE) for study in studies]
    preferred = [series for series in found if series in references] or found
    if len(preferred) > 1:
        titles = ", ".join(series.title for series in preferred)
        text = f"{folder} holds {len(preferred)} series on the grid of the mask: {titles}"
        raise CaseError(text, Remedy(Action.CHOOSE_SERIES))
    return preferred[0]


def _has_voxels_of(series: Series, grid: Grid) -> bool:
    if series.grid is None:
        return False
    nothing = np.zeros(grid.shape, dtype=bool)
    return place_on_grid(nothing, grid, series.grid) is not None


def _is_segmentation(path: Path) -> bool:
    pydicom = require("pydicom", "reading DICOM files")
    try:
        header = pydicom.dcmread(path, specific_tags=["Modality"], stop_before_pixels=True)
    except (OSError, ValueError, AttributeError, pydicom.errors.InvalidDicomError):
        return False
    return bool(header.get("Modality") == "SEG")


def _images(files: Sequence[Path]) -> list[DicomImage]:
    images = []
    for path in files:
        try:
            images += images_of_file(path)
        except (OSError, ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
            raise CaseError(f"{path} is not a DICOM image; a SEG refers to DICOM images") from error
    if not images:
        raise CaseError("a DICOM SEG refers to a DICOM series, and there is none")
    return images


def _headers(images: Sequence[DicomImage]) -> list[Any]:
    """Headers of the files, with empty values for those that are missing or no dates."""
    pydicom = require("pydicom", "reading DICOM files")
    headers = []
    for path in dict.fromkeys(image.path for image in images):
        header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        if not header.get("FrameOfReferenceUID"):
            raise CaseError(f"{path} has no Frame of Reference UID, which a DICOM SEG needs")
        for keyword in _MAY_BE_EMPTY:
            if keyword not in header or not _is_valid(header[keyword], pydicom.valuerep):
                setattr(header, keyword, "")
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


def _encode(
    pixels: np.ndarray[Any, Any], headers: list[Any], segmentation: Segmentation, algorithm: str
) -> Any:
    hd = _highdicom()
    first = headers[0]
    number = int(first.get("SeriesNumber") or 0)
    release = version(_PACKAGE)
    return hd.seg.Segmentation(
        source_images=headers,
        pixel_array=pixels,
        segmentation_type="BINARY",
        segment_descriptions=_descriptions(hd, segmentation, algorithm, release),
        series_instance_uid=hd.UID(),
        series_number=_SERIES_NUMBER + max(0, number),
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer=_PACKAGE,
        manufacturer_model_name=_NAME,
        software_versions=release,
        device_serial_number="0",
        content_label="BRAIN_TUMOUR",
        content_description=_DESCRIPTION,
        series_description=_DESCRIPTION,
    )


def _descriptions(hd: Any, segmentation: Segmentation, algorithm: str, release: str) -> list[Any]:
    code = hd.sr.CodedConcept
    run = segmentation.run
    identification = hd.AlgorithmIdentificationSequence(
        name=_NAME,
        family=code("123110", "DCM", "Artificial Intelligence"),
        version=release,
        parameters={"weights": run.weights} if run is not None else None,
    )
    return [
        hd.seg.SegmentDescription(
            segment_number=int(tissue),
            segment_label=segment.label,
            segmented_property_category=code(
                "49755003", "SCT", "Morphologically Abnormal Structure"
            ),
            segmented_property_type=code(segment.code, segment.scheme, segment.meaning),
            algorithm_type=algorithm,
            algorithm_identification=None if algorithm == "MANUAL" else identification,
            anatomic_regions=[code("12738006", "SCT", "Brain")],
            display_color=hd.color.CIELabColor.from_rgb(
                *(round(255 * part) for part in CLASS_COLOURS[tissue])
            ),
        )
        for tissue, segment in _SEGMENTS.items()
    ]


def _highdicom() -> Any:
    return require("highdicom", "writing a DICOM SEG")
