"""`smalltumor folds`: scores of cases that the network was not trained on, with intervals."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.cli import arguments
from smalltumor.cli.progress import ProgressBar

if TYPE_CHECKING:
    from smalltumor.evaluation.report.out_of_fold_report import Results
    from smalltumor.training.cross_validation.results import ScoringSettings

REPORT, NUMBERS, CASES, BASELINE_CASES = (
    *("report.txt", "scores.json", "out_of_fold.csv", "baseline.csv"),
)

DESCRIPTION = """\
Print the out-of-fold table: the scores of every validation case, segmented by a network that was
not trained on it, with bootstrap 95 % intervals over patients. Cases that have not been scored yet
are segmented, with the weights at the end of each run.

RESULTS are the folder of a cross-validation (`smalltumor train DATA --run RUN --folds K`), run
folders with validation cases, tables that an earlier call has written, or folders written by
`smalltumor evaluate -o`.
"""

EPILOG = """\
examples:
  smalltumor folds runs/recipe
  smalltumor folds runs/recipe --baseline runs/other
  smalltumor folds runs/fold-a runs/fold-b --baseline weights.safetensors -o report
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "folds",
        help="scores over the folds of a cross-validation, and paired differences",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "results", metavar="RESULTS", nargs="+", type=arguments.path_argument, help="see above"
    )
    parser.add_argument(
        "--baseline",
        metavar="OTHER",
        nargs="+",
        type=arguments.path_argument,
        help="compare with these results, or with a weights file on the same cases",
    )
    parser.add_argument(
        "--unfinished",
        action="store_true",
        help="also score runs that are not done, with the weights saved last",
    )
    parser.add_argument(
        "--flips",
        action="store_true",
        help="segment with test-time augmentation, eight times as slow; kept in tables of its own",
    )
    parser.add_argument(
        "--data",
        metavar="DIR",
        type=arguments.path_argument,
        help="folder of the cases, if they were moved, or if the runs were trained on a pack",
    )
    arguments.add_device(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        type=arguments.path_argument,
        help=f"also write {REPORT}, {NUMBERS}, {CASES} and, with --baseline, {BASELINE_CASES}",
    )
    arguments.add_overwrite(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Score what has not been scored, print the report, and write it if asked to."""
    from smalltumor.evaluation.report.estimate_text import INTERVAL
    from smalltumor.evaluation.report.out_of_fold_report import comparison_text, results_text
    from smalltumor.inference.devices import choose_device
    from smalltumor.training.cross_validation.results import ScoringSettings, read_results

    if options.output is not None:
        _check_output(options)
    choose_device(options.device)
    with ProgressBar() as progress:
        settings = ScoringSettings(
            options.device,
            options.unfinished,
            options.flips,
            options.data,
            progress=progress,
            warn=progress.warn,
        )
        results = read_results(options.results, settings)
        other = _baseline(options, settings)
    parts = [results_text(results)]
    if other is not None:
        parts += [results_text(other), comparison_text(results, other)]
    text = "\n\n".join([*parts, INTERVAL])
    print(text)
    if options.output is not None:
        for path in _write(text, results, other, options):
            print(f"wrote {path}")
    return 0


def _baseline(options: argparse.Namespace, settings: ScoringSettings) -> Results | None:
    from smalltumor.training.cross_validation.results import (
        WEIGHTS_SUFFIX,
        read_results,
        weights_results,
    )

    if options.baseline is None:
        return None
    weights = [path for path in options.baseline if path.suffix == WEIGHTS_SUFFIX]
    if weights and len(options.baseline) == 1:
        return weights_results(weights[0], options.results, settings)
    return read_results(options.baseline, settings)


def _check_output(options: argparse.Namespace) -> None:
    from smalltumor.errors import OutputError
    from smalltumor.files.atomic import check_output, check_output_folder

    folder: Path = options.output
    check_output_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be created: {error.strerror or error}") from error
    for name in (REPORT, NUMBERS, CASES, BASELINE_CASES):
        check_output(folder / name, overwrite=options.overwrite)


def _write(
    text: str, results: Results, other: Results | None, options: argparse.Namespace
) -> list[Path]:
    from smalltumor.evaluation.report.out_of_fold_report import as_json
    from smalltumor.evaluation.summaries.case_rows import write_rows
    from smalltumor.files.atomic import write_text

    folder: Path = options.output
    numbers = json.dumps(as_json(results, other), indent=1, allow_nan=False) + "\n"
    write_text(folder / REPORT, text + "\n", overwrite=options.overwrite)
    write_text(folder / NUMBERS, numbers, overwrite=options.overwrite)
    write_rows(results.rows, folder / CASES)
    if other is None:
        return [folder / name for name in (REPORT, NUMBERS, CASES)]
    write_rows(other.rows, folder / BASELINE_CASES)
    return [folder / name for name in (REPORT, NUMBERS, CASES, BASELINE_CASES)]
