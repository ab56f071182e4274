"""`smalltumor export-model`: the network for other programs."""

from __future__ import annotations

import argparse
from dataclasses import replace

from smalltumor.cli import arguments
from smalltumor.cli.messages import show_warning

DESCRIPTION = """\
Write the network of a weights file for another program: a file in the format ONNX, or the folder of
a MONAI bundle. Both compute in float32 what `smalltumor segment` computes. A file in the format
ONNX expects prepared images; the bundle prepares them with this package.
"""

EPILOG = """\
examples:
  smalltumor export-model smalltumor.onnx --format onnx
  smalltumor export-model bundle --format monai --weights runs/mine/best.safetensors --without-names
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "export-model",
        help="write the network as ONNX or as a MONAI bundle",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "output", metavar="OUT", type=arguments.path_argument, help="file.onnx, or a new folder"
    )
    parser.add_argument("--format", choices=("onnx", "monai"), required=True, help="what to write")
    parser.add_argument(
        "--weights",
        metavar="FILE",
        type=arguments.path_argument,
        help="weights file (default: the shipped ones)",
    )
    parser.add_argument(
        "--without-names",
        action="store_true",
        help="leave out the names of training cases, which the card has, from what is written",
    )
    arguments.add_overwrite(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read the weights and write the network."""
    from smalltumor.model_export import write_bundle, write_onnx
    from smalltumor.models.card import listed_names, without_names
    from smalltumor.models.checkpoint import load_checkpoint
    from smalltumor.text import pluralize

    checkpoint = load_checkpoint(options.weights)
    if options.without_names:
        # Of no file, whose card has the names, so that none is copied.
        checkpoint = replace(checkpoint, card=without_names(checkpoint.card), path=None)
    elif options.weights is not None and (names := listed_names(checkpoint.card)):
        show_warning(
            f"{options.output} has the names of {pluralize(len(names), 'training case')}; to give "
            "it to others without them, pass --without-names"
        )
    if options.format == "onnx":
        write_onnx(checkpoint, options.output, overwrite=options.overwrite)
    else:
        write_bundle(checkpoint, options.output)
    print(f"wrote {options.output}")
    return 0
