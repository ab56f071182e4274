"""`smalltumor demo`: the sample case in napari, segmented."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from smalltumor.cli import arguments

DESCRIPTION = """\
Open napari with the sample case, segmented, its lesions listed. Without a display it does the
same on a virtual one (Xvfb) and leaves screenshots, mask and table in a folder.
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "demo", help="open the sample case in napari", description=DESCRIPTION
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FOLDER",
        type=arguments.path_argument,
        default=Path("smalltumor-demo"),
        help="where mask, table and screenshots go (default smalltumor-demo)",
    )
    parser.add_argument(
        "--screenshot", action="store_true", help="leave the pictures and close, as in a script"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Start the plugin's demo in a process of its own: the science does not import the screen."""
    from smalltumor.files.atomic import check_output_folder

    check_output_folder(options.output)
    command = [sys.executable, "-m", "napari_smalltumor.demo", "--output", str(options.output)]
    return subprocess.run(command + ["--screenshot"] * options.screenshot, check=False).returncode
