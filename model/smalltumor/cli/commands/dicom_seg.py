"""`smalltumor dicom-seg`: write a label file as a DICOM SEG."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.cli import arguments, scanner_images
from smalltumor.cli.messages import show_warning
from smalltumor.labels.schemes import READ_SCHEMES

if TYPE_CHECKING:
    from smalltumor.scanner.dicom.study_folder import StudyOfFile
    from smalltumor.scanner.series import Series

DESCRIPTION = """\
Write a label file, such as a corrected one, as a DICOM SEG that refers to the DICOM series with the
voxels of the mask. If there are several such series, the one whose images the mask records is used,
or of one study T1CE; if there are several patients or studies, name the folder of one. Needs the
extra [raw].
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "dicom-seg", help="write a label file as a DICOM SEG", description=DESCRIPTION
    )
    parser.add_argument(
        "segmentation", metavar="SEG.nii.gz", type=arguments.path_argument, help="label file"
    )
    parser.add_argument(
        "study",
        metavar="STUDY",
        type=arguments.path_argument,
        help="folder or zip archive of the DICOM study, or the folder of the series",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT.dcm",
        type=arguments.path_argument,
        required=True,
        help="file to write",
    )
    parser.add_argument(
        "--labels",
        choices=READ_SCHEMES,
        help="label scheme of the file, if its values and name do not show it",
    )
    parser.add_argument(
        "--other-images",
        action="store_true",
        help="also if the mask records other images than the series holds, such as corrected ones",
    )
    arguments.add_overwrite(parser)
    parser.set_defaults(run=run, reads_labels=True)


def run(options: argparse.Namespace) -> int:
    """Find the series of the mask and write the DICOM SEG."""
    with scanner_images.unpacked_study(options.study) as (study, of_file):
        series = _write(options, study or options.study, of_file)
    print(f"refers to {series.title} of {series.study_title}: {series.describe_voxels()}")
    print(f"wrote {options.output}")
    return 0


def _write(options: argparse.Namespace, study: Path, of_file: StudyOfFile | None) -> Series:
    from smalltumor.data.identity.image_digests import recorded_images
    from smalltumor.data.made_by import recorded_made_by
    from smalltumor.data.masks.label_files import decode_labels, read_label_volume
    from smalltumor.data.naming.find_cases import label_scheme_hint
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.data.volumes.header_checks import header_warnings
    from smalltumor.scanner.dicom_seg import (
        unrecorded_images_warnings,
        write_dicom_seg_of_study,
    )

    path = options.segmentation
    volume = read_label_volume(path)
    classes, found = decode_labels(volume, options.labels, label_scheme_hint(path))
    for warning in filter(None, [found.contradiction, *header_warnings([volume])]):
        show_warning(warning)
    mask = Segmentation(
        path.name,
        classes,
        volume.grid,
        sources=(path,),
        made_of=recorded_images(volume),
        made_by=recorded_made_by(volume),
    )
    referenced = write_dicom_seg_of_study(
        mask,
        study,
        options.output,
        of_file=of_file,
        other_images=options.other_images,
        overwrite=options.overwrite,
    )
    for warning in unrecorded_images_warnings(mask, referenced):
        show_warning(warning)
    return referenced.series
