"""`smalltumor evaluate`: compare predicted label files with the truth."""

from __future__ import annotations

import argparse
import sys

from smalltumor.cli import arguments
from smalltumor.cli.progress import ProgressBar
from smalltumor.errors import SmalltumorError
from smalltumor.labels.schemes import READ_SCHEMES

DESCRIPTION = """\
Compare predicted label files with the truth: Dice, TPR, FPR and HD95 of enhancing tumour, tumour
core and whole tumour, scores of small enhancing tumours, and scores of each lesion.

Give two files, or two folders. Files in folders are matched by the name of their case
(CASE.nii.gz, CASE_seg.nii.gz, or a folder for each case). With MASK_candidates.nii.gz and
MASK_lesions.csv beside the masks, as `smalltumor cohort --candidates` writes them, the report has
the sensitivity for small lesions of masks and candidates.
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
        "dice_by_size.png to this folder (the figures need matplotlib), and froc.csv and froc.png "
        "if there are candidates",
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
    from smalltumor.evaluation.evaluate import evaluate
    from smalltumor.evaluation.figures import can_draw
    from smalltumor.evaluation.report import report_text
    from smalltumor.evaluation.report_files import check_report, write_report

    if options.rules != RULES[0]:
        return _challenge(options)
    if options.output is not None:
        check_report(options.output, overwrite=options.overwrite)
    with ProgressBar() as progress:
        evaluation = evaluate(
            options.predictions,
            options.truth,
            labels=options.labels,
            truth_labels=options.truth_labels,
            progress=progress,
        )
    print(report_text(evaluation))
    if options.output is not None:
        for path in write_report(evaluation, options.output, overwrite=options.overwrite):
            print(f"wrote {path}")
        if not can_draw():
            print(f"smalltumor: warning: {NO_FIGURES}", file=sys.stderr)
    return 0


def _challenge(options: argparse.Namespace) -> int:
    from smalltumor.evaluation.challenge import challenge_text, evaluate_challenge

    if options.output is not None:
        raise SmalltumorError("--rules brats2024 only prints its table; leave out --output")
    with ProgressBar() as progress:
        cases, notes = evaluate_challenge(
            options.predictions,
            options.truth,
            labels=options.labels,
            truth_labels=options.truth_labels,
            progress=progress,
        )
    print("\n".join([challenge_text(cases), *notes]))
    return 0
