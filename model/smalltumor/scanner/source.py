"""The series that a user means: of a folder, of one study in it, or files named one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from smalltumor.data.case import REFERENCE
from smalltumor.data.naming.case_files import MODALITY_TITLES, missing_modalities, modality_titles
from smalltumor.data.volumes.nifti import is_image_name
from smalltumor.errors import Action, CaseError, Remedy
from smalltumor.files.existence import is_absent
from smalltumor.scanner.deidentification.case_name import proposed_name
from smalltumor.scanner.deidentification.scan_warning import ScanWarning
from smalltumor.scanner.dicom.study_folder import is_dicom_file, study_of_file
from smalltumor.scanner.one_patient import contradictions, other_visits, study_warnings
from smalltumor.scanner.sequences.selection import Assignment, assign
from smalltumor.scanner.series import Series
from smalltumor.scanner.studies import FolderContent, Study, find_studies, patients_of
from smalltumor.scanner.study_choice import StudyChoice, choose_study
from smalltumor.scanner.volume_series import series_of_file
from smalltumor.text import list_text

ANY_STUDY = StudyChoice()


@dataclass(frozen=True)
class Source:
    """The series of a case to be made.

    Parameters
    ----------
    name : str
        Name of the case.
    assignment : Assignment
    warnings : tuple of ScanWarning
    """

    name: str
    assignment: Assignment
    warnings: tuple[ScanWarning, ...] = ()


def source_of(
    name: str, study: Study | None, assignment: Assignment, of_folder: Iterable[ScanWarning] = ()
) -> Source:
    """A source with all that is to be said about it, once each.

    Parameters
    ----------
    name, assignment
        As in `Source`.
    study : Study, optional
        The one that was chosen; None if all series were named one by one.
    of_folder : iterable of ScanWarning
        What was found in its folder.
    """
    warnings = dict.fromkeys((*of_folder, *series_warnings(study, assignment)))
    return Source(name, assignment, tuple(warnings))


def series_warnings(study: Study | None, assignment: Assignment) -> tuple[ScanWarning, ...]:
    """What is to be said about a study and the series that are used, which may be of another one.

    Parameters
    ----------
    study : Study, optional
    assignment : Assignment
    """
    of_study = () if study is None else study.series
    warnings = (
        *contradictions((*of_study, *assignment.chosen.values())),
        *study_warnings(of_study),
        *other_visits(assignment.chosen),
        *(ScanWarning((text,)) for text in assignment.warnings),
    )
    return tuple(dict.fromkeys(warnings))


def find_source(
    folder: Path | None,
    given: Mapping[str, Path],
    *,
    study: StudyChoice = ANY_STUDY,
    allow_missing: bool = False,
    on_file: Callable[[int], None] | None = None,
) -> Source:
    """Find the series for each sequence.

    Parameters
    ----------
    folder : Path, optional
        Folder of DICOM files or volumes.
    given : mapping of str to Path
        By modality, a file of a volume, a folder of one DICOM series or a file of it, or the
        number of a series in the list of the study.
    study : StudyChoice
        Needed if several studies of the folder have a T1CE.
    allow_missing : bool
        Whether T1, T2 and FLAIR may be missing.
    on_file : callable, optional
        As in `find_studies`.

    Raises
    ------
    CaseError
        If a sequence is missing, none or several studies could be meant, or series are of two
        patients or of another one.
    MissingPackageError
        If there are DICOM files and pydicom is not installed.
    """
    content: FolderContent | None = None
    chosen: Study | None = None
    others: tuple[Study, ...] = ()
    of_folder: tuple[ScanWarning, ...] = ()
    choice: tuple[ScanWarning, ...] = ()
    name = ""
    if folder is not None:
        content = find_studies(folder, on_file)
        chosen, choice = choose_study(content.studies, study, given, folder)
        of_folder = (*content.warnings, *choice)
        name = proposed_name(folder, content.studies, chosen)
        others = tuple(each for each in content.studies if each is not chosen)
    series = () if chosen is None else chosen.series
    named = {m: _given(path, series, content, on_file) for m, path in given.items()}
    assignment = assign(series, named)
    _refuse_two_patients(assignment)
    study.refuse_other_patient(assignment.chosen.values())
    _refuse_missing(assignment, allow_missing, chosen, others)
    return source_of(name or _name_of(assignment), chosen, assignment, of_folder)


def _name_of(assignment: Assignment) -> str:
    reference = assignment.chosen[REFERENCE]
    series = tuple(assignment.chosen.values())
    study = Study(reference.patient, reference.study, reference.date, series)
    return proposed_name(reference.location.parent, (study,), study)


def _given(
    path: Path,
    series: tuple[Series, ...],
    content: FolderContent | None,
    on_file: Callable[[int], None] | None,
) -> Series:
    """The series that a path or number stands for.

    Parameters
    ----------
    path : Path
    series : tuple of Series
        Those of the study that was chosen, which have numbers.
    content : FolderContent, optional
        What the folder holds that was searched.
    on_file : callable, optional
    """
    if not is_image_name(path) and is_dicom_file(path):
        return _series_of_slice(path, content, on_file)
    if path.is_dir():
        found = _only_one(find_studies(path, on_file), path)
        whole = [] if content is None else _series_with(found.files[0], content)
        return whole[0] if len(whole) == 1 else found
    if is_absent(path) and path.name.isdecimal() and series:
        if not 1 <= int(path.name) <= len(series):
            raise CaseError(f"there is no series {path.name}; the study has {len(series)}")
        return series[int(path.name) - 1]
    if not is_absent(path) and not is_image_name(path):
        raise CaseError(f"{path} is neither a volume (NIfTI, .mha, .nrrd) nor of a DICOM series")
    return series_of_file(path)


def _series_of_slice(
    path: Path, content: FolderContent | None, on_file: Callable[[int], None] | None
) -> Series:
    """The series of a DICOM file, with its slices in other folders, as those of a medium are."""
    searched = [] if content is None else _series_with(path, content)
    if len(searched) == 1:
        return searched[0]
    return _only_one(find_studies(study_of_file(path).folder, on_file), path, holding=True)


def _only_one(content: FolderContent, path: Path, *, holding: bool = False) -> Series:
    """The only series in a folder, or the only one that holds a file.

    Raises
    ------
    CaseError
        If there is none, or several.
    """
    found = _series_with(path, content) if holding else _series_in(content)
    if len(found) != 1:
        raise CaseError(f"{path} holds {len(found)} series; give the number or folder of one")
    return found[0]


def _series_with(path: Path, content: FolderContent) -> list[Series]:
    """The series that hold a file, or that of which it is a copy."""
    resolved = {file.resolve(): original.resolve() for file, original in content.copies.items()}
    file = resolved.get(path.resolve(), path.resolve())
    return [s for s in _series_in(content) if any(each.resolve() == file for each in s.files)]


def _series_in(content: FolderContent) -> list[Series]:
    return [series for study in content.studies for series in study.series]


def _refuse_two_patients(assignment: Assignment) -> None:
    chosen = list(assignment.chosen.values())
    patients = {p: s for p, s in zip(patients_of(chosen), chosen, strict=True) if p}
    if len(patients) > 1:
        named = list_text(f"{s.title} of {patient}" for patient, s in patients.items())
        raise CaseError(f"the series are of {len(patients)} patients: {named}")


def _refuse_missing(
    assignment: Assignment, allow_missing: bool, chosen: Study | None, others: tuple[Study, ...]
) -> None:
    for modality, series in assignment.chosen.items():
        if series.problem:
            title = MODALITY_TITLES[modality]
            raise CaseError(f"{series.title} cannot be used for {title}: {series.problem}")
    missing = missing_modalities(assignment.chosen, allow_missing=allow_missing)
    if missing:
        reasons = (
            "; ".join(assignment.undecided) or f"no series is {modality_titles(missing, 'or')}"
        )
        if chosen is not None and others:
            reasons = f"{chosen.title}: {reasons}"
        reasons += "".join(_in_other_studies(missing, others))
        raise CaseError(reasons, Remedy(Action.NAME_MODALITIES, modalities=missing))


def _in_other_studies(missing: Sequence[str], others: tuple[Study, ...]) -> Iterator[str]:
    """Where the missing modalities are, as parts of a sentence: a case is of one study."""
    for study in others:
        found = assign(study.series).chosen
        titles = [found[m].title for m in missing if m in found]
        if titles:
            yield f"; of another study, {study.title}, there is {list_text(titles)}"
