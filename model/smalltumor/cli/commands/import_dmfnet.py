"""`smalltumor import-dmfnet`: convert published DMFNet weights."""

from __future__ import annotations

import argparse

from smalltumor.cli import arguments

DESCRIPTION = """\
Turn a published DMFNet checkpoint (.pth) into a weights file of this tool. Only its numbers are
read; code in the file is never run.
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "import-dmfnet", help="convert published DMFNet weights", description=DESCRIPTION
    )
    parser.add_argument(
        "source", metavar="IN.pth", type=arguments.path_argument, help="published checkpoint"
    )
    parser.add_argument(
        "output",
        metavar="OUT.safetensors",
        type=arguments.path_argument,
        help="weights file to write",
    )
    parser.add_argument(
        "--half",
        action="store_true",
        help="store convolutions in half precision (half the size, with rounded weights)",
    )
    arguments.add_overwrite(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read, convert and write the weights."""
    from smalltumor.files.atomic import check_output
    from smalltumor.models.checkpoint import save_checkpoint
    from smalltumor.models.dmfnet_import import import_dmfnet

    check_output(options.output, overwrite=options.overwrite, sources=[options.source])
    checkpoint = import_dmfnet(options.source)
    save_checkpoint(
        options.output,
        checkpoint.network,
        checkpoint.preprocessing,
        checkpoint.card,
        half=options.half,
        overwrite=options.overwrite,
    )
    print(f"wrote {options.output}")
    return 0
