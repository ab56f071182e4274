"""`smalltumor evaluate`: compare predicted label files with the truth."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.cli import arguments
from smalltumor.cli.messages import show_warning
from smalltumor.cli.progress import ProgressBar
from smalltumor.errors import SmalltumorError
from smalltumor.labels.schemes import READ_SCHEMES

if TYPE_CHECKING:
    from smalltumor.evaluation.evaluate import Evaluation

DESCRIPTION = """\
Compare predicted label files with the truth: Dice, NSD, TPR, FPR and HD95 of enhancing tumour,
tumour core and whole tumour, scores of small enhancing tumours, and scores of each lesion.

Give two files, or two folders. Files in folders are matched by the name of their case
(CASE.nii.gz, CASE_seg.nii.gz, or a folder for each case). With MASK_candidates.nii.gz and
MASK_lesions.csv beside the masks, as `smalltumor cohort --candidates` writes them, the report has
the sensitivity for small lesions of masks and candidates.

With --baseline, other predictions of the same cases are scored too, and the report has the paired
differences with 95 % intervals.
"""

RULES = ("brats2023", "brats2024")

NO_FIGURES = (
    "the figures were left out, because matplotlib is not installed; install it with "
    '`pip install "napari-smalltumor[report]"`'
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "evaluate",
        help="compare segmentations with the truth",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "predictions", metavar="PREDICTIONS", type=arguments.path_argument, help="file or folder"
    )
    parser.add_argument(
        "truth", metavar="TRUTH", type=arguments.path_argument, help="file or folder"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        type=arguments.path_argument,
        help="also write report.txt, scores.json, cases.csv, components.csv, volumes.png and "
        "dice_by_size.png to this folder (the figures need matplotlib), froc.csv and froc.png if "
        "there are candidates, and baseline_cases.csv if there is a baseline",
    )
    parser.add_argument(
        "--baseline",
        metavar="OTHER",
        type=arguments.path_argument,
        help="file or folder of other predictions, in the scheme of PREDICTIONS",
    )
    for option, whose in (("--labels", "the predictions"), ("--truth-labels", "the truth")):
        parser.add_argument(
            option,
            choices=[*READ_SCHEMES],
            help=f"label scheme of {whose}, if values and file names do not show it",
        )
    parser.add_argument(
        "--rules",
        choices=RULES,
        default=RULES[0],
        help="how lesions are matched: as BraTS 2023 does (default), or one to one, as BraTS does "
        "from 2024; the latter prints one table, with the resection cavity",
    )
    arguments.add_overwrite(parser)
    parser.set_defaults(run=run, reads_labels=True)


def run(options: argparse.Namespace) -> int:
    """Match and score the files, print the report, and write it if asked to."""
    from smalltumor.evaluation.report.figures import can_draw
    from smalltumor.evaluation.report.report_files import check_report, write_report
    from smalltumor.evaluation.report.text_report import report_text
    from smalltumor.evaluation.summaries.comparison import compare

    if options.rules != RULES[0]:
        return _challenge(options)
    if options.output is not None:
        check_report(options.output, overwrite=options.overwrite)
    evaluation = _evaluated(options, options.predictions)
    baseline = None if options.baseline is None else _evaluated(options, options.baseline)
    comparison = None if baseline is None else compare(evaluation, baseline)
    notes = _notes_on_masks(options, [case.name for case in evaluation.cases])
    evaluation = replace(evaluation, notes=[*evaluation.notes, *notes])
    print(report_text(evaluation, comparison))
    if options.output is not None:
        written = write_report(
            evaluation, options.output, comparison=comparison, overwrite=options.overwrite
        )
        print("\n".join(f"wrote {path}" for path in written))
        if not can_draw():
            show_warning(NO_FIGURES)
    for note in notes:
        show_warning(note)
    return 0


def _evaluated(options: argparse.Namespace, predictions: Path) -> Evaluation:
    from smalltumor.evaluation.evaluate import evaluate

    with ProgressBar() as progress:
        return evaluate(
            predictions,
            options.truth,
            labels=options.labels,
            truth_labels=options.truth_labels,
            progress=progress,
        )


def _notes_on_masks(options: argparse.Namespace, cases: Sequence[str]) -> list[str]:
    from smalltumor.cohort.outdated_masks import notes_on_outdated
    from smalltumor.cohort.seen_in_training import notes_on_training
    from smalltumor.evaluation.pairing import masks_of_cases

    notes = []
    for predictions, whose in ((options.predictions, ""), (options.baseline, "baseline: ")):
        if predictions is not None:
            masks = masks_of_cases(predictions, cases)
            found = (*notes_on_outdated(masks), *notes_on_training(masks))
            notes += [f"{whose}{note}" for note in found]
    return notes


def _challenge(options: argparse.Namespace) -> int:
    from smalltumor.evaluation.challenge import challenge_text, evaluate_challenge

    if options.output is not None:
        raise SmalltumorError("--rules brats2024 only prints its table; leave out --output")
    if options.baseline is not None:
        raise SmalltumorError("--rules brats2024 scores one set of masks; leave out --baseline")
    with ProgressBar() as progress:
        cases, notes = evaluate_challenge(
            options.predictions,
            options.truth,
            labels=options.labels,
            truth_labels=options.truth_labels,
            progress=progress,
        )
    print("\n".join([challenge_text(cases), *notes]))
    for note in _notes_on_masks(options, [*cases]):
        show_warning(note)
    return 0
