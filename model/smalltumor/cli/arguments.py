"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smalltumor.case import Case

MODALITY_HELP = {
    "t1": "T1-weighted image",
    "t1ce": "contrast-enhanced T1-weighted image",
    "t2": "T2-weighted image",
    "flair": "FLAIR image",
}


def add_case(parser: argparse.ArgumentParser) -> None:
    """CASE, or four files of any name."""
    parser.add_argument(
        "case",
        metavar="CASE",
        nargs="?",
        type=Path,
        help="folder of a case, one of its files, or a 4D file (BraTS of any year, UPENN-GBM, "
        "UCSF-PDGM, Medical Segmentation Decathlon)",
    )
    group = parser.add_argument_group("files of any other name")
    for modality, text in MODALITY_HELP.items():
        group.add_argument(f"--{modality}", metavar="FILE", type=Path, help=text)
    group.add_argument(
        "--resample",
        action="store_true",
        help="bring modalities on different grids onto T1CE's grid instead of refusing them",
    )


def read(options: argparse.Namespace) -> Case:
    """The case that `add_case`'s arguments name."""
    from smalltumor.case import read_case

    return read_case(
        options.case,
        **{modality: getattr(options, modality) for modality in MODALITY_HELP},
        resample=options.resample,
    )


def add_overwrite(parser: argparse._ActionsContainer) -> None:
    """--overwrite."""
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace files that exist; an image that was read never is",
    )
