"""`smalltumor segment`: segment one case."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.cli import arguments, lesion_files, scanner_images, segment_outputs
from smalltumor.cli.finding_texts import finding_text
from smalltumor.cli.progress import ProgressBar
from smalltumor.errors import SmalltumorError
from smalltumor.labels.regions import REGION_NAMES, Region
from smalltumor.labels.small_lesions import SMALL_LESION_MM3, is_small
from smalltumor.text import volume_text

if TYPE_CHECKING:
    from smalltumor.cli.lesion_files import Lesions
    from smalltumor.data.case import Case
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.scanner.prepared.prepared_case import PreparedCase

DESCRIPTION = """\
Segment one case. The mask has the grid and the header of the T1CE image, so that other tools show
it in the right place.
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "segment", help="segment one case", description=DESCRIPTION, epilog=arguments.scheme_list()
    )
    arguments.add_case(parser)
    scanner_images.add_segment_arguments(parser)
    segment_outputs.add_arguments(parser)
    network = arguments.add_network(parser)
    network.add_argument(
        "--random-weights",
        action="store_true",
        help="use an untrained network to test the installation; its masks are meaningless",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Segment the case, write the results and print a summary."""
    arguments.check_bids_options(options)
    with scanner_images.unpacked_study(options.case) as (case, of_file):
        options.raw = options.raw or case != options.case
        options.case, options.of_file = case, of_file
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    from smalltumor.data.midsagittal_plane import midsagittal_plane
    from smalltumor.inference.backends.openvino_import import import_in_background
    from smalltumor.scanner.prepared.native_grid import on_native_grid

    import_in_background(options.device, options.backend)
    with ProgressBar() as bar:
        bar(0.0, "reading the case")
        case, prepared = _read(options, bar)
        segmentation = _segment(case, options, bar)
        lesions = plane = None
        if options.lesions is not None or options.candidates is not None:
            plane = midsagittal_plane(case)
            lesions = lesion_files.all_lesions(case, segmentation, plane, bar.warn)
    if prepared is not None:
        print(scanner_images.description(prepared))
        segmentation = on_native_grid(segmentation, prepared, options.grid)
        if lesions is not None:
            lesions = lesion_files.on_native_grid(
                lesions, segmentation, prepared, options.grid, plane
            )
    written = segment_outputs.write(segmentation, lesions, prepared, options)
    _print_summary(segmentation, lesions, written)
    return 0


def _read(options: argparse.Namespace, bar: ProgressBar) -> tuple[Case, PreparedCase | None]:
    """The case, and how it was prepared if it is of a scanner's images."""
    if scanner_images.are_raw(options):
        prepared = scanner_images.read_and_prepare(
            options, bar, partial(segment_outputs.check, options)
        )
        return prepared.to_case(), prepared
    scanner_images.refuse_unused(options)
    from smalltumor.data.identity.mask_images import check_not_beside_other_images

    if options.dicom_seg is not None:
        raise SmalltumorError("--dicom-seg refers to DICOM images; segment the folder of the study")
    case = arguments.read(options)
    segment_outputs.check(options, case.name, case.sources)
    check_not_beside_other_images(options.output, case)
    for warning in case.warnings:
        bar.warn(warning)
    return case, None


def _segment(case: Case, options: argparse.Namespace, bar: ProgressBar) -> Segmentation:
    """The network's segmentation; what is noticed meanwhile is warned of."""
    from smalltumor.inference import segment
    from smalltumor.models.checkpoint import load_checkpoint, random_checkpoint

    segmentation = segment(
        case,
        random_checkpoint() if options.random_weights else load_checkpoint(options.weights),
        device=options.device,
        backend=options.backend,
        flips=options.flips,
        progress=bar,
    )
    run = segmentation.run
    for finding in run.findings if run else ():
        bar.warn(f"{case.name}: {finding_text(finding)}")
    for warning in run.all_warnings if run else ():
        bar.warn(warning)
    return segmentation


def _print_summary(
    segmentation: Segmentation, lesions: Lesions | None, written: list[Path]
) -> None:
    print(summary(segmentation))
    if lesions is not None:
        print(lesion_files.summary(lesions[1]))
    for path in written:
        print(f"wrote {path}")


def summary(segmentation: Segmentation) -> str:
    """Summarise volumes, lesions and computing time in a few lines."""
    from smalltumor.data.naming.case_files import modality_titles
    from smalltumor.lesions import lesion_components

    lines = [segmentation.name]
    for region in Region:
        name = f"{REGION_NAMES[region]} ({region.upper()})"
        lines.append(f"  {name:<22} {volume_text(segmentation.volume_ml(region)):>9} ml")
    grid = segmentation.grid
    sizes = lesion_components(segmentation.mask(Region.ET), grid).sizes
    small = sum(is_small(size * grid.voxel_volume) for size in sizes)
    lines.append(
        f"  enhancing components   {len(sizes):9d}, {small} of them below {SMALL_LESION_MM3} mm3"
    )
    run = segmentation.run
    if run is not None:
        if missing := run.missing:
            lines.append(f"  segmented without {modality_titles(missing)}, less reliably")
        lines.append(
            f"  {run.seconds:.1f} s on {run.device}, {run.backend}, {run.weights}; research only"
        )
    return "\n".join(lines)
