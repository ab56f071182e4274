"""`smalltumor evaluate`: predicted label files against the truth."""

from __future__ import annotations

import argparse
import sys

from smalltumor.cli import arguments
from smalltumor.cli.progress import ProgressBar
from smalltumor.labels.regions import SCHEME_VALUES

DESCRIPTION = """\
Score predicted label files against the truth: Dice, TPR, FPR and HD95 of enhancing tumour,
tumour core and whole tumour; small enhancing tumours by themselves; and lesion by lesion.

Give two files, or two folders whose files belong to the same cases by name (CASE.nii.gz,
CASE_seg.nii.gz, or a folder for each case).
"""

NO_FIGURES = (
    "the figures were left out, because matplotlib is not installed; install it with "
    '`pip install "napari-smalltumor[report]"`'
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "evaluate",
        help="score segmentations against the truth",
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
        "dice_by_size.png there",
    )
    for option, whose in (("--labels", "the predictions"), ("--truth-labels", "the truth")):
        parser.add_argument(
            option,
            choices=[*SCHEME_VALUES],
            help=f"label scheme of {whose}, where values and names do not tell",
        )
    arguments.add_overwrite(parser)
    parser.set_defaults(run=run, reads_labels=True)


def run(options: argparse.Namespace) -> int:
    """Match, score, print, and write the results if asked to."""
    from smalltumor.evaluation.evaluate import evaluate
    from smalltumor.evaluation.figures import can_draw
    from smalltumor.evaluation.report import report_text
    from smalltumor.evaluation.report_files import check_report, write_report

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
