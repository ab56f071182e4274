"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.errors import OutputError, SmalltumorError
from smalltumor.labels.schemes import DEFAULT_SCHEME, SCHEMES

if TYPE_CHECKING:
    from smalltumor.data.case import Case

MODALITY_HELP = {
    "t1": "T1-weighted image",
    "t1ce": "contrast-enhanced T1-weighted image",
    "t2": "T2-weighted image",
    "flair": "FLAIR image",
}


def path_argument(text: str) -> Path:
    """Parse a path.

    Raises
    ------
    SmalltumorError
        If no file can have this name: it is empty, too long, or a link to itself.
    """
    if not text or "\0" in text:
        raise SmalltumorError("one of the paths is empty")
    path = Path(text)
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass  # the command decides whether it must exist
    except OSError as error:
        raise SmalltumorError(f"{text}: {error.strerror or error}") from error
    return path


def not_empty(text: str) -> str:
    """A text that holds something, unlike that of a shell variable that is not set.

    Raises
    ------
    argparse.ArgumentTypeError
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("the value is empty")
    return text


def positive_integer(text: str) -> int:
    """Parse a number of things, or a volume in mm3.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is not a whole number of at least 1.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def positive_number(text: str) -> float:
    """Parse a number above 0, such as a time.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is no number, not above 0 or not finite.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def add_case(parser: argparse.ArgumentParser) -> None:
    """Add CASE, and options for files of other names."""
    parser.add_argument(
        "case",
        metavar="CASE",
        nargs="?",
        type=path_argument,
        help="folder of a case, one of its files, or a 4D file (BraTS of any year, UPENN-GBM, "
        "UCSF-PDGM, Medical Segmentation Decathlon)",
    )
    group = parser.add_argument_group("files of any other name")
    for modality, text in MODALITY_HELP.items():
        group.add_argument(f"--{modality}", metavar="FILE", type=path_argument, help=text)
    group.add_argument(
        "--resample",
        action="store_true",
        help="resample modalities that are on another grid onto the grid of T1CE; only for images "
        "that are skull-stripped and registered",
    )
    group.add_argument(
        "--channels",
        metavar="ORDER",
        type=channels_argument,
        help="modalities of a 4D file, or of nnU-Net's CASE_0000 to CASE_0003, in order, such as "
        "flair,t1,t1ce,t2",
    )
    add_allow_missing(group)


def channels_argument(text: str) -> tuple[str, ...]:
    """Parse modalities that are separated by commas."""
    return tuple(name.strip() for name in text.split(","))


def add_allow_missing(parser: argparse._ActionsContainer) -> None:
    """Add --allow-missing."""
    parser.add_argument(
        "--allow-missing",
        action="store_true",
        help="segment cases that lack T1, T2 or FLAIR, less reliably; the weights must have been "
        "trained with modality dropout",
    )


def read(options: argparse.Namespace) -> Case:
    """Read the case that the arguments of `add_case` name."""
    from smalltumor.data.read_case import read_case

    return read_case(
        options.case,
        **{modality: getattr(options, modality) for modality in MODALITY_HELP},
        resample=options.resample,
        allow_missing=options.allow_missing,
        channels=options.channels,
    )


def add_network(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add --weights, --device, --backend and --flips."""
    group = parser.add_argument_group("network")
    group.add_argument(
        "--weights",
        metavar="FILE",
        type=path_argument,
        help="weights file (default: the shipped ones)",
    )
    add_device(group)
    group.add_argument(
        "--backend",
        default="auto",
        choices=("auto", "torch", "openvino"),
        help="auto (default) uses OpenVINO on a CPU if it is installed",
    )
    group.add_argument(
        "--flips",
        action="store_true",
        help="test-time augmentation: average over eight mirrored volumes, eight times as slow",
    )
    return group


def add_device(parser: argparse._ActionsContainer) -> None:
    """Add --device."""
    parser.add_argument(
        "--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:1, mps (default auto)"
    )


def add_scheme(parser: argparse._ActionsContainer) -> None:
    """Add --labels, the label scheme to write."""
    parser.add_argument(
        "--labels",
        default=DEFAULT_SCHEME,
        choices=SCHEMES,
        help=f"label scheme to write, see below (default {DEFAULT_SCHEME})",
    )


def check_table_name(path: Path) -> None:
    """Check that a table does not get the name of an image.

    Raises
    ------
    OutputError
        If the name ends in .nii or .nii.gz.
    """
    from smalltumor.data.volumes.nifti import is_nifti_name

    if is_nifti_name(path):
        raise OutputError(f"{path} is the name of an image; a table needs another, such as .csv")


def scheme_list() -> str:
    """Describe the label schemes, for the end of a help text."""
    schemes = (
        f"{scheme.name}: {scheme.ncr} necrosis, {scheme.ed} edema, {scheme.et} enhancing"
        for scheme in SCHEMES.values()
    )
    return "label schemes: " + "; ".join(schemes)


def add_bids(parser: argparse._ActionsContainer) -> None:
    """Add --bids and --authors."""
    parser.add_argument(
        "--bids",
        metavar="DIR",
        type=path_argument,
        help="also write the masks to a BIDS derivative dataset, such as derivatives/smalltumor",
    )
    parser.add_argument(
        "--authors",
        metavar="NAME",
        nargs="+",
        type=author_argument,
        default=(),
        help="authors of a new BIDS dataset, such as --authors 'A. Meier' 'B. Huber' (default: "
        "those of the BIDS dataset of the images)",
    )


def session_argument(text: str) -> str:
    """Parse the session of a case.

    Raises
    ------
    argparse.ArgumentTypeError
        If it has no letters or digits.
    """
    from smalltumor.data.identity.bids_labels import session_label

    if not (label := session_label(text)):
        raise argparse.ArgumentTypeError(f"{text!r} has no letters or digits")
    return label


def author_argument(text: str) -> str:
    """Parse the name of an author.

    Raises
    ------
    SmalltumorError
        If it has no letter.
    """
    name = " ".join(text.split())
    if not any(map(str.isalpha, name)):
        raise SmalltumorError(f"{text!r} is not the name of an author")
    return name


def check_bids_options(options: argparse.Namespace) -> None:
    """Check that there is a dataset for the authors of `add_bids`, and for a session.

    Raises
    ------
    SmalltumorError
        If there is none.
    """
    if options.bids is not None:
        return
    if options.authors:
        raise SmalltumorError("--authors are those of a BIDS dataset; name its folder with --bids")
    if getattr(options, "session", None):
        raise SmalltumorError("--session is that in a BIDS dataset; name its folder with --bids")


def add_overwrite(parser: argparse._ActionsContainer) -> None:
    """Add --overwrite."""
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace existing files; input images are never replaced",
    )


def add_report_files(parser: argparse._ActionsContainer, csv_help: str) -> None:
    """Add -o/--output for a page, --json and --csv."""
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=path_argument,
        help="page to write, ending in .html or .pdf",
    )
    parser.add_argument("--json", metavar="FILE", type=path_argument, help="every number")
    parser.add_argument("--csv", metavar="FILE", type=path_argument, help=csv_help)
