"""`smalltumor average`: the mean of the weights of several networks."""

from __future__ import annotations

import argparse

from smalltumor.cli import arguments

DESCRIPTION = """\
Write the mean of the weights of several networks that started from the same weights, such as runs
of one recipe with other seeds. It segments as fast as one of them.
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "average", help="mean of the weights of several networks", description=DESCRIPTION
    )
    parser.add_argument(
        "networks",
        metavar="F",
        nargs="+",
        type=arguments.path_argument,
        help="weights files, such as runs/a/final.safetensors",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT.safetensors",
        type=arguments.path_argument,
        required=True,
        help="weights file to write",
    )
    parser.add_argument(
        "--card",
        metavar="F.json",
        type=arguments.path_argument,
        help="further facts for the model card",
    )
    arguments.add_overwrite(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read, average and write the weights."""
    from smalltumor.files.atomic import check_output
    from smalltumor.models.averaging import average
    from smalltumor.models.card import read_facts
    from smalltumor.models.checkpoint import load_checkpoint, save_checkpoint

    check_output(options.output, overwrite=options.overwrite, sources=options.networks)
    networks = [load_checkpoint(path) for path in options.networks]
    mean = average(networks)
    card = mean.card | (read_facts(options.card) if options.card else {})
    save_checkpoint(
        options.output, mean.network, mean.preprocessing, card, overwrite=options.overwrite
    )
    print(f"wrote {options.output}")
    return 0
