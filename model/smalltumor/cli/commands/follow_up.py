"""`smalltumor follow-up`: two or more scans of a patient, the current one against earlier ones."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.cli import arguments
from smalltumor.cli.commands import report
from smalltumor.cli.progress import ProgressBar
from smalltumor.errors import OutputError, SmalltumorError
from smalltumor.labels.schemes import READ_SCHEMES

if TYPE_CHECKING:
    from smalltumor.follow_up import FollowUp, Scan
    from smalltumor.report import ReportDetails

DESCRIPTION = """\
Compare scans of one patient, the earliest first. Each later scan is registered to the first;
lesions of the last two are matched as new, grown, merged, split, same, shrunk or gone, and RANO's
category follows from the measures. Needs the extra [raw]; a page also needs [report].
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "follow-up", help="compare a scan with earlier ones of the patient", description=DESCRIPTION
    )
    parser.add_argument(
        "cases",
        metavar="CASE",
        nargs="+",
        type=arguments.path_argument,
        help="folders of the cases with their masks: EARLIER CURRENT, or more in their order",
    )
    parser.add_argument(
        "--masks",
        metavar="MASK",
        nargs="+",
        type=arguments.path_argument,
        help="label file of each case, instead of the one in its folder",
    )
    arguments.add_report_files(parser, csv_help="table of the changes")
    group = parser.add_argument_group("what the files do not tell")
    group.add_argument("--scan-dates", metavar="DATE", nargs="+", help="date of each scan")
    group.add_argument("--model", metavar="NAME", default="", help="weights that made the masks")
    group.add_argument("--reviewer", metavar="NAME", default="", help="who reviewed the masks")
    report.add_other_images(parser)
    parser.add_argument(
        "--labels",
        choices=READ_SCHEMES,
        help="label scheme of the masks, if their values and names do not show it",
    )
    arguments.add_overwrite(parser)
    parser.set_defaults(run=run, reads_labels=True)


def run(options: argparse.Namespace) -> int:
    """Compare the scans, print what has changed, and write what was asked for."""
    from smalltumor.follow_up import compare_scans, scan_warnings

    _check_counts(options)
    check_outputs(options, [])
    with ProgressBar() as bar:
        bar(0.0, "reading the cases")
        scans = [_read_scan(options, number) for number in range(len(options.cases))]
        sources = [path for scan in scans for path in scan.case.sources]
        check_outputs(options, [*sources, *(options.masks or ())])
        for warning in scan_warnings(scans):
            bar.warn(warning)
        for case in (scan.case for scan in scans):
            for warning in case.warnings:
                bar.warn(f"{case.name}: {warning}")
        follow_up = compare_scans(scans, progress=bar)
        written = _write(options, follow_up)
    print("\n".join(summary(follow_up)))
    for path in written:
        print(f"wrote {path}")
    return 0


def summary(follow_up: FollowUp) -> list[str]:
    """What has changed in lines for the terminal; new lesions first."""
    from smalltumor.follow_up import BASIS
    from smalltumor.report.follow_up_page import change_rows, headline

    head = ("change", "earlier no.", "current no.", "earlier mm3", "current mm3", "±", "place")
    rows = [head] + [
        (r.change, r.earlier, r.current, r.earlier_volume, r.current_volume, r.relative, r.place)
        for r in change_rows(follow_up.changes)
    ]
    widths = [max(len(row[n]) for row in rows) for n in range(len(head))]
    table = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    response = follow_up.response
    return [
        headline(follow_up),
        *(f"  {line.rstrip()}" for line in table),
        f"RANO, from measurements only: {response.category}; {'; '.join(response.reasons)}",
        BASIS,
        f"similarity of the heads {follow_up.registrations[-1].similarity:.2f}; research only",
    ]


def check_outputs(options: argparse.Namespace, sources: Sequence[Path]) -> None:
    """Check before the comparison that every file can be written; none needs to be named."""
    if any((options.output, options.json, options.csv)):
        report.check_outputs(options, list(sources))


def _check_counts(options: argparse.Namespace) -> None:
    from smalltumor.data.scan_dates import problem_of_dates

    count = len(options.cases)
    if count < 2:
        raise SmalltumorError(
            "a comparison needs two cases or more: smalltumor follow-up EARLIER CURRENT"
        )
    for values, name in ((options.masks, "--masks"), (options.scan_dates, "--scan-dates")):
        if values is not None and len(values) != count:
            raise OutputError(f"{name} has {len(values)} values for {count} cases")
    problem = problem_of_dates(options.scan_dates or ())
    if problem is not None:
        raise OutputError(f"--scan-dates: {problem}")


def _read_scan(options: argparse.Namespace, number: int) -> Scan:
    from smalltumor.data.masks.case_mask import mask_beside, read_mask
    from smalltumor.data.read_case import read_case
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.follow_up import Scan
    from smalltumor.measures import measure_case

    case = read_case(options.cases[number], allow_missing=True)
    if options.masks is None:
        mask = mask_beside(case, options.labels)
    else:
        mask = read_mask(options.masks[number], case, options.labels)
    report.check_made_of_case(mask, options)
    case.warnings.extend(
        filter(None, (*mask.warnings, report.other_model_text(mask, options.model)))
    )
    segmentation = Segmentation(case.name, mask.classes, case.grid, known=tuple(mask.known))
    return Scan(
        case=case,
        classes=mask.classes,
        measures=measure_case(case, segmentation),
        date=options.scan_dates[number] if options.scan_dates else "",
        mask=mask.origin,
        is_from_this_program=mask.is_exported,
        made_by=mask.made_by,
    )


def _write(options: argparse.Namespace, follow_up: FollowUp) -> list[Path]:
    from smalltumor.files.transactions.replacement import write_together
    from smalltumor.report import write_page
    from smalltumor.report.follow_up_files import write_changes, write_follow_up_json
    from smalltumor.report.follow_up_page import follow_up_page

    details = _details(options, follow_up)
    contents: dict[Path, Callable[[Path], object]] = {}
    if options.output is not None:
        contents[options.output] = partial(write_page, follow_up_page(follow_up, details))
    if options.json is not None:
        contents[options.json] = partial(write_follow_up_json, follow_up, details)
    if options.csv is not None:
        contents[options.csv] = partial(write_changes, follow_up, details)
    return write_together(contents, overwrite=options.overwrite)


def _details(options: argparse.Namespace, follow_up: FollowUp) -> ReportDetails:
    from smalltumor.follow_up import patients_text, scan_warnings
    from smalltumor.report import ReportDetails, image_warnings_of_scans

    return ReportDetails(
        patient=patients_text(follow_up.scans),
        model=options.model,
        reviewer=options.reviewer,
        warnings=(
            *scan_warnings(follow_up.scans),
            *image_warnings_of_scans(follow_up, model=options.model),
        ),
    )
