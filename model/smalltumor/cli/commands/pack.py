"""`smalltumor pack`: prepared cases in a few small files, to train on another machine."""

from __future__ import annotations

import argparse

from smalltumor.cli import arguments
from smalltumor.cli.progress import ProgressBar

DESCRIPTION = """\
Prepare cases with segmentations and write them to the folder PACK, which `smalltumor train` accepts
in the place of DATA: cropped to the brain, 8 bits a voxel, compressed, in parts below 64 MB.
"""

EPILOG = """\
examples:
  smalltumor pack BraTS2021 packs/brats
  smalltumor train packs/brats --run runs/first --preset starter
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "pack",
        help="prepare cases to train on another machine",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "data", metavar="DATA", type=arguments.path_argument, help="folder of cases with masks"
    )
    parser.add_argument(
        "output", metavar="PACK", type=arguments.path_argument, help="a new or empty folder"
    )
    parser.add_argument(
        "--weights",
        metavar="F",
        type=arguments.path_argument,
        help="prepare as this network needs its input",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prepare and write case by case."""
    from smalltumor.data.preprocessing import Preprocessing
    from smalltumor.models.checkpoint import load_checkpoint
    from smalltumor.training.data.dataset import labelled_cases, prepare_case
    from smalltumor.training.data.pack_writer import PackWriter
    from smalltumor.training.data.same_images import t1ce_digest

    preprocessing = Preprocessing()
    if options.weights:
        preprocessing = load_checkpoint(options.weights).preprocessing
    cases = labelled_cases(options.data)
    writer = PackWriter(options.output, preprocessing)
    for number, case in enumerate(cases, start=1):
        prepared = prepare_case(case, preprocessing)
        for warning in prepared.warnings:
            ProgressBar().warn(f"{case.name}: {warning}")
        writer.add(prepared, t1ce_digest(case))
        print(f"{number}/{len(cases)}  {case.name}", flush=True)
    parts = writer.close()
    megabytes = sum(part.stat().st_size for part in parts) / 1e6
    print(f"wrote {options.output} (cases: {len(cases)}, parts: {len(parts)}, {megabytes:.0f} MB)")
    return 0
