"""Arguments and steps that `prepare` and `segment` share for a scanner's images."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.cli.arguments import MODALITY_HELP, not_empty, path_argument
from smalltumor.cli.progress import ProgressBar
from smalltumor.errors import SmalltumorError
from smalltumor.text import list_text

if TYPE_CHECKING:
    from smalltumor.scanner.dicom.study_folder import StudyOfFile
    from smalltumor.scanner.prepared.prepared_case import PreparedCase
    from smalltumor.scanner.source import Source


_FOR_SCANS = (
    *("study", "patient", "brain_extraction", "brain_mask", "n4"),
    *("prepared", "grid"),
)


def add_arguments(group: argparse._ActionsContainer) -> None:
    """Add --study, --patient, --brain-extraction, --brain-mask and --n4."""
    group.add_argument(
        "--study",
        metavar="NUMBER|UID",
        type=not_empty,
        help="which study of the folder, by its number in prepare --list, its Study Instance UID "
        "or its session",
    )
    group.add_argument(
        "--patient",
        metavar="ID",
        type=not_empty,
        help="the patient, by the ID in the headers, or by the name if there is none; images of "
        "others are refused",
    )
    group.add_argument(
        "--brain-extraction",
        choices=("auto", "always", "never"),
        default="auto",
        help="auto (default) extracts the brain unless T1CE is skull-stripped",
    )
    group.add_argument(
        "--brain-mask",
        metavar="FILE",
        type=path_argument,
        help="the brain in T1CE as another tool found it, instead of an extraction",
    )
    group.add_argument("--n4", action="store_true", help="correct the bias field of each sequence")


def add_segment_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --raw and what goes with it."""
    group = parser.add_argument_group("a scanner's images (extra [raw])")
    group.add_argument(
        "--raw",
        action="store_true",
        help="register the sequences and extract the brain first, as `smalltumor prepare` does; "
        "a folder of DICOM files, or of folders named T1, T1CE, ..., needs no --raw",
    )
    add_arguments(group)
    group.add_argument(
        "--prepared",
        metavar="FOLDER",
        type=path_argument,
        help="also write the prepared case to this folder",
    )
    group.add_argument(
        "--grid",
        choices=tuple(MODALITY_HELP),
        default="t1ce",
        help="series on whose native grid the mask lies (default %(default)s)",
    )
    parser.set_defaults(unset={name: parser.get_default(name) for name in _FOR_SCANS})


@contextmanager
def unpacked_study(path: Path | None) -> Iterator[tuple[Path | None, StudyOfFile | None]]:
    """The path that the user gave, or the folder of the scan; and the study of a DICOM file.

    For a zip archive, that is a temporary folder with its files; for a DICOM file, the folder of
    its study, which may hold other studies. For all other paths there is no study.
    """
    from smalltumor.data.volumes.nifti import is_image_name
    from smalltumor.scanner.archive import is_archive, unpacked
    from smalltumor.scanner.dicom.study_folder import is_dicom_file, study_of_file

    if path is not None and not is_image_name(path) and is_dicom_file(path):
        study = study_of_file(path)
        with ProgressBar() as bar:
            bar.warn(f"{path.name} is one file of a scan; its study in {study.folder} is used")
        yield study.folder, study if study.uid else None
        return
    if path is None or not is_archive(path):
        yield path, None
        return
    with ExitStack() as stack:
        with ProgressBar() as bar:
            files = unpacked(path, lambda count: bar(0.0, f"unpacking: {count} files"))
            folder = stack.enter_context(files)
        yield folder, None


def are_raw(options: argparse.Namespace) -> bool:
    """Whether a case is to be prepared first.

    It is with --raw, or if it is a folder of DICOM files, or one whose subfolders are sequences.
    """
    from smalltumor.data.volumes.nifti import is_image_name
    from smalltumor.scanner.dicom.files import holds_dicom
    from smalltumor.scanner.sequence_folders import is_folder_of_sequences

    folder: Path | None = options.case
    if options.raw:
        return True
    if folder is None or not folder.is_dir():
        return False
    try:
        if any(map(is_image_name, folder.iterdir())):
            return False
        return holds_dicom(folder) or is_folder_of_sequences(folder)
    except OSError:  # reported when the case is read
        return False


def refuse_unused(options: argparse.Namespace) -> None:
    """Refuse options for a scanner's images if the case is segmented as it is.

    Raises
    ------
    SmalltumorError
    """
    given = [
        f"--{name.replace('_', '-')}"
        for name in _FOR_SCANS
        if getattr(options, name) != options.unset[name]
    ]
    if given:
        are = "is" if len(given) == 1 else "are"
        text = f"{list_text(given)} {are} for a scanner's images; pass --raw to prepare them"
        raise SmalltumorError(text)


def read_and_prepare(
    options: argparse.Namespace, bar: ProgressBar, check: Callable[[str, list[Path]], None]
) -> PreparedCase:
    """Prepare the case of `smalltumor segment`, and write it if the arguments say so.

    Parameters
    ----------
    options : argparse.Namespace
        With `case` and `of_file` as of `unpacked_study`.
    bar : ProgressBar
    check : callable
        Called with the name of the case and the source files before anything is computed.
    """
    from smalltumor.data.case import REFERENCE
    from smalltumor.scanner.dicom_seg import check_dicom_seg
    from smalltumor.scanner.prepared.lock import locked_preparation
    from smalltumor.scanner.prepared.output_checks import check_outside_scan, check_prepared
    from smalltumor.scanner.prepared.prepared_files import write_prepared

    if options.grid != REFERENCE and options.probabilities is not None:
        raise SmalltumorError("probabilities lie on the grid of T1CE; leave out --grid")
    if options.prepared is not None:
        check_outside_scan(options.prepared, options.case)
    source = find_source(options, options.case, options.of_file, bar)
    if options.prepared is not None:
        source = named_after(source, options.prepared)
    chosen = source.assignment.chosen
    if options.grid not in chosen:
        raise SmalltumorError(f"the case has no {options.grid}, whose grid --grid asks for")
    locations = [series.location for series in chosen.values()]
    check(source.name, [path for series in chosen.values() for path in series.files])
    if options.dicom_seg is not None:
        files = chosen[options.grid].files
        check_dicom_seg(options.dicom_seg, files, overwrite=options.overwrite)
    if options.prepared is None:
        return prepare_source(options, source, bar)
    names = options.prepared, source.name, chosen, locations
    check_prepared(*names, overwrite=options.overwrite)
    with locked_preparation(options.prepared):
        case = prepare_source(options, source, bar)
        write_prepared(case, options.prepared, overwrite=options.overwrite)
    return case


def find_source(
    options: argparse.Namespace,
    folder: Path | None,
    of_file: StudyOfFile | None,
    bar: ProgressBar,
) -> Source:
    """The series that the arguments name, of the study of a file if one was given."""
    from smalltumor.scanner.source import find_source as find
    from smalltumor.scanner.study_choice import StudyChoice

    given = {m: getattr(options, m) for m in MODALITY_HELP if getattr(options, m) is not None}
    return find(
        folder,
        given,
        study=StudyChoice(options.study or "", options.patient or "", of_file),
        allow_missing=options.allow_missing,
        on_file=lambda count: bar(0.0, f"reading headers: {count}"),
    )


def named_after(source: Source, folder: Path) -> Source:
    """A case with the name of the folder that it is written to."""
    from smalltumor.data.naming.file_names import folder_name

    return replace(source, name=folder_name(folder))


def prepare_source(options: argparse.Namespace, source: Source, bar: ProgressBar) -> PreparedCase:
    """Prepare the case, and print the warnings."""
    from smalltumor.data.volumes.volume_files import read_volume
    from smalltumor.scanner.preparation.prepare import prepare

    mask = None if options.brain_mask is None else read_volume(options.brain_mask)
    case = prepare(
        source,
        brain_extraction=options.brain_extraction,
        brain_mask=mask,
        bias_field=options.n4,
        progress=bar,
    )
    for warning in case.shown_warnings:
        bar.warn(warning)
    return case


def description(case: PreparedCase) -> str:
    """Of which patient the scan is, and what was done to each sequence, in lines for the user."""
    from smalltumor.data.naming.case_files import MODALITY_TITLES

    frames = (frame for sequence in case.sequences.values() for frame in sequence.frames)
    patients = sorted({frame.instance.patient for frame in frames} - {""})
    of_patient = f", of patient {list_text(patients)}" if patients else ""
    voxels = f"brain {case.brain_ml:.0f} ml, grid of T1CE: {case.grid.describe()}"
    lines = [f"{case.name}{of_patient}: {voxels}"]
    for modality, sequence in case.sequences.items():
        lines.append(f"  {MODALITY_TITLES[modality]:<5} {sequence.series}: {sequence.reason}")
        lines += [f"        {step.text}" for step in sequence.steps]
        if sequence.overlap is not None:
            lines.append(f"        overlap of its brain with that of T1CE: {sequence.overlap:.2f}")
    return "\n".join(lines)
