"""Where out-of-fold scores come from: runs, weights, and tables of earlier scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from smalltumor.errors import Action, CaseError, Remedy, TrainingError
from smalltumor.evaluation.case_rows import CaseRow, read_rows
from smalltumor.evaluation.evaluation_tables import is_evaluation, read_evaluation
from smalltumor.evaluation.out_of_fold_report import Results
from smalltumor.models.card import known_cases, lists_all_cases
from smalltumor.models.checkpoint import Checkpoint, load_checkpoint
from smalltumor.training.cross_validation.held_out import HeldOutCases, held_out_cases
from smalltumor.training.cross_validation.record import CrossValidation, is_cross_validation
from smalltumor.training.cross_validation.scoring import (
    OUT_OF_FOLD,
    Progress,
    score_held_out,
    weights_key,
)
from smalltumor.training.runs.current_weights import final_checkpoint
from smalltumor.training.runs.run_folder import RunFolder

WEIGHTS_SUFFIX = ".safetensors"


@dataclass(frozen=True)
class ScoringSettings:
    """How cases are scored that are not in a table yet.

    Parameters
    ----------
    device : str
        As for `smalltumor.segment`.
    unfinished : bool
        Also score runs that are not done, with the weights of their last saved state.
    flips : bool
        Test-time augmentation, as for `smalltumor.segment`; its scores have a table of their own.
    data : Path, optional
        Folder that holds the images, if it is not the one that the runs were trained on.
    progress : callable, optional
        Called with the fraction done and the name of the case.
    """

    device: str = "auto"
    unfinished: bool = False
    flips: bool = False
    data: Path | None = None
    progress: Progress | None = None


def read_results(paths: Sequence[Path], settings: ScoringSettings) -> Results:
    """Out-of-fold scores of one recipe.

    Parameters
    ----------
    paths : sequence of Path
        Folders of cross-validations, run folders, tables of scores, or folders that `smalltumor
        evaluate` has written. Together they may score a case once only.
    settings : ScoringSettings

    Raises
    ------
    SmalltumorError
        If a path is none of these, a case cannot be scored, or is scored twice.
    """
    rows: list[CaseRow] = []
    notes: list[str] = []
    for path in paths:
        found = _from_table(path)
        if found is not None:
            rows += found
            continue
        for run in _runs(path):
            scores, remarks = _from_run(run, settings)
            rows += scores
            notes += remarks
    remedy = None if settings.unfinished else Remedy(Action.INCLUDE_UNFINISHED)
    return _results(paths, rows, notes, remedy if notes else None)


def weights_results(weights: Path, runs: Sequence[Path], settings: ScoringSettings) -> Results:
    """Scores of a weights file on the cases that runs have held out.

    Cases that the weights have been trained on are left out.

    Parameters
    ----------
    weights : Path
    runs : sequence of Path
        Folders of cross-validations and run folders.
    settings : ScoringSettings

    Raises
    ------
    SmalltumorError
        If the weights or a case cannot be used, or no case is left.
    """
    checkpoint = load_checkpoint(weights)
    rows: list[CaseRow] = []
    notes = [] if lists_all_cases(checkpoint.card) else [_unknown(checkpoint)]
    for path in runs:
        if _from_table(path) is not None:
            raise TrainingError(
                f"{path} is a table: {weights} can be scored on the cases of run folders only"
            )
        for run in _runs(path):
            held_out, remarks = _unseen(held_out_cases(run.path, settings.data), checkpoint)
            notes += remarks
            rows += _score(held_out, checkpoint, f"scores_{weights_key(checkpoint)}.csv", settings)
    return _results([weights], rows, notes)


def _unseen(held_out: HeldOutCases, checkpoint: Checkpoint) -> tuple[HeldOutCases, list[str]]:
    seen = known_cases(checkpoint.card)
    names = [files.name for files in held_out.cases if files.name in seen]
    if not names:
        return held_out, []
    unseen = tuple(files for files in held_out.cases if files.name not in seen)
    note = f"{checkpoint.name} was trained on {', '.join(names)}: left out"
    return HeldOutCases(held_out.run, unseen), [note]


def _unknown(checkpoint: Checkpoint) -> str:
    return (
        f"the card of {checkpoint.name} does not list the cases it was trained on, so it cannot be "
        "checked that the scored cases are not among them"
    )


def _from_table(path: Path) -> list[CaseRow] | None:
    """The rows of a table; None if the path is not one."""
    if path.is_file() and path.suffix == ".csv":
        return read_rows(path)
    if path.is_dir() and is_evaluation(path):
        return read_evaluation(path)
    return None


def _runs(path: Path) -> list[RunFolder]:
    if is_cross_validation(path):
        return CrossValidation.read(path).runs
    if RunFolder(path).config.is_file():
        return [RunFolder(path)]
    raise TrainingError(
        f"{path} is neither a run folder, nor the folder of a cross-validation or an evaluation, "
        "nor a table of scores"
    )


def _from_run(run: RunFolder, settings: ScoringSettings) -> tuple[list[CaseRow], list[str]]:
    done = run.is_done
    if not done and not settings.unfinished:
        return [], [f"{run.path.name} is not done, and its cases are left out"]
    if not run.last.is_file():
        return [], [f"{run.path.name} has saved no state yet, and its cases are left out"]
    held_out = held_out_cases(run.path, settings.data)
    checkpoint = final_checkpoint(run.path)
    rows = _score(held_out, checkpoint, OUT_OF_FOLD, settings)
    return rows, [*held_out.notes, *_caveats(run, checkpoint, done)]


def _score(
    held_out: HeldOutCases, checkpoint: Checkpoint, table: str, settings: ScoringSettings
) -> list[CaseRow]:
    return score_held_out(
        held_out,
        checkpoint,
        table.replace(".csv", "_flips.csv") if settings.flips else table,
        device=settings.device,
        flips=settings.flips,
        progress=settings.progress,
    )


def _caveats(run: RunFolder, checkpoint: Checkpoint, done: bool) -> list[str]:
    notes = [] if done else [f"{run.path.name} is not done: scored with its last saved state"]
    if "limits" in checkpoint.card and checkpoint.path is None:
        notes.append(f"{run.path.name}: {checkpoint.card['limits']}")
    return notes


def _results(
    paths: Sequence[Path],
    rows: Iterable[CaseRow],
    notes: Sequence[str],
    remedy: Remedy | None = None,
) -> Results:
    ordered = sorted(rows, key=lambda row: row.case)
    if not ordered:
        reason = "; ".join(notes) or "the tables are empty"
        where = ", ".join(map(str, paths))
        raise CaseError(f"{where}: there is no case to report ({reason})", remedy)
    counts = Counter(row.case for row in ordered)
    repeated = [case for case, count in counts.items() if count > 1]
    if repeated:
        raise CaseError(f"{', '.join(repeated)}: scored by more than one of the runs or tables")
    name = ", ".join(path.resolve().name for path in paths)
    return Results(name, tuple(ordered), tuple(notes))
