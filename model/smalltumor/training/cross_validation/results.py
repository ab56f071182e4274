"""Where out-of-fold scores come from: runs, weights, and tables of earlier scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from smalltumor.errors import Action, CaseError, Remedy, TrainingError
from smalltumor.evaluation.report.evaluation_tables import is_evaluation, read_evaluation
from smalltumor.evaluation.report.out_of_fold_report import Results
from smalltumor.evaluation.summaries.case_rows import CaseRow, read_rows
from smalltumor.evaluation.summaries.out_of_fold import notes_on_regions
from smalltumor.models.card import images_trained_on, known_cases, lists_all_cases, selected_on
from smalltumor.models.checkpoint import Checkpoint, load_checkpoint
from smalltumor.progress import ProgressCallback
from smalltumor.training.config import FREE_SETTINGS
from smalltumor.training.cross_validation.record import CrossValidation, is_cross_validation
from smalltumor.training.cross_validation.scoring import (
    OUT_OF_FOLD,
    Warn,
    score_validation_cases,
    weights_key,
)
from smalltumor.training.cross_validation.validation_cases import (
    ValidationCases,
    find_validation_cases,
)
from smalltumor.training.data.same_images import known_by_images, t1ce_digests
from smalltumor.training.execution.run_record import RunRecord
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
    warn : callable, optional
        Called with each reason to doubt the scores of a case that is segmented.
    """

    device: str = "auto"
    unfinished: bool = False
    flips: bool = False
    data: Path | None = None
    progress: ProgressCallback | None = None
    warn: Warn | None = None


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
        runs = _runs(path)
        notes += _other_settings(runs)
        for run in runs:
            scores, remarks = _from_run(run, settings)
            rows += scores
            notes += remarks
    remedy = None if settings.unfinished else Remedy(Action.INCLUDE_UNFINISHED)
    return _results(paths, rows, notes, remedy if notes else None)


def weights_results(weights: Path, runs: Sequence[Path], settings: ScoringSettings) -> Results:
    """Scores of a weights file on the validation cases of runs.

    Cases of patients that the weights have been trained on are left out.

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
            validation, remarks = _unseen(
                find_validation_cases(run.path, settings.data), checkpoint
            )
            table = f"scores_{weights_key(checkpoint)}.csv"
            scores, without = _score(validation, checkpoint, table, settings)
            rows += scores
            notes += [*remarks, *without]
    return _results([weights], rows, notes)


def _unseen(
    validation: ValidationCases, checkpoint: Checkpoint
) -> tuple[ValidationCases, list[str]]:
    copies: frozenset[str] = frozenset()
    if images_trained_on(checkpoint.card):
        recorded = RunRecord.read(validation.run).digests
        others = (case for case in validation.cases if case.name not in recorded)
        copies = known_by_images(checkpoint.card, {**recorded, **t1ce_digests(others)})
    seen = validation.of_patients_in(known_cases(checkpoint.card) | copies)
    unseen, notes = validation.without(seen), []
    if seen:
        notes += [f"{checkpoint.name} was trained on the patients of {', '.join(seen)}: left out"]
    chosen_by = unseen.of_patients_in(selected_on(checkpoint.card))
    if chosen_by:
        notes += [
            f"{checkpoint.name} was chosen by its scores on {', '.join(chosen_by)}, so its "
            "scores on them are too good"
        ]
    return unseen, notes


def _unknown(checkpoint: Checkpoint) -> str:
    return (
        f"the card of {checkpoint.name} does not list the cases it was trained on, so it cannot be "
        "checked whether the scored cases are among them"
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
    run = RunFolder(path)
    if run.has(run.config):
        return [run]
    raise TrainingError(
        f"{path} is neither a run folder, nor the folder of a cross-validation or an evaluation, "
        "nor a table of scores"
    )


def _other_settings(runs: Sequence[RunFolder]) -> list[str]:
    """Folds with other settings than the first, as runs that were started one by one may have."""
    first, notes = None, []
    for run in runs:
        if not run.has(run.config):
            continue
        config = RunRecord.read(run).config
        if first is None:
            first = run.path.name, config
        names = [f.name for f in fields(config) if f.name not in FREE_SETTINGS]
        differing = [n for n in names if getattr(config, n) != getattr(first[1], n)]
        if differing:
            notes.append(
                f"{run.path.name} was trained with other settings than {first[0]} "
                f"({', '.join(differing)}), so that the folds are not comparable"
            )
    return notes


def _from_run(run: RunFolder, settings: ScoringSettings) -> tuple[list[CaseRow], list[str]]:
    done = run.is_done
    if not done and not settings.unfinished:
        return [], [f"{run.path.name} is not done, and its cases are left out"]
    if not run.has(run.last) and not (done and run.has(run.final)):
        return [], [f"{run.path.name} has saved no state yet, and its cases are left out"]
    validation = find_validation_cases(run.path, settings.data)
    checkpoint = final_checkpoint(run.path)
    rows, without = _score(validation, checkpoint, OUT_OF_FOLD, settings)
    return rows, [*validation.notes, *_caveats(run, checkpoint, done), *without]


def _score(
    validation: ValidationCases, checkpoint: Checkpoint, table: str, settings: ScoringSettings
) -> tuple[list[CaseRow], list[str]]:
    """The scores of cases, and a note that names those without any."""
    rows = score_validation_cases(
        validation,
        checkpoint,
        table.replace(".csv", "_flips.csv") if settings.flips else table,
        device=settings.device,
        flips=settings.flips,
        progress=settings.progress,
        warn=settings.warn,
    )
    scored = {row.case for row in rows}
    without = [files.name for files in validation.cases if files.name not in scored]
    text = "not scored, because the expert's mask has no class for enhancing tumour"
    return rows, [f"{text}: {', '.join(without)}"] if without else []


def _caveats(run: RunFolder, checkpoint: Checkpoint, done: bool) -> list[str]:
    name = run.path.name
    notes = [] if done else [f"{name} is not done: scored with its last saved state"]
    if done and run.has(run.final) and checkpoint.path is None:
        steps = load_checkpoint(run.final).card["steps"]
        notes.append(
            f"{name}: its final network is of step {steps}, not of step {run.last_step}, at which "
            "it ended: scored with its last saved state"
        )
    if "limits" in checkpoint.card and checkpoint.path is None:
        notes.append(f"{name}: {checkpoint.card['limits']}")
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
    return Results(name, tuple(ordered), (*notes, *notes_on_regions(ordered)))
