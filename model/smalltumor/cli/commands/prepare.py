"""`smalltumor prepare`: make a case of a scanner's images."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.cli import arguments, scanner_images
from smalltumor.cli.progress import ProgressBar
from smalltumor.errors import SmalltumorError

if TYPE_CHECKING:
    from smalltumor.scanner.dicom.study_folder import StudyOfFile
    from smalltumor.scanner.studies import Study

DESCRIPTION = """\
Make a case of a scanner's images: recognise T1, T1CE, T2 and FLAIR, register them to T1CE, extract
the brain, and write the images to the folder OUT with the brain mask, the transforms and a record
of the steps. Steps that the images do not need are left out. Needs the extra [raw].
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "prepare", help="make a case of a scanner's images", description=DESCRIPTION
    )
    parser.add_argument(
        "source",
        metavar="IN",
        nargs="?",
        type=arguments.path_argument,
        help="folder or zip archive of DICOM files or volumes, searched with its subfolders; not "
        "needed if files are named one by one",
    )
    parser.add_argument(
        "output", metavar="OUT", nargs="?", type=arguments.path_argument, help="folder of the case"
    )
    parser.add_argument(
        "--list", action="store_true", help="only show the series of IN, and why each was chosen"
    )
    group = parser.add_argument_group("series, instead of those that are chosen")
    for modality, text in arguments.MODALITY_HELP.items():
        group.add_argument(
            f"--{modality}",
            metavar="SERIES",
            type=arguments.path_argument,
            help=f"{text}: a number of --list, a volume file, or a DICOM series by folder or file",
        )
    group = parser.add_argument_group("steps")
    scanner_images.add_arguments(group)
    group.add_argument(
        "--allow-missing",
        action="store_true",
        help="make a case without T1, T2 or FLAIR",
    )
    arguments.add_overwrite(group)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prepare the case, or list the series."""
    source, output = _folders(options)
    if output is None and not options.list:
        raise SmalltumorError("the folder to write is missing: smalltumor prepare IN OUT")
    with scanner_images.unpacked_study(source) as (folder, of_file):
        if options.list or output is None:
            return _list(folder)
        return _prepare(options, folder, of_file, output)


def _folders(options: argparse.Namespace) -> tuple[Path | None, Path | None]:
    """IN and OUT; the only path is OUT if the series are named one by one."""
    named = any(getattr(options, modality) for modality in arguments.MODALITY_HELP)
    if options.output is None and named and not options.list:
        return None, options.source
    return options.source, options.output


def _prepare(
    options: argparse.Namespace, folder: Path | None, of_file: StudyOfFile | None, output: Path
) -> int:
    from smalltumor.scanner.prepared.lock import locked_preparation
    from smalltumor.scanner.prepared.output_checks import check_outside_scan, check_prepared
    from smalltumor.scanner.prepared.prepared_files import write_prepared

    check_outside_scan(output, folder)
    with ProgressBar() as bar:
        source = scanner_images.find_source(options, folder, of_file, bar)
        source = scanner_images.named_after(source, output)
        chosen = source.assignment.chosen
        locations = [series.location for series in chosen.values()]
        check_prepared(output, source.name, chosen, locations, overwrite=options.overwrite)
        with locked_preparation(output):
            case = scanner_images.prepare_source(options, source, bar)
            written = write_prepared(case, output, overwrite=options.overwrite)
    print(scanner_images.description(case))
    for path in written:
        print(f"wrote {path}")
    return 0


def _list(folder: Path | None) -> int:
    from smalltumor.scanner.studies import find_studies

    if folder is None:
        raise SmalltumorError("the folder to list is missing: smalltumor prepare IN --list")
    with ProgressBar() as bar:
        content = find_studies(folder, lambda count: bar(0.0, f"reading headers: {count}"))
        for warning in content.warnings:
            bar.warn(str(warning))
    for number, study in enumerate(content.studies, start=1):
        print("\n".join(study_lines(number, study)))
    return 0


def study_lines(number: int, study: Study) -> list[str]:
    """The series of a study with their sequences and the reasons, in lines for the user."""
    from smalltumor.data.naming.case_files import MODALITY_TITLES
    from smalltumor.scanner.sequences.selection import assign

    assignment = assign(study.series)
    lines = [f"study {number}: {study.title}"]
    if any(series.study_uid == study.study for series in study.series):
        lines.append(f"       Study Instance UID {study.study}")
    for index, described in enumerate(assignment.described(), start=1):
        title = MODALITY_TITLES[described.modality] if described.modality else "-"
        lines.append(f"  {index:>3}  {title:<5}  {described.series.title}")
        lines.append(f"              {described.series.describe_voxels()}; {described.reason}")
    lines += [f"  note: {sentence}" for sentence in (*study.notes, *assignment.contrast_warnings)]
    lines += [f"  not decided: {sentence}" for sentence in assignment.undecided]
    return lines
