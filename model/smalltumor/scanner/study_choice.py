"""Which of the studies in a folder is meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from smalltumor.data.case import REFERENCE
from smalltumor.errors import Action, CaseError, Remedy
from smalltumor.scanner.deidentification.patient_names import patient_name_key
from smalltumor.scanner.deidentification.scan_warning import Identifying, ScanWarning
from smalltumor.scanner.sequences.selection import assign
from smalltumor.scanner.series import Series
from smalltumor.scanner.studies import Study


@dataclass(frozen=True)
class StudyChoice:
    """The study that is meant; what is empty leaves it open.

    Parameters
    ----------
    number : int, optional
        In the list of the studies in the folder, from 1.
    uid : str
        Study Instance UID, or the session of volumes.
    patient : str
        ID of the patient, or the name of one who has no ID.
    """

    number: int | None = None
    uid: str = ""
    patient: str = ""

    def __bool__(self) -> bool:
        return self != StudyChoice()

    def __str__(self) -> str:
        """What was asked for, for the user."""
        parts = [
            f"number {self.number}" if self.number is not None else "",
            self.uid,
            f"of patient {self.patient}" if self.patient else "",
        ]
        return " ".join(part for part in parts if part)

    def is_met_by(self, number: int, study: Study) -> bool:
        """Whether a study, with this number in the list, can be meant."""
        return (
            self.number in (None, number)
            and self.uid in ("", study.study)
            and (not self.patient or any(map(self._is_of_patient, study.series)))
        )

    def refuse_other_patient(self, found: Iterable[Series]) -> None:
        """Refuse series of one patient if it is not the one who is meant.

        Raises
        ------
        CaseError
        """
        series = tuple(found)
        if not self.patient or any(map(self._is_of_patient, series)):
            return
        others = {s.patient for s in series} - {""}
        if others:
            raise CaseError(f"the images are of patient {min(others)}, not of {self.patient}")
        raise CaseError(f"the images do not tell whether they are of patient {self.patient}")

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
    usable = [s for s in meant.values() if REFERENCE in assign(s.series).chosen]
    if len(usable) == 1 and not given:
        title = Identifying(usable[0].title, "one")
        return usable[0], (ScanWarning(("only ", title, f" of {len(meant)} studies has a T1CE")),)
    which = f" {choice}" if choice else ""
    text = f"{folder} holds {len(meant)} studies{which} ({_numbered(meant)})"
    raise CaseError(text, Remedy(Action.CHOOSE_STUDY))


def _numbered(studies: Mapping[int, Study]) -> str:
    return "; ".join(f"{number}: {study.title}" for number, study in studies.items())
