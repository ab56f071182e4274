"""Writing segmentations as DICOM Segmentation objects (SEG)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from smalltumor.data.identity.image_digests import made_of_others
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import (
    Action,
    CaseError,
    GridMismatchError,
    OutputError,
    Remedy,
    SmalltumorError,
)
from smalltumor.files.atomic import atomic_path, check_output
from smalltumor.files.existence import is_absent
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.placement import place_on_grid
from smalltumor.scanner.dicom.headers import DicomImage, invalid_values_allowed, is_segmentation
from smalltumor.scanner.dicom.series import group_volumes, slices_on_grid
from smalltumor.scanner.dicom.study_folder import StudyOfFile
from smalltumor.scanner.dicom.titles import titles_of
from smalltumor.scanner.dicom_seg.encoding import encode, highdicom
from smalltumor.scanner.dicom_seg.series_of_mask import (
    SeriesOfMaskError,
    SeriesOfStudy,
    series_on_grid,
    shows_other_images,
)
from smalltumor.scanner.dicom_seg.source_images import (
    number_source_frames,
    source_headers,
    source_images,
)
from smalltumor.scanner.series import Series, StoredFrame

SUFFIX = ".dcm"


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
    source_images(files[:1])


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
    highdicom()
    if not is_absent(path) and not is_segmentation(path):
        raise OutputError(
            f"{path} is not a DICOM segmentation and is not replaced", Remedy(Action.CHOOSE_OUTPUT)
        )


@invalid_values_allowed()
def write_dicom_seg(
    segmentation: Segmentation,
    files: Sequence[Path],
    path: str | Path,
    *,
    frames: Sequence[StoredFrame] = (),
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
    frames : sequence of StoredFrame
        The slices of the series, as in `Series`, if the files may hold those of another one, too,
        or may have been replaced since.
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
        If the series is not of DICOM files, or they are damaged or lack what a SEG refers to, or
        without `frames`, if they hold several volumes on this grid.
    GridMismatchError
        If the segmentation is not on the grid of the series.
    MissingPackageError
        If pydicom or highdicom is not installed.
    """
    path = Path(path)
    check_dicom_seg(path, files, overwrite=overwrite)
    images, order = _volume_on_grid(source_images(files, frames), segmentation.grid)
    # Frames (slice, row, column): rows run along j, columns along i.
    pixels = np.ascontiguousarray(segmentation.classes.transpose(2, 1, 0)[order])
    try:
        seg = encode(pixels, source_headers(images), segmentation.made_by)
        number_source_frames(seg, images)
    except SmalltumorError:
        raise
    except Exception as error:  # of many kinds: headers may lack or hold anything
        folder = images[0].path.parent
        raise CaseError(f"{folder}: no DICOM SEG can refer to this series ({error})") from error
    with atomic_path(path, overwrite=overwrite) as temporary:
        seg.save_as(temporary)
    return path


def _volume_on_grid(images: Sequence[DicomImage], grid: Grid) -> tuple[list[DicomImage], list[int]]:
    """The volume with the voxels of a grid, and the slice k of each image."""
    volumes = group_volumes(images)
    found = []
    for volume in volumes:
        with suppress(GridMismatchError):
            found.append((volume, slices_on_grid(volume, grid)))
    if len(found) > 1:
        titles = "; ".join(titles_of([volume for volume, _ in found]))
        raise CaseError(f"{images[0].path} holds several volumes on the grid of the mask: {titles}")
    return found[0] if found else (volumes[0], slices_on_grid(volumes[0], grid))


def write_dicom_seg_of_study(
    segmentation: Segmentation,
    study: Path,
    path: str | Path,
    *,
    series_uid: str = "",
    of_file: StudyOfFile | None = None,
    other_images: bool = False,
    overwrite: bool = False,
) -> SeriesOfStudy:
    """Write a segmentation as a DICOM SEG of the series in a study that has its voxels.

    Parameters
    ----------
    segmentation : Segmentation
        On the grid of the series, possibly along other axes, or on a part of it.
    study : Path
        Folder of the DICOM study.
    path : path
    series_uid : str
        Series Instance UID, if it is known; another one is refused then.
    of_file : StudyOfFile, optional
        As for `series_on_grid`.
    other_images : bool
        Write a mask that records other images than those of the series, too. They are not compared
        if `series_uid` is known.
    overwrite : bool
        As for `write_dicom_seg`.

    Returns
    -------
    SeriesOfStudy
        With the series that the file refers to.

    Raises
    ------
    OutputError, CaseError, GridMismatchError, MissingPackageError
        As `series_on_grid` and `write_dicom_seg`.
    """
    check_dicom_seg_output(Path(path), segmentation.sources, overwrite=overwrite)
    found = series_of_segmentation(
        segmentation,
        study,
        series_uid=series_uid,
        of_file=of_file,
        other_images=other_images,
    )
    write_dicom_seg_of_series(segmentation, found.series, path, overwrite=overwrite)
    return found


def series_of_segmentation(
    segmentation: Segmentation,
    study: Path,
    *,
    series_uid: str = "",
    of_file: StudyOfFile | None = None,
    other_images: bool = False,
) -> SeriesOfStudy:
    """The series in a study that a DICOM SEG of a segmentation refers to.

    Parameters as for `write_dicom_seg_of_study`.

    Raises
    ------
    SeriesOfMaskError, MissingPackageError
        As `series_on_grid`, or if the series shows other images.
    """
    made_of = segmentation.made_of
    found = series_on_grid(study, segmentation.grid, series_uid, of_file, made_of)
    if not series_uid and not other_images and shows_other_images(found.series, made_of):
        folder = next((path.parent for path in segmentation.sources), None)
        place = f" in {folder}" if folder is not None else ""
        images = f"{found.series.title} of {found.series.study_title} in {study}"
        raise SeriesOfMaskError(
            f"{made_of_others([f'{segmentation.name}{place}'], images)}: of another visit or "
            "patient, or of images whose intensities were changed",
            Remedy(Action.ALLOW_OTHER_IMAGES),
        )
    return found


def write_dicom_seg_of_series(
    segmentation: Segmentation,
    series: Series,
    path: str | Path,
    *,
    overwrite: bool = False,
) -> None:
    """Write a segmentation as a DICOM SEG of its `series_of_segmentation`.

    Raises
    ------
    OutputError, CaseError, GridMismatchError, MissingPackageError
        As `write_dicom_seg`.
    """
    check_dicom_seg_output(Path(path), segmentation.sources, overwrite=overwrite)
    assert series.grid is not None
    classes = place_on_grid(segmentation.classes, segmentation.grid, series.grid)
    assert classes is not None
    placed = replace(segmentation, classes=classes, grid=series.grid)
    write_dicom_seg(
        placed,
        series.files,
        path,
        frames=series.frames,
        overwrite=overwrite,
    )
