r"""What share of the starting weights a network should keep that is fine-tuned on some cases.

    python tests/benchmarks/training/starting_weights_share.py \
        WEIGHTS --data FOLDER --trained-on 10 --study DIR

No case of FOLDER may have been trained on by WEIGHTS. The cases are halved at random. Of each half
some are drawn, the network is fine-tuned on them with their expert's masks, and the other half is
segmented with each share of the starting weights in the result (`starting_weights_share` of a
training's settings, which does not change the training itself). So each case tests once. The cases
that were trained on are scored too.

The same command resumes a study that was stopped.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

from active_learning import links, scores, with_starting_weights_share
from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.evaluation.report.out_of_fold_report import Results, comparison_text, results_text
from smalltumor.evaluation.summaries.case_rows import CaseRow
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.training.execution.train import train
from smalltumor.training.request import TrainingRequest
from smalltumor.training.runs.current_weights import final_checkpoint
from smalltumor.training.runs.run_folder import RunFolder

BEFORE = 1.0
Scores = dict[float, list[CaseRow]]
"""Scores by share of the starting weights; 1 is before fine-tuning."""


def main() -> None:
    """Run what has not been run, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--study", type=Path, required=True)
    parser.add_argument("--trained-on", type=int, default=10, help="cases")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--crop", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    parser.add_argument("--shares", nargs="+", type=float, default=[0.75, 0.5, 0.25, 0.0])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    cases = sorted(find_cases(options.data), key=lambda case: case.name)
    draw.shuffle(cases)
    middle = len(cases) // 2
    halves = cases[:middle], cases[middle:]
    others: Scores = {}
    own: Scores = {}
    for half, testing in enumerate(reversed(halves)):
        trained_on = sorted(draw.sample(halves[half], options.trained_on), key=lambda c: c.name)
        run = options.study / f"half_{half}"
        print(f"{run}: {', '.join(case.name for case in trained_on)}", flush=True)
        fine_tune(run, trained_on, options)
        for share in (BEFORE, *options.shares):
            score(run, options.weights, share, testing, others, "others")
            score(run, options.weights, share, trained_on, own, "own")
    for title, found in (("others", others), ("the cases themselves", own)):
        report(title, found)


def fine_tune(run: Path, cases: Sequence[CaseFiles], options: argparse.Namespace) -> None:
    """Train, or go on with a run that was stopped."""
    data = links(cases, run / "cases")
    if RunFolder(run).is_done:
        return
    request = TrainingRequest(
        data,
        run,
        "finetune",
        {
            "epochs": options.epochs,
            "crop": options.crop,
            "learning_rate": options.learning_rate,
            "starting_weights_share": 0.0,
        },
        options.weights,
        cache=options.study / "cache",
        resume=True,
    )
    if not train(request, lambda _: None):
        raise SystemExit("stopped; the same command resumes the study")


def score(
    run: Path,
    weights: Path,
    share: float,
    cases: Sequence[CaseFiles],
    found: Scores,
    title: str,
) -> None:
    """Add the scores of cases, with a share of the starting weights, to those found."""
    initial = load_checkpoint(weights)
    if share != BEFORE:
        initial = with_starting_weights_share(initial, final_checkpoint(run), share)
    rows = scores(run / f"{title}_{share:g}.csv", initial, cases)
    found.setdefault(share, []).extend(rows)


def report(title: str, found: Scores) -> None:
    """Print the scores for each share, and the differences from before."""
    print(f"# {title}\n")
    results = [Results(f"share {share:g}", tuple(rows)) for share, rows in found.items()]
    for result in results:
        print(results_text(result), end="\n\n")
    for after in results[1:]:
        print(comparison_text(after, results[0]), end="\n\n")


if __name__ == "__main__":
    main()
