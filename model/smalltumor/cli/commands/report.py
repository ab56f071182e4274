"""`smalltumor report`: measures of a case and its mask, as a page and as files."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.cli import arguments
from smalltumor.cli.progress import ProgressBar
from smalltumor.errors import Action, CaseError, OutputError, Remedy
from smalltumor.labels.schemes import READ_SCHEMES

if TYPE_CHECKING:
    from smalltumor.data.case import Case
    from smalltumor.data.masks.case_mask import CaseMask
    from smalltumor.measures import CaseMeasures
    from smalltumor.report import ReportDetails

DESCRIPTION = """\
Measure a mask of a case for a tumour board (volumes, diameters and sums of RANO, small lesions),
and write a page, HTML or PDF by its ending, or the numbers. A page needs the extra [report].
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "report", help="page and numbers of a case for a tumour board", description=DESCRIPTION
    )
    parser.add_argument(
        "case", metavar="CASE", type=arguments.path_argument, help="folder of a case"
    )
    parser.add_argument(
        "segmentation", metavar="MASK.nii.gz", type=arguments.path_argument, help="label file"
    )
    arguments.add_report_files(
        parser, csv_help="one flat row, with names that REDCap takes for its fields"
    )
    _add_details(parser)
    add_other_images(parser)
    parser.add_argument(
        "--labels",
        choices=READ_SCHEMES,
        help="label scheme of the mask, if its values and name do not show it",
    )
    arguments.add_overwrite(parser)
    parser.set_defaults(run=run, reads_labels=True)


def add_other_images(parser: argparse.ArgumentParser) -> None:
    """Add the option that accepts masks which `check_made_of_case` refuses."""
    parser.add_argument(
        "--other-images",
        action="store_true",
        help="accept masks that record other images, such as these before they were prepared again",
    )


def check_made_of_case(mask: CaseMask, options: argparse.Namespace) -> None:
    """Check that a mask does not record other images than those of its case.

    Raises
    ------
    CaseError
        If it does, and ``--other-images`` was not passed.
    """
    if mask.other_images and not options.other_images:
        text = f"{mask.other_images}. They may also be these images before they were prepared again"
        raise CaseError(text, Remedy(Action.CONFIRM_IMAGES))


def _add_details(parser: argparse.ArgumentParser) -> None:
    """Add what a page says of the origin of a mask."""
    group = parser.add_argument_group("what the files do not tell")
    group.add_argument("--scan-date", metavar="DATE", default="", help="date of the scan")
    group.add_argument("--model", metavar="NAME", default="", help="weights that made the mask")
    group.add_argument("--reviewer", metavar="NAME", default="", help="who reviewed the mask")


def run(options: argparse.Namespace) -> int:
    """Measure the case and write what was asked for."""
    from smalltumor.data.masks.case_mask import read_mask
    from smalltumor.data.read_case import read_case
    from smalltumor.data.scan_dates import problem_of_dates
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.measures import measure_case

    check_outputs(options, [options.segmentation])
    problem = problem_of_dates([options.scan_date])
    if problem is not None:
        raise OutputError(f"--scan-date: {problem}")
    with ProgressBar() as bar:
        bar(0.0, "reading the case")
        case = read_case(options.case, allow_missing=True)
        mask = read_mask(options.segmentation, case, options.labels)
        check_made_of_case(mask, options)
        check_outputs(options, [*case.sources, options.segmentation])
        for warning in filter(None, (*mask.warnings, other_model_text(mask, options.model))):
            case.warnings.append(warning)
            bar.warn(warning)
        bar(0.3, "measuring")
        segmentation = Segmentation(case.name, mask.classes, case.grid, known=tuple(mask.known))
        measures = measure_case(case, segmentation)
        bar(0.6, "writing")
        written = _write(options, case, mask, measures)
    for path in written:
        print(f"wrote {path}")
    return 0


def _details(options: argparse.Namespace, case: Case, mask: CaseMask) -> ReportDetails:
    from smalltumor.data.identity.patients import patient_of
    from smalltumor.report import ReportDetails, image_warnings
    from smalltumor.scanner.prepared.preparation_text import preparation_text

    return ReportDetails(
        patient=patient_of(case.name),
        scan_date=options.scan_date,
        mask=mask.origin,
        model=options.model or recorded_model(mask),
        reviewer=options.reviewer,
        warnings=image_warnings(case, of_network=bool(options.model or recorded_model(mask))),
        made_by=mask.made_by,
        images=preparation_text(case),
    )


def recorded_model(mask: CaseMask) -> str:
    """The weights that the file of a mask records; empty if it records none."""
    return "" if mask.made_by is None else mask.made_by.model


def other_model_text(mask: CaseMask, model: str) -> str:
    """A warning if ``--model`` is not what the file of a mask records; else empty."""
    made_by = mask.made_by
    if not model or made_by is None or not made_by.weights:
        return ""
    if model == made_by.weights or model.startswith(f"{made_by.weights} "):
        return ""
    return f"--model says {model}, but {mask.paths[0].name} records that it was {made_by}"


def _write(
    options: argparse.Namespace,
    case: Case,
    mask: CaseMask,
    measures: CaseMeasures,
) -> list[Path]:
    from smalltumor.files.transactions.replacement import write_together
    from smalltumor.report import case_page, redcap_row, write_json, write_page, write_redcap

    details = _details(options, case, mask)
    contents: dict[Path, Callable[[Path], object]] = {}
    if options.output is not None:
        page = case_page(case, mask.classes, measures, details)
        contents[options.output] = partial(write_page, page)
    if options.json is not None:
        contents[options.json] = partial(write_json, measures, details)
    if options.csv is not None:
        contents[options.csv] = partial(write_redcap, [redcap_row(measures, details)])
    return write_together(contents, overwrite=options.overwrite)


def check_outputs(options: argparse.Namespace, sources: list[Path]) -> None:
    """Check before the measures that every file can be written."""
    from smalltumor.files.atomic import check_output
    from smalltumor.report import check_page

    outputs = [p for p in (options.output, options.json, options.csv) if p is not None]
    if not outputs:
        raise OutputError("no output is named: give -o FILE, --json FILE or --csv FILE")
    if options.output is not None:
        check_page(options.output, overwrite=options.overwrite, sources=sources)
    for path in (options.json, options.csv):
        if path is not None:
            arguments.check_table_name(path)
            check_output(path, overwrite=options.overwrite, sources=sources)
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise OutputError("one file is named for two results; give each its own name")
