"""`smalltumor prepare`: make a case of a scanner's images."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from smalltumor.cli import arguments
from smalltumor.cli.progress import ProgressBar

if TYPE_CHECKING:
    from smalltumor.scanner.studies import Study

DESCRIPTION = """\
Show which series of a DICOM or NIfTI folder are T1, T1CE, T2 and FLAIR, and why.
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "prepare", help="make a case of a scanner's images", description=DESCRIPTION
    )
    parser.add_argument(
        "source",
        metavar="IN",
        type=arguments.path_argument,
        help="folder of DICOM or NIfTI files, searched with its subfolders",
    )
    parser.add_argument(
        "--list", action="store_true", required=True, help="show what was found, and why"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """List the series."""
    from smalltumor.scanner.studies import find_studies

    with ProgressBar() as bar:
        content = find_studies(options.source, lambda count: bar(0.0, f"reading headers: {count}"))
        for warning in content.warnings:
            bar.warn(warning)
    for number, study in enumerate(content.studies, start=1):
        print("\n".join(study_lines(number, study)))
    return 0


def study_lines(number: int, study: Study) -> list[str]:
    """The series of a study with their sequences and the reasons, in lines for the user."""
    from smalltumor.data.case_files import MODALITY_TITLES
    from smalltumor.scanner.selection import assign

    assignment = assign(study.series)
    lines = [f"study {number}: {study.title}"]
    roles = {id(series): modality for modality, series in assignment.chosen.items()}
    for index, (series, found) in enumerate(assignment.classified, start=1):
        role = roles.get(id(series))
        title = MODALITY_TITLES[role] if role else "-"
        reason = assignment.reasons[role] if role else series.problem or found.reason
        if not role and not series.problem and found.sequence:
            reason = f"another {MODALITY_TITLES[found.sequence]}: {found.reason}"
        lines.append(f"  {index:>3}  {title:<5}  {series.title}")
        lines.append(f"              {series.describe_voxels()}; {reason}")
    lines += [f"  not decided: {sentence}" for sentence in assignment.undecided]
    return lines
