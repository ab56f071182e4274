"""`smalltumor lesions`: list the lesions of a label file."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from smalltumor.cli import arguments
from smalltumor.cli.messages import show_message, show_warning
from smalltumor.errors import LabelError
from smalltumor.labels.regions import REGION_CLASSES, REGION_NAMES, Region
from smalltumor.labels.schemes import READ_SCHEMES
from smalltumor.labels.small_lesions import SMALL_LESION_MM3

if TYPE_CHECKING:
    from smalltumor.data.volumes.nifti import Volume
    from smalltumor.labels.masks import Classes, Mask

MASK = "mask"

DESCRIPTION = f"""\
List the connected components of a region, the largest last, with size and position. Components
below {SMALL_LESION_MM3} mm3 are marked as small (Ngo et al. 2020).
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "lesions", help="list the lesions of a segmentation", description=DESCRIPTION
    )
    parser.add_argument(
        "segmentation", metavar="SEG.nii.gz", type=arguments.path_argument, help="label file"
    )
    parser.add_argument(
        "--region", default="et", choices=[region.value for region in Region], help="default et"
    )
    parser.add_argument(
        "--threshold",
        type=arguments.positive_integer,
        default=SMALL_LESION_MM3,
        metavar="MM3",
        help=f"components below this volume in mm3 are small (default {SMALL_LESION_MM3})",
    )
    parser.add_argument(
        "--labels",
        choices=(*READ_SCHEMES, MASK),
        help="label scheme of the file, if its values and name do not show it; "
        "mask: every voxel that is not zero belongs to the region",
    )
    parser.add_argument(
        "--sort",
        default="voxels",
        metavar="COLUMN",
        help="order by a column of the CSV, ascending (default voxels)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE.csv",
        type=arguments.path_argument,
        help="also write a table",
    )
    arguments.add_overwrite(parser)
    parser.set_defaults(run=run, reads_labels=True, reads_masks=True)


def run(options: argparse.Namespace) -> int:
    """Find the lesions, print them, and write the table if asked to."""
    from smalltumor.data.made_by import recorded_made_by
    from smalltumor.data.masks.label_files import read_label_volume
    from smalltumor.data.volumes.header_checks import header_warnings
    from smalltumor.files.atomic import check_output
    from smalltumor.lesions import COLUMNS, find_lesions, table_text, write_csv

    if options.sort not in COLUMNS:
        show_message(f"--sort takes one of {', '.join(COLUMNS)}")
        return 2
    if options.output is not None:
        arguments.check_table_name(options.output)
        sources = [options.segmentation]
        check_output(options.output, overwrite=options.overwrite, sources=sources)
    volume = read_label_volume(options.segmentation)
    for warning in header_warnings([volume]):
        show_warning(warning)
    lesions = find_lesions(
        _classes(volume, options.labels, Region(options.region)),
        volume.grid,
        region=options.region,
        threshold=options.threshold,
        sort_by=options.sort,
    )
    print(table_text(lesions, options.threshold))
    made_by = recorded_made_by(volume)
    if made_by is not None:
        print(f"the mask was {made_by}")
    if options.output is not None:
        write_csv(lesions, options.output, overwrite=options.overwrite)
        print(f"wrote {options.output}")
    return 0


def _classes(volume: Volume, scheme: str | None, region: Region) -> Classes | Mask:
    """The tissue classes of a label volume that tells the region, or its mask."""
    import numpy as np

    from smalltumor.data.masks.label_files import decode_labels
    from smalltumor.data.naming.find_cases import label_scheme_hint
    from smalltumor.labels.missing_classes import missing_classes_text

    if scheme == MASK:
        inside: Mask = np.not_equal(volume.data, 0)
        return inside
    classes, found = decode_labels(volume, scheme, label_scheme_hint(volume.path))
    if found.contradiction:
        show_warning(found.contradiction)
    missing = missing_classes_text(found.scheme.known_classes, REGION_CLASSES[region])
    if missing:
        raise LabelError(
            f"{volume.path} has {missing} (label scheme {found.scheme.name}), so that its "
            f"{REGION_NAMES[region]} is not known"
        )
    return classes
