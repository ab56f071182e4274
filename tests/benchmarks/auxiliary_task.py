"""Effect of the auxiliary task on small lesions: the multi-task network and its baseline.

    python tests/benchmarks/auxiliary_task.py DATA --runs FOLDER [--folds 3] [--epochs 40]
        [--crop 64] [--leave-out CASE]

Cross-validation: both networks are trained with the ``starter`` preset, with the same seed, crops
and steps, and differ only in the auxiliary task. The held-out cases of each fold are segmented as
by `smalltumor segment` and scored as by `smalltumor evaluate`; the tables are over all folds. The
runs are saved in FOLDER; after an interruption, the same command resumes them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean, stdev

from smalltumor.data.case import read_case_files
from smalltumor.data.label_files import read_labels
from smalltumor.evaluation.evaluate import CaseScores, Evaluation, score_case
from smalltumor.evaluation.report import report_text
from smalltumor.evaluation.summary import SMALL_TUMOUR_LIMITS, means, size_class, small_tumours
from smalltumor.inference import segment
from smalltumor.labels.regions import Region
from smalltumor.training.data.dataset import labelled_cases
from smalltumor.training.runs.current_weights import current_checkpoint
from smalltumor.training.runs.run_folder import RunFolder

TASKS = {"multi-task": [], "baseline": ["--no-reconstruction"]}


def main() -> None:
    """Train the networks that are not trained yet, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--crop", type=int, default=64)
    parser.add_argument(
        "--leave-out", type=Path, help="a case that is used neither for training nor for scoring"
    )
    options = parser.parse_args()
    evaluations = {task: Evaluation(list(_scores(task, options)), "", "", []) for task in TASKS}
    for task, evaluation in evaluations.items():
        print(f"\n# {task}\n\n{report_text(evaluation)}")
    print(f"\n# Comparison, {len(evaluations['baseline'].cases)} held-out cases\n")
    print("| | " + " | ".join(TASKS) + " |\n|---|" + "---|" * len(TASKS))
    columns = [_summary(evaluation) for evaluation in evaluations.values()]
    for name in columns[0]:
        print(f"| {name} | " + " | ".join(column[name] for column in columns) + " |")
    print("\n" + _paired(*(evaluation.cases for evaluation in evaluations.values())))


def _scores(task: str, options: argparse.Namespace) -> Iterator[CaseScores]:
    """Scores of every case, segmented by the network that was not trained on it."""
    left_out = [c.name for c in labelled_cases(options.leave_out)] if options.leave_out else []
    cases = labelled_cases(options.data, exclude=left_out)
    for fold in range(options.folds):
        run = options.runs / f"{task}-{fold}"
        _train(run, task, fold, options)
        checkpoint = current_checkpoint(run)
        for files in cases[fold :: options.folds]:
            case = read_case_files(files)
            predicted = segment(case, checkpoint)
            yield score_case(case.name, predicted.classes, read_labels(case)[0], case.grid.spacing)


def _train(run: Path, task: str, fold: int, options: argparse.Namespace) -> None:
    """Start or resume a run, unless it has finished."""
    folder = RunFolder(run)
    if folder.config.is_file() and any(e["event"] == "done" for e in folder.read_events()):
        return
    command = [sys.executable, "-m", "smalltumor.cli", "train", str(options.data)]
    command += ["--run", str(run)]
    if folder.config.is_file():
        command += ["--resume"]
    else:
        command += ["--preset", "starter", "--cache", str(options.runs / "cache")]
        command += ["--folds", str(options.folds), "--fold", str(fold), *TASKS[task]]
        command += ["--epochs", str(options.epochs), "--crop", str(options.crop)]
        command += ["--validate-every", str(options.epochs)]
        if options.leave_out:
            command += ["--validation", str(options.leave_out)]
    subprocess.run(command, check=True)


def _summary(evaluation: Evaluation) -> dict[str, str]:
    rows = {
        f"Dice {region.value.upper()}, mean": _number(
            means([case.regions[region].overlap for case in evaluation.cases]).dice
        )
        for region in Region
    }
    for limit in SMALL_TUMOUR_LIMITS:
        scores = small_tumours(evaluation, limit)
        mean_scores = means(scores)
        rows[f"ET below {limit} voxels ({len(scores)} cases): Dice"] = _number(mean_scores.dice)
        rows[f"ET below {limit} voxels: TPR"] = _number(mean_scores.tpr)
    components = [c for case in evaluation.cases for c in case.regions[Region.ET].components]
    for limit in (*SMALL_TUMOUR_LIMITS, None):
        sizes = size_class(components, 1, limit)
        size = f"below {limit} voxels" if limit else "of any size"
        rows[f"ET components {size}: found"] = f"{sizes.found} of {sizes.components}"
    return rows


def _paired(one: Sequence[CaseScores], other: Sequence[CaseScores]) -> str:
    """Mean and standard error over cases of the difference in Dice."""
    lines = []
    for region in Region:
        pairs = zip(one, other, strict=True)
        differences = [
            a.regions[region].overlap.dice - b.regions[region].overlap.dice for a, b in pairs
        ]
        error = stdev(differences) / len(differences) ** 0.5
        lines.append(
            f"{region.value.upper()}: {mean(differences):+.3f} (standard error {error:.3f})"
        )
    return "Mean difference in Dice, multi-task minus baseline: " + "; ".join(lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main()
