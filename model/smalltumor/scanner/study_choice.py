"""Which of the studies in a folder is meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from smalltumor.data.case import REFERENCE
from smalltumor.errors import Action, CaseError, Remedy
from smalltumor.scanner.deidentification.patient_names import patient_name_key
from smalltumor.scanner.deidentification.scan_warning import Identifying, ScanWarning
from smalltumor.scanner.dicom.study_folder import StudyOfFile
from smalltumor.scanner.sequences.selection import assign
from smalltumor.scanner.series import Series
from smalltumor.scanner.studies import Study, patients_of


@dataclass(frozen=True)
class StudyChoice:
    """The study that is meant; what is empty leaves it open.

    Parameters
    ----------
    named : str
        Its number in the list of the studies in the folder, from 1; or its Study Instance UID, or
        the session of volumes.
    patient : str
        ID of the patient, or the name of one who has no ID.
    of_file : StudyOfFile, optional
        The study of a file that was named in place of the folder.
    """

    named: str = ""
    patient: str = ""
    of_file: StudyOfFile | None = None

    def __bool__(self) -> bool:
        return self != StudyChoice()

    def __str__(self) -> str:
        """What was asked for, for the user."""
        patients = [self.patient]
        parts = [self.named]
        if self.of_file is not None:
            parts.append(self.of_file.uid)
            patients.append(self.of_file.patient)
        parts += [f"of patient {patient}" for patient in dict.fromkeys(patients) if patient]
        return " ".join(filter(None, parts))

    def is_met_by(self, number: int, study: Study) -> bool:
        """Whether a study, with this number in the list, can be meant."""
        return (
            self._is_named(number, study)
            and (not self.patient or any(map(self._is_of_patient, study.series)))
            and (self.of_file is None or self.of_file.holds_any(study.series))
        )

    def _is_named(self, number: int, study: Study) -> bool:
        is_number = self.named.isdecimal() and int(self.named) == number
        return is_number or self.named in ("", study.study)

    def refuse_other_patient(self, found: Iterable[Series]) -> None:
        """Refuse series that are not shown to be of the patient who is meant.

        A series that names nobody is of the patient of its Study Instance UID.

        Raises
        ------
        CaseError
        """
        if not self.patient:
            return
        series = tuple(found)
        own = {s.study_uid for s in series if self._is_of_patient(s)} - {""}
        for each in series:
            if self._is_of_patient(each) or (not each.patient and each.study_uid in own):
                continue
            if each.patient:
                text = f"{each.title} is of patient {each.patient}, not of {self.patient}"
            else:
                text = f"{each.title} does not tell whether it is of patient {self.patient}"
            raise CaseError(text)

    def _is_of_patient(self, series: Series) -> bool:
        if series.is_named:
            wanted = patient_name_key(self.patient)
            return wanted.full != "" and wanted == patient_name_key(series.patient)
        return series.patient == self.patient


def choose_study(
    studies: tuple[Study, ...], choice: StudyChoice, given: Mapping[str, Path], folder: Path
) -> tuple[Study, tuple[ScanWarning, ...]]:
    """The study of a folder that is meant, and what is assumed by it.

    Parameters
    ----------
    studies : tuple of Study
        All of the folder.
    choice : StudyChoice
    given : mapping of str to Path
        Series that were named, by modality.
    folder : Path

    Raises
    ------
    CaseError
        If there is no such study, or several could be meant.
    """
    numbered = dict(enumerate(studies, start=1))
    meant = {number: s for number, s in numbered.items() if choice.is_met_by(number, s)}
    if not meant:
        raise CaseError(f"{folder} has no study {choice}; it has {_numbered(numbered)}")
    if len(meant) == 1:
        return next(iter(meant.values())), ()
    usable = study_with_reference(meant.values())
    if usable is not None and not (choice.named or choice.of_file or given):
        title = Identifying(usable.title, "one")
        return usable, (ScanWarning(("only ", title, f" of {len(meant)} studies has a T1CE")),)
    which = f" {choice}" if choice else ""
    text = f"{folder} holds {len(meant)} studies{which} ({_numbered(meant)})"
    raise CaseError(text, Remedy(Action.CHOOSE_STUDY))


def study_with_reference(studies: Iterable[Study]) -> Study | None:
    """The only study with a T1CE; None if there are several, or studies of several patients."""
    found = tuple(studies)
    usable = [study for study in found if REFERENCE in assign(study.series).chosen]
    patients = set(patients_of([series for study in found for series in study.series])) - {""}
    return usable[0] if len(usable) == 1 and len(patients) < 2 else None


def _numbered(studies: Mapping[int, Study]) -> str:
    return "; ".join(f"{number}: {study.title}" for number, study in studies.items())
