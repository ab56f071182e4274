"""The reference of the command line, from its parser."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from unittest import mock

from smalltumor.cli import COMMANDS, build_parser

INTRODUCTION = """\
# Command line

What `smalltumor COMMAND --help` prints. Exit codes: 0 success, 1 error, 2 error in the command
line, 130 interrupted. An error is one line on stderr that says what to do.
"""
NOT_FOR_USERS = {"train-request"}


def command_reference() -> str:
    """The page in Markdown: a section for each command, in the order of the help."""
    commands = ArgumentParser(prog="smalltumor").add_subparsers()
    for command in COMMANDS:
        command.add_parser(commands)
    with mock.patch.dict(os.environ, COLUMNS="92"):  # the width of the text
        sections = [_section("smalltumor", build_parser())] + [
            _section(name, parser)
            for name, parser in commands.choices.items()
            if name not in NOT_FOR_USERS
        ]
    return "\n".join([INTRODUCTION, *sections])


def _section(title: str, parser: ArgumentParser) -> str:
    parser.color = False  # Python 3.14 colours the help where it is printed on a terminal
    return f"## {title}\n\n```text\n{parser.format_help().rstrip()}\n```\n"
