"""`smalltumor cohort`: segment the cases of a folder."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from smalltumor.cli import arguments
from smalltumor.cli.commands.cohort_report import write_report
from smalltumor.cli.messages import show_message, show_warning
from smalltumor.data.naming.cohort_names import PAGE
from smalltumor.extras import MissingPackageError
from smalltumor.labels.regions import Region
from smalltumor.text import list_text, volume_text

if TYPE_CHECKING:
    from smalltumor.cohort.parts import Part
    from smalltumor.cohort.results.rows import CohortRow
    from smalltumor.cohort.settings import CohortSettings
    from smalltumor.cohort.workers.workers import Workers
    from smalltumor.data.naming.case_files import CaseFiles
    from smalltumor.errors import Remedy
    from smalltumor.models.checkpoint import Checkpoint

DESCRIPTION = """\
Segment every case of a folder. For each case, DIR gets the mask CASE.nii.gz and the table
CASE_lesions.csv. The table cohort.csv lists volumes, components of enhancing tumour, small
components, and why a case failed; lesions.csv lists the lesions of all cases. Run the same command
again after an interruption: existing masks are kept, and missing results are added.
`smalltumor evaluate DIR TRUTH` scores the masks.
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "cohort",
        help="segment a folder of cases",
        description=DESCRIPTION,
        epilog=arguments.scheme_list(),
    )
    parser.add_argument(
        "data", metavar="DATA", type=arguments.path_argument, help="folder of cases"
    )
    _add_results(parser)
    parser.add_argument(
        "--part",
        metavar="I/N",
        type=_part,
        default="1/1",
        help="segment part I of N only, numbered from 1 to N; each part needs a DIR of its own",
    )
    _add_workers(parser)
    arguments.add_allow_missing(parser)
    arguments.add_network(parser)
    parser.set_defaults(run=run)


def _add_results(parser: argparse.ArgumentParser) -> None:
    results = parser.add_argument_group("results")
    results.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        type=arguments.path_argument,
        required=True,
        help="folder of the results",
    )
    arguments.add_scheme(results)
    results.add_argument(
        "--regions", action="store_true", help="also write the masks CASE_et, CASE_tc and CASE_wt"
    )
    results.add_argument(
        "--candidates",
        action="store_true",
        help="also write the candidates of the lesion tables as label images, CASE_candidates",
    )
    results.add_argument(
        "--parquet",
        action="store_true",
        help="also write the tables of all cases and lesions as Parquet (needs the extra [cohort])",
    )
    results.add_argument(
        "--report",
        action="store_true",
        help="also write a page of the cohort, cohort.html (needs the extra [report])",
    )
    arguments.add_bids(results)
    results.add_argument(
        "--overwrite", action="store_true", help="segment cases again whose masks exist"
    )


def _add_workers(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("several cases at a time (needs the extra [cohort])")
    where = group.add_mutually_exclusive_group()
    where.add_argument(
        "--workers",
        metavar="N",
        type=arguments.positive_integer,
        help="processes that share the cores of this machine, or its GPUs",
    )
    where.add_argument(
        "--scheduler", metavar="ADDRESS", help="use the workers of a Dask cluster, tcp://HOST:8786"
    )
    group.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=arguments.positive_number,
        help="give up a case that takes longer: its worker is ended",
    )


def _part(text: str) -> Part:
    from smalltumor.cohort.parts import Part

    try:
        return Part.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def run(options: argparse.Namespace) -> int:
    """Segment the cases and print a line for each; return 1 if one failed."""
    from smalltumor.cohort.cases import cohort_cases
    from smalltumor.cohort.cohort import segment_cohort
    from smalltumor.cohort.results.results_folder import TABLE
    from smalltumor.models.checkpoint import load_checkpoint
    from smalltumor.report.page_files import require_report
    from smalltumor.text import pluralize

    arguments.check_bids_options(options)
    if options.report:
        require_report()
    found = cohort_cases(options.data, options.output)
    cases = options.part.of(found)
    if not cases:
        print(f"part {options.part} has no case, because {options.data} has {len(found)}")
        return 0
    settings = _settings(options, options.part.cases_digest(found))
    failed: dict[str, CohortRow] = {}
    checkpoint = load_checkpoint(options.weights)
    elsewhere = sorted({files.name for files in found} - {files.name for files in cases})
    workers = _workers(options)
    rows = segment_cohort(
        cases,
        checkpoint,
        settings,
        workers,
        elsewhere=elsewhere,
        began=partial(_say_what_begins, len(cases), options, checkpoint, workers),
        warn=show_warning,
    )
    for number, row in enumerate(rows, 1):
        print(f"[{number:{len(str(len(cases)))}d}/{len(cases)}] {_line(row)}", flush=True)
        if row.outcome == "failed":
            failed[row.case] = row
    print(f"{pluralize(len(cases), 'case')}, {len(failed)} failed; research only")
    print(f"wrote {options.output / TABLE}")
    _write_page(options)
    _name_options([files for files in cases if files.name in failed], options, checkpoint)
    _name_preparation([row.remedy for row in failed.values()], options)
    return 1 if failed else 0


def _write_page(options: argparse.Namespace) -> None:
    """Write the page if it is asked for, or if one was there that other numbers are in."""
    from smalltumor.cohort.results.results import read_settings

    page = options.output / PAGE
    was_there = page.exists() or PAGE in read_settings(options.output).existing_summaries
    if not (options.report or was_there):
        return
    try:
        write_report(options.output, page)
    except MissingPackageError:
        if options.report:
            raise
        page.unlink(missing_ok=True)
        show_message(f"removed {PAGE} of an earlier run: a page needs the extra report")


def _settings(options: argparse.Namespace, cases_digest: str) -> CohortSettings:
    from smalltumor.cohort.settings import CohortSettings

    return CohortSettings(
        output=options.output,
        scheme=options.labels,
        regions=options.regions,
        device=options.device,
        backend=options.backend,
        flips=options.flips,
        overwrite=options.overwrite,
        allow_missing=options.allow_missing,
        bids=options.bids,
        authors=tuple(options.authors),
        candidates=options.candidates,
        parquet=options.parquet,
        data=options.data,
        part=options.part,
        cases_digest=cases_digest,
    )


def _workers(options: argparse.Namespace) -> Workers:
    from smalltumor.cohort.workers.workers import Workers

    return Workers(options.workers, options.scheduler, options.timeout, show_message)


def _name_options(
    failed: Sequence[CaseFiles], options: argparse.Namespace, checkpoint: Checkpoint
) -> None:
    """Say how those failed cases can be segmented that lack only T1, T2 or FLAIR."""
    from smalltumor.models.card import is_trained_with_modality_dropout

    lacking = sum(bool(c.problem()) and not c.problem(allow_missing=True) for c in failed)
    needed = []
    if not options.allow_missing:
        needed.append("pass --allow-missing")
    if not is_trained_with_modality_dropout(checkpoint.card):
        needed.append("choose weights trained with modality dropout with --weights")
    if lacking and needed:
        show_message(
            f"failed without T1, T2 or FLAIR: {lacking}; to segment these cases, "
            f"{list_text(needed)}"
        )


def _name_preparation(remedies: Sequence[Remedy | None], options: argparse.Namespace) -> None:
    """Say what to do about cases that failed because their images are not on one grid."""
    from smalltumor.cli.remedies import remedy_text
    from smalltumor.errors import Action

    apart = [remedy for remedy in remedies if remedy and remedy.action is Action.RESAMPLE]
    if apart:
        text = remedy_text(apart[0], options)
        show_message(f"failed with images on several grids: {len(apart)}; {text}")


def _say_what_begins(
    count: int,
    options: argparse.Namespace,
    checkpoint: Checkpoint,
    workers: Workers,
    segmented: int,
) -> None:
    """Print what the run does, minutes before its first case has ended."""
    from smalltumor.inference.devices import choose_device
    from smalltumor.text import pluralize

    if workers.scheduler is not None:
        where = f"on the workers of {workers.scheduler}"
    else:
        device = choose_device(options.device).device
        where = f"on {device} with {pluralize(workers.count or 1, 'worker')}"
    cases = pluralize(count, "case")
    print(
        f"{cases} of {options.data}, of which {segmented} to segment with the weights "
        f"{checkpoint.name}, {where}; results go to {options.output}",
        flush=True,
    )


def _line(row: CohortRow) -> str:
    if row.outcome == "failed":
        return f"{row.case}: failed: {row.note}"
    volumes = ", ".join(
        f"{region.upper()} {volume_text(getattr(row, f'{region}_ml'))} ml" for region in Region
    )
    time = "kept" if row.outcome == "kept" else f"{row.seconds:.1f} s"
    lesions = f"{row.et_components} enhancing, {row.et_small} small"
    return "; ".join(
        filter(None, (f"{row.case}: {volumes}", lesions, time, row.note, row.warnings))
    )
