"""The cases that a run has held out, without those that its network has seen after all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from smalltumor.data.case_files import CaseFiles
from smalltumor.errors import TrainingError
from smalltumor.models.card import known_cases, lists_all_cases
from smalltumor.training.data.dataset import labelled_cases
from smalltumor.training.run_record import RunRecord
from smalltumor.training.runs.run_folder import RunFolder


@dataclass(frozen=True)
class HeldOutCases:
    """Cases to score a run on.

    Parameters
    ----------
    run : RunFolder
    cases : tuple of CaseFiles
        By name.
    notes : tuple of str
        Which cases were left out, and what could not be checked.
    """

    run: RunFolder
    cases: tuple[CaseFiles, ...]
    notes: tuple[str, ...] = ()


def held_out_cases(path: Path, data: Path | None = None) -> HeldOutCases:
    """Find the cases that a run has held out.

    Cases of the run's split or of its starting weights that have been trained on are left out.

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
    if record.split is None:
        raise TrainingError(f"{path} has not started training: it has no split yet")
    # In a cross-validation the cases of a validation folder are held out of every fold.
    names = record.request.held_out or record.split.validation
    seen = {*record.split.trained_on, *known_cases(record.origin)}
    leaked = sorted(seen.intersection(names))
    left = [name for name in names if name not in seen]
    if not left:
        raise TrainingError(
            f"{path}: the network or its starting weights were trained on every validation case"
            if leaked
            else f"{path} holds out no case"
        )
    return HeldOutCases(
        run, _files(record, left, data), (*_left_out(path, leaked), *_warnings(record))
    )


def _files(record: RunRecord, names: list[str], data: Path | None) -> tuple[CaseFiles, ...]:
    request = record.request
    if data is not None:
        request = replace(request, data=data, validation=None)
    found = labelled_cases(request.validation) if request.validation else []
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
        f"them: {', '.join(leaked)}"
    ]


def _warnings(record: RunRecord) -> list[str]:
    name, notes = record.request.run.name, []
    if "started_from_trained_on" in record.origin and not lists_all_cases(record.origin):
        notes.append(
            f"{name}: the card of its starting weights ({record.origin.get('started_from')}) does "
            "not list the cases they were trained on, so it cannot be checked that the held-out "
            "cases are not among them"
        )
    if record.config.patience:
        notes.append(
            f"{name}: patience may have ended the run by the scores of these cases, which makes "
            "them slightly too good"
        )
    return notes
