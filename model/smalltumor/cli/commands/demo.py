"""`smalltumor demo`: open and segment the sample case in napari."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from smalltumor.cli import arguments

DESCRIPTION = """\
Open the sample case in napari, segment it and list its lesions. Without a display, do the same
on a virtual display (Xvfb) and write screenshots, mask and lesion table to a folder.
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
        help="folder of mask, table and screenshots (default smalltumor-demo)",
    )
    parser.add_argument("--screenshot", action="store_true", help="write the screenshots and close")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Start the plugin's demo in another process: this package does not import the plugin."""
    from smalltumor.files.atomic import check_output_folder

    check_output_folder(options.output)
    command = [sys.executable, "-m", "napari_smalltumor.demo", "--output", str(options.output)]
    return subprocess.run(command + ["--screenshot"] * options.screenshot, check=False).returncode
