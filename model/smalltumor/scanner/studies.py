"""The studies in a folder: the series of one patient at one time."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from smalltumor.data.volumes.volume_files import ARCHIVE_ENDINGS
from smalltumor.errors import CaseError
from smalltumor.files.existence import exists, is_folder
from smalltumor.scanner.acquisition_time import MAX_STUDY_DAYS, day_of
from smalltumor.scanner.archive import NO_IMAGES, archives_text
from smalltumor.scanner.deidentification.patient_names import spellings
from smalltumor.scanner.deidentification.scan_warning import ScanWarning
from smalltumor.scanner.dicom.copies import copies_warning, find_copies
from smalltumor.scanner.dicom.files import files_in, read_images
from smalltumor.scanner.dicom.series import group_series
from smalltumor.scanner.one_patient import study_warnings
from smalltumor.scanner.sequences.classification import classify
from smalltumor.scanner.series import Acquisition, Series, study_title
from smalltumor.scanner.volume_series import volume_series


@dataclass(frozen=True)
class Study:
    """The series of one patient at one time.

    Parameters
    ----------
    patient, study, date : str
        As in `Series`.
    series : tuple of Series
    mark : str
        What tells it apart from another one of the same patient and date; empty if there is none.
    """

    patient: str
    study: str
    date: str
    series: tuple[Series, ...]
    mark: str = ""

    @property
    def title(self) -> str:
        """For the user: patient, and date or study."""
        title = study_title(self.patient, self.date, self.study)
        return f"{title} ({self.mark})" if self.mark else title

    @property
    def notes(self) -> tuple[ScanWarning, ...]:
        """What is assumed of the patient although the files contradict it, or do not say it."""
        return tuple(study_warnings(self.series))


@dataclass(frozen=True)
class FolderContent:
    """What a folder of images holds.

    Parameters
    ----------
    studies : tuple of Study
        Sorted by patient and date.
    warnings : tuple of ScanWarning
        Files that cannot be read or are left out.
    copies : mapping of Path to Path
        Files that are left out, and those that hold the same and are not.
    """

    studies: tuple[Study, ...]
    warnings: tuple[ScanWarning, ...]
    copies: Mapping[Path, Path] = field(default_factory=dict)


def find_studies(folder: Path, on_file: Callable[[int], None] | None = None) -> FolderContent:
    """Find the studies in a folder, in DICOM files or volumes (NIfTI, .mha, .nrrd, .mgz).

    Parameters
    ----------
    folder : Path
        Searched with its subfolders. DICOM files need neither ending nor preamble.
    on_file : callable, optional
        Called with the number of files looked at; an exception that it raises ends the search.

    Returns
    -------
    FolderContent

    Raises
    ------
    CaseError
        If the folder does not exist or holds no series.
    MissingPackageError
        If there are DICOM files and pydicom is not installed.
    """
    if not is_folder(folder, unreachable=CaseError):
        raise _not_a_folder_error(folder)
    images, warnings = read_images(folder, on_file)
    copies = find_copies(images)
    if copies:
        warnings.insert(0, copies_warning(copies, folder))
        images = [image for image in images if image.path not in copies]
    found, volume_warnings = volume_series(folder)
    studies = _studies(_with_folder_names([*group_series(images), *found], folder))
    warnings += volume_warnings
    if not studies:
        archives = archives_text(path.relative_to(folder).as_posix() for path in files_in(folder))
        reasons = "".join(f"; {warning}" for warning in warnings[:1])
        raise CaseError(f"{folder} {NO_IMAGES}{archives}{reasons}")
    return FolderContent(tuple(studies), tuple(warnings), copies)


def _not_a_folder_error(path: Path) -> CaseError:
    if not exists(path):
        return CaseError(f"{path} is not an existing folder")
    if path.name.lower().endswith(ARCHIVE_ENDINGS):
        return CaseError(f"{path} is an archive; unpack it first, and name its folder")
    return CaseError(f"{path} is a file; name the folder of the scan")


def _with_folder_names(found: Sequence[Series], searched: Path) -> list[Series]:
    """Note the names of folders below `searched` that hold one series each.

    They tell apart files of one name, if they are those of sequences. Other names of folders may be
    those of patients, which no title has.
    """
    folders = [s.location.parent if s.location.is_file() else s.location for s in found]
    alone = {each for each, count in Counter(folders).items() if count == 1 and each != searched}
    titles = Counter(s.title for s in found)
    result = []
    for series, folder in zip(found, folders, strict=True):
        if folder not in alone:
            result.append(series)
            continue
        title = series.title
        is_sequence = classify(Acquisition(folder=folder.name)).sequence is not None
        if series.location.is_file() and titles[title] > 1 and is_sequence:
            title = f"{folder.name}/{title}"
        acquisition = replace(series.acquisition, folder=folder.name)
        result.append(replace(series, title=title, acquisition=acquisition))
    return result


def _studies(found: Sequence[Series]) -> list[Study]:
    by_study: dict[str, list[Series]] = defaultdict(list)
    for series in found:
        by_study[series.study].append(series)
    studies = [
        Study(patient, study, _first_date(visit), tuple(visit))
        for study, series in by_study.items()
        for patient, own in _by_patient(series).items()
        for visit in _visits(own)
    ]
    return _told_apart(sorted(studies, key=lambda s: (s.patient, s.date, s.study)))


def _told_apart(studies: Sequence[Study]) -> list[Study]:
    """The studies, with their folders or UIDs as marks where the titles are the same."""
    folders: dict[str, list[str]] = defaultdict(list)
    for study in studies:
        folders[study.title].append(_folder_name(study))
    return [_marked(study, folders[study.title]) for study in studies]


def _marked(study: Study, folders: Sequence[str]) -> Study:
    """A study with a mark, if several studies have its title, which are in these folders."""
    if len(folders) == 1:
        return study
    name = _folder_name(study)
    return replace(study, mark=name if folders.count(name) == 1 else study.study)


def _folder_name(study: Study) -> str:
    """The name of the folder that has all images of a study."""
    parents = (s.location.parent if s.location.is_file() else s.location for s in study.series)
    return Path(os.path.commonpath(list(parents))).name


def patients_of(found: Sequence[Series]) -> list[str]:
    """The patient of each series: its ID, or the first spelling of a name; empty if unknown."""
    names = spellings(s.patient for s in found if s.is_named)
    return [names[s.patient] if s.is_named else s.patient for s in found]


def _by_patient(found: Sequence[Series]) -> dict[str, list[Series]]:
    """Series of one study by patient; who is unknown is the only one that others name.

    That holds for a Study Instance UID, which no other study has, and not for names of sessions.
    """
    patients = patients_of(found)
    known = {patient for patient in patients if patient}
    groups: dict[str, list[Series]] = defaultdict(list)
    for patient, series in zip(patients, found, strict=True):
        joins = not patient and len(known) == 1 and series.study == series.study_uid != ""
        groups[next(iter(known)) if joins else patient].append(series)
    return groups


def _first_date(visit: Sequence[Series]) -> str:
    return next((s.date for s in visit if day_of(s.date) is not None), visit[0].date)


def _visits(found: Sequence[Series]) -> list[list[Series]]:
    """Series of one study by their dates, which an archive may have merged under one UID.

    A study may go on past midnight. Series whose date is not known are of the first.
    """
    known = sorted({s.date for s in found if day_of(s.date) is not None})
    starts = [d for before, d in pairwise(known) if _days(before, d) > MAX_STUDY_DAYS]
    visits: dict[int, list[Series]] = defaultdict(list)
    for series in found:
        day = series.date if day_of(series.date) is not None else ""
        visits[bisect_right(starts, day)].append(series)
    return [visits[number] for number in sorted(visits)]


def _days(before: str, after: str) -> int:
    first, last = day_of(before), day_of(after)
    assert first is not None and last is not None
    return (last - first).days
