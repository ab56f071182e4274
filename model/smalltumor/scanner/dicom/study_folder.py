"""The study to which a DICOM file belongs, and its folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations, count, islice
from pathlib import Path
from typing import Any, NamedTuple

from smalltumor.errors import CaseError
from smalltumor.extras import require
from smalltumor.files.change_time import next_change_shows
from smalltumor.files.listings import walk
from smalltumor.scanner.dicom.files import is_dicom, is_directory
from smalltumor.scanner.dicom.frames import frames_of
from smalltumor.scanner.dicom.headers import instance_of, invalid_values_allowed
from smalltumor.scanner.series import Series

_MAX_LEVELS = 2
"""Archives put the images in ``study/series``, viewers in ``study/DICOM/series``."""

_TAGS = ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"]
_MAX_FOLDERS = 200
_MAX_FILES = 1_000
"""Files that are looked at; a folder with more is not taken for that of one study."""


class StudyOfFile(NamedTuple):
    """The study of a file, and where it is.

    Parameters
    ----------
    folder : Path
        It may hold other studies as well, also such of other patients with the same UID.
    uid : str
        Study Instance UID; empty if the file does not tell it.
    patient : str
        As in `Series`; empty if the file does not tell it.
    """

    folder: Path
    uid: str = ""
    patient: str = ""

    def holds_any(self, found: Iterable[Series]) -> bool:
        """Whether some of these series are of this study, as far as it is known."""
        return any(
            self.uid in ("", series.study) and self.patient in ("", series.patient)
            for series in found
        )


class _Image(NamedTuple):
    """The UIDs of an image, in the order of `_TAGS`; empty if its file does not tell them."""

    study: str
    series: str
    uid: str


class _TooManyFilesError(Exception):
    """A folder has more files or subfolders than are looked at."""


def is_dicom_file(path: Path) -> bool:
    """Whether a path is a file of DICOM images, or the DICOMDIR of a medium."""
    return path.is_file() and (is_directory(path) or is_dicom(path))


def study_of_file(path: Path) -> StudyOfFile:
    """The study of a DICOM file, and the folder around its series.

    Parameters
    ----------
    path : Path
        A file for which `is_dicom_file` holds.

    Returns
    -------
    StudyOfFile
        With the folder of the file, or a folder above it. That one has several folders with the
        study and none with another one, or it has a series whose slices lie in several folders, as
        on a medium. The folder may hold other studies as well.

    Raises
    ------
    MissingPackageError
        If pydicom is not installed.
    """
    folder = path.absolute().parent
    uid = "" if is_directory(path) else _image_of(path).study
    if not uid:
        return StudyOfFile(folder)
    patient = _patient_of(path)
    above = list(islice(folder.parents, _MAX_LEVELS))
    changed_ns = tuple(each.stat().st_mtime_ns for each in (folder, *above))
    if not all(map(next_change_shows, changed_ns)):
        return StudyOfFile(_outermost(uid, folder), uid, patient)
    return StudyOfFile(_cached_outermost(uid, folder, changed_ns), uid, patient)


@lru_cache(maxsize=16)
def _cached_outermost(study: str, folder: Path, changed_ns: tuple[int, ...]) -> Path:
    """As `_outermost`; many files may be opened together."""
    return _outermost(study, folder)


def _outermost(study: str, folder: Path) -> Path:
    """The outermost folder over whose folders a study is spread."""
    for above in islice(folder.parents, _MAX_LEVELS):
        if not _is_spread_over(above, study):
            break
        folder = above
    return folder


def _is_spread_over(folder: Path, study: str) -> bool:
    """Whether a folder has a study alone, or slices of one of its series, in several folders."""
    found: dict[str, list[_Image]] = defaultdict(list)
    try:
        for path, image in _images_in(folder):
            found[path.relative_to(folder).parts[0]].append(image)
    except (_TooManyFilesError, CaseError, OSError):
        return False
    is_alone = {image.study for images in found.values() for image in images} == {study}
    return len(found) > 1 if is_alone else _has_divided_series(found.values(), study)


def _has_divided_series(folders: Iterable[Sequence[_Image]], study: str) -> bool:
    """Whether folders hold different slices of one series; those of a copy are the same."""
    slices: dict[str, list[set[str]]] = defaultdict(list)
    for images in folders:
        own: dict[str, set[str]] = defaultdict(set)
        for image in images:
            if image.study == study and image.series:
                own[image.series].add(image.uid)
        for series, uids in own.items():
            slices[series].append(uids)
    return any(
        one.isdisjoint(other) for parts in slices.values() for one, other in combinations(parts, 2)
    )


def _images_in(folder: Path) -> Iterator[tuple[Path, _Image]]:
    """DICOM files in a folder and its subfolders.

    Of a folder without subfolders, the first and the last are read: it holds a series, or images in
    the order in which they were written to a medium.
    """
    looked_at = count(1)
    for number, (root, folders, names) in enumerate(walk(folder), start=1):
        if number > _MAX_FOLDERS:
            raise _TooManyFilesError
        files = [Path(root, name) for name in sorted(names) if not name.startswith(".")]
        ends_suffice = bool(not folders and Path(root) != folder)
        for order in (files, files[::-1]) if ends_suffice else (files,):
            for path in order:
                if next(looked_at) > _MAX_FILES:
                    raise _TooManyFilesError
                image = None if is_directory(path) or not is_dicom(path) else _image_of(path)
                if image is not None and image.study:
                    yield path, image
                    if ends_suffice:
                        break


@invalid_values_allowed()
def _patient_of(path: Path) -> str:
    """As in `Series`, also of a file that is no image with a place, such as a report."""
    pydicom: Any = require("pydicom", "reading DICOM files")
    try:
        tags = ["PatientID", "PatientName"]
        header = pydicom.dcmread(path, specific_tags=tags, stop_before_pixels=True, force=True)
        return instance_of(next(frames_of(header))).patient
    except Exception:  # of many kinds for a damaged file, which is reported when it is read
        return ""


@invalid_values_allowed()
def _image_of(path: Path) -> _Image:
    pydicom: Any = require("pydicom", "reading DICOM files")
    try:
        header = pydicom.dcmread(path, specific_tags=_TAGS, stop_before_pixels=True, force=True)
    except Exception:  # of many kinds for a damaged file, which is reported when it is read
        return _Image("", "", "")
    return _Image(*(str(header.get(tag) or "") for tag in _TAGS))
