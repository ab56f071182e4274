"""The validation cases of a run, without those that its network has seen after all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from smalltumor.data.identity.patients import patient_key
from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.errors import TrainingError
from smalltumor.models.card import (
    STARTED_FROM_SELECTED_ON,
    STARTED_FROM_TRAINED_ON,
    known_cases,
    lists_all_cases,
)
from smalltumor.training.data.dataset import labelled_cases
from smalltumor.training.execution.run_record import RunRecord
from smalltumor.training.runs.run_folder import RunFolder


@dataclass(frozen=True)
class ValidationCases:
    """Cases to score a run on.

    Parameters
    ----------
    run : RunFolder
    cases : tuple of CaseFiles
        By name.
    notes : tuple of str
        Which cases were left out, and what could not be checked.
    patients : mapping of str to str
        Patients by case, for cases whose names do not tell.
    """

    run: RunFolder
    cases: tuple[CaseFiles, ...]
    notes: tuple[str, ...] = ()
    patients: Mapping[str, str] = field(default_factory=dict)

    def of_patients_in(self, others: Iterable[str]) -> list[str]:
        """Names of those cases that are among other cases, or are of a patient of them.

        Parameters
        ----------
        others : iterable of str
            Names of the other cases.
        """
        patients = {patient_key(name, self.patients) for name in others}
        return [c.name for c in self.cases if patient_key(c.name, self.patients) in patients]

    def without(self, names: Collection[str]) -> ValidationCases:
        """The other cases than those of these names."""
        return replace(self, cases=tuple(case for case in self.cases if case.name not in names))


def find_validation_cases(path: Path, data: Path | None = None) -> ValidationCases:
    """Find the validation cases of a run.

    Cases that have been trained on, in the run or for its starting weights, are left out, and so
    are other scans of their patients.

    Parameters
    ----------
    path : Path
        The run folder.
    data : Path, optional
        Folder that holds the images, if it is not the one that the run was trained on.

    Raises
    ------
    TrainingError
        If the folder holds no run, a case has gone or is in a pack, or none is left.
    """
    run = RunFolder(path)
    record = RunRecord.read(run)
    # In a cross-validation the cases of a validation folder are in no fold.
    names = record.request.validation_cases or record.split.validation
    patients = record.request.patients
    trained_on = {*record.split.trained_on, *known_cases(record.origin)}
    seen = {patient_key(name, patients) for name in trained_on}
    leaked = sorted(name for name in names if patient_key(name, patients) in seen)
    left = [name for name in names if name not in leaked]
    if not left:
        raise TrainingError(
            f"{path}: the network or its starting weights were trained on the patient of every "
            "validation case"
            if leaked
            else f"{path} has no validation case"
        )
    notes = (*_left_out(path, leaked), *_warnings(record))
    found = ValidationCases(run, _files(record, left, data), notes, patients)
    return replace(found, notes=(*notes, *_selection(record, found)))


def _files(record: RunRecord, names: list[str], data: Path | None) -> tuple[CaseFiles, ...]:
    request = record.request
    if data is not None:
        request = replace(request, data=data, validation_folder=None)
    found = labelled_cases(request.validation_folder) if request.validation_folder else []
    met = {case.name for case in found}
    if not met.issuperset(names):
        found += labelled_cases(request.data, exclude=met)
    chosen = sorted((case for case in found if case.name in names), key=lambda case: case.name)
    counts = Counter(case.name for case in chosen)
    missing = [name for name in names if not counts[name]]
    if missing:
        raise TrainingError(
            f"{request.run}: {', '.join(missing)} is not in {request.data} and cannot be scored"
        )
    repeated = [name for name, count in counts.items() if count > 1]
    if repeated:
        raise TrainingError(f"there is more than one case named {', '.join(repeated)}; rename one")
    files = tuple(case for case in chosen if isinstance(case, CaseFiles))
    if len(files) < len(chosen):
        raise TrainingError(
            f"{request.run}: its cases are in the pack {request.data}, which does not hold the "
            "images to be scored"
        )
    return files


def _left_out(path: Path, leaked: list[str]) -> list[str]:
    if not leaked:
        return []
    return [
        f"{path.name}: left out, because the network or its starting weights were trained on "
        f"these patients: {', '.join(leaked)}"
    ]


def _selection(record: RunRecord, found: ValidationCases) -> list[str]:
    names = found.of_patients_in(record.origin.get(STARTED_FROM_SELECTED_ON, ()))
    if not names:
        return []
    return [
        f"{record.request.run.name}: its starting weights ({record.origin.get('started_from')}) "
        f"were chosen by their scores on {', '.join(names)}, which makes the scores on them "
        "slightly too good"
    ]


def _warnings(record: RunRecord) -> list[str]:
    name, notes = record.request.run.name, []
    if STARTED_FROM_TRAINED_ON in record.origin and not lists_all_cases(record.origin):
        notes.append(
            f"{name}: the card of its starting weights ({record.origin.get('started_from')}) does "
            "not list the cases they were trained on, so it cannot be checked whether the "
            "validation cases are among them"
        )
    if record.config.patience:
        notes.append(
            f"{name}: patience may have ended the run by the scores of these cases, which makes "
            "them slightly too good"
        )
    return notes
