"""`smalltumor cohort-report`: a page of the results of a cohort."""

from __future__ import annotations

import argparse
from pathlib import Path

from smalltumor.cli import arguments
from smalltumor.cli.progress import ProgressBar
from smalltumor.data.naming.cohort_names import PAGE
from smalltumor.errors import OutputError

_MAX_PICTURES = 48

DESCRIPTION = f"""\
Write one HTML page of the results of `smalltumor cohort`: volumes and sizes, pictures of the cases
that deserve a look first, what failed and why, and links to the masks. It is DIR/{PAGE}, which is
replaced, unless -o names another file. The page needs the extra [report].
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "cohort-report", help="page of the results of a cohort", description=DESCRIPTION
    )
    parser.add_argument(
        "results", metavar="DIR", type=arguments.path_argument, help="folder of the results"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=arguments.path_argument,
        help="page to write, ending in .html",
    )
    parser.add_argument(
        "--data",
        metavar="DATA",
        type=arguments.path_argument,
        help="folder of the cases, if it was moved since they were segmented",
    )
    parser.add_argument(
        "--pictures",
        metavar="N",
        type=_count,
        default=_MAX_PICTURES,
        help=f"cases with a picture, at most (default: {_MAX_PICTURES})",
    )
    arguments.add_overwrite(parser)
    parser.set_defaults(run=run)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Write the page."""
    from smalltumor.report.page_files import HTML_SUFFIXES, check_page

    path = options.results / PAGE if options.output is None else options.output
    overwrite = options.overwrite or options.output is None
    if options.output is not None:
        if path.suffix.lower() not in HTML_SUFFIXES:
            raise OutputError(f"{path}: the name of the page of a cohort ends in .html")
        check_page(path, overwrite=overwrite)
    write_report(options.results, path, options.data, options.pictures, overwrite=overwrite)
    return 0


def write_report(
    results: Path,
    path: Path,
    data: Path | None = None,
    pictures: int = _MAX_PICTURES,
    *,
    overwrite: bool = True,
) -> None:
    """Write the page of a folder of results, and say so."""
    from smalltumor.report.cohort_page import cohort_page
    from smalltumor.report.page_files import require_report, write_page

    require_report()
    with ProgressBar() as bar:
        page = cohort_page(results, path, data=data, most=pictures, progress=bar)
    write_page(page, path, overwrite=overwrite)
    print(f"wrote {path}")
