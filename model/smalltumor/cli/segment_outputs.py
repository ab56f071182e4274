"""The files that `segment` writes: their arguments, checks before the computation, and writing."""

from __future__ import annotations

import argparse
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.cli import arguments, lesion_files
from smalltumor.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from smalltumor.cli.lesion_files import Lesions
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.scanner.prepared.prepared_case import PreparedCase


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the group of results."""
    group = parser.add_argument_group("results")
    group.add_argument(
        "-o",
        "--output",
        metavar="OUT.nii.gz",
        type=arguments.path_argument,
        required=True,
        help="label file to write",
    )
    arguments.add_scheme(group)
    group.add_argument(
        "--regions",
        action="store_true",
        help="also write the masks OUT_et, OUT_tc and OUT_wt (0 and 1)",
    )
    group.add_argument(
        "--lesions",
        metavar="FILE.csv",
        type=arguments.path_argument,
        help="table of the components of enhancing tumour, and of candidates for a second look",
    )
    group.add_argument(
        "--candidates",
        metavar="FILE.nii.gz",
        type=arguments.path_argument,
        help="label image of the candidates; a value is the id of a row of the table",
    )
    group.add_argument(
        "--probabilities",
        metavar="FILE.nii.gz",
        type=arguments.path_argument,
        help="class probabilities, 4D: background, necrosis, edema, enhancing",
    )
    group.add_argument(
        "--dicom-seg",
        metavar="FILE.dcm",
        type=arguments.path_argument,
        help="DICOM SEG that refers to the series of T1CE or --grid; CASE is a DICOM folder",
    )
    arguments.add_bids(group)
    group.add_argument(
        "--session",
        metavar="LABEL",
        type=arguments.session_argument,
        help="session of the case in the BIDS dataset, such as visit2 (default: what its name "
        "states)",
    )
    arguments.add_overwrite(group)


def check(options: argparse.Namespace, name: str, sources: list[Path]) -> None:
    """Check before the computation that its results can be written.

    Parameters
    ----------
    options : argparse.Namespace
    name : str
        Of the case.
    sources : list of Path
        Files of the case, which no result may replace.
    """
    from smalltumor.data.bids.checks import check_bids
    from smalltumor.data.masks.corrected_masks import check_not_corrected
    from smalltumor.data.masks.mask_paths import check_mask_path
    from smalltumor.files.transactions.recovery import check_outputs

    outputs = _outputs(options)
    check_outputs(outputs, overwrite=options.overwrite, sources=sources)
    masks = [options.output, *_regions(options)]
    for path in outputs:
        check_mask_path(path, name)
    if options.bids is not None:
        masks += check_bids(
            name,
            options.bids,
            authors=options.authors,
            session=options.session or "",
            overwrite=options.overwrite,
            sources=sources,
        )[:1]
    check_not_corrected(masks)
    for path, count in Counter(path.resolve() for path in outputs).items():
        if count > 1:
            raise OutputError(f"{path} is named for two results; give each its own name")


def _outputs(options: argparse.Namespace) -> list[Path]:
    """The masks and the table that are asked for, if their names end as they should."""
    from smalltumor.data.volumes.nifti import is_nifti_name

    outputs = [options.output, options.probabilities, options.candidates, *_regions(options)]
    outputs = [path for path in outputs if path is not None]
    for path in outputs:
        if not is_nifti_name(path):
            raise OutputError(f"{path}: the name of a mask ends in .nii.gz or .nii")
    if options.lesions is not None:
        arguments.check_table_name(options.lesions)
        outputs.append(options.lesions)
    return outputs


def _regions(options: argparse.Namespace) -> list[Path]:
    """The masks of single regions that are asked for."""
    from smalltumor.data.naming.export_names import region_paths

    return [*region_paths(options.output).values()] if options.regions else []


def write(
    segmentation: Segmentation,
    lesions: Lesions | None,
    prepared: PreparedCase | None,
    options: argparse.Namespace,
) -> list[Path]:
    """Write every file that was asked for, and return them.

    Mask, regions, probabilities, table and candidates replace those of another case together.
    """
    from smalltumor.data.bids.checks import check_no_mask_of_others
    from smalltumor.data.bids.write import write_bids
    from smalltumor.files.transactions.replacement import write_together
    from smalltumor.scanner.dicom_seg import write_dicom_seg

    overwrite = options.overwrite
    if options.bids is not None:  # before anything is written
        check_no_mask_of_others(segmentation, options.bids, options.session or "")
    written = write_together(_contents(segmentation, lesions, options), overwrite=overwrite)
    written.insert(0, written.pop())  # the mask is named first
    if options.bids is not None:
        written += write_bids(
            segmentation,
            options.bids,
            scheme=options.labels,
            authors=options.authors,
            session=options.session or "",
            overwrite=overwrite,
        )
    if prepared is not None and options.dicom_seg is not None:
        sequence, path = prepared.sequences[options.grid], options.dicom_seg
        write_dicom_seg(
            segmentation, sequence.files, path, frames=sequence.frames, overwrite=overwrite
        )
        written.append(path)
    return written


def _contents(
    segmentation: Segmentation, lesions: Lesions | None, options: argparse.Namespace
) -> dict[Path, Callable[[Path], object]]:
    """The files but for those of BIDS and DICOM, and functions that write them; the mask last."""
    from smalltumor.data.segmentation import (
        region_contents,
        write_probabilities,
        write_segmentation,
    )
    from smalltumor.lesions import case_cells

    folder = next((path.absolute().parent for path in segmentation.sources), None)
    of_case = case_cells(segmentation.name, folder)
    contents: dict[Path, Callable[[Path], object]] = {}
    if options.regions:
        contents |= region_contents(segmentation, options.output)
    if options.probabilities is not None:
        contents[options.probabilities] = partial(write_probabilities, segmentation)
    if lesions is not None and options.lesions is not None:
        contents[options.lesions] = partial(lesion_files.write_table, lesions, of_case)
    if lesions is not None and options.candidates is not None:
        contents[options.candidates] = partial(lesion_files.write_candidates, lesions, segmentation)
    contents[options.output] = partial(write_segmentation, segmentation, scheme=options.labels)
    return contents
