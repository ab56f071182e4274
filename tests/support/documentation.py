"""Pages of the documentation and the blocks of code in them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "model/*.md", "sample_data/*.md", "tests/*.md")
    for path in ROOT.glob(pattern)
)
CODE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")

_ASSIGNMENT = re.compile(r"(\w+)=(.*)", re.DOTALL)
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")


class Block(NamedTuple):
    """A block of code, and the page that it is on."""

    page: Path
    language: str
    code: str


def blocks(*languages: str) -> list[Block]:
    """All blocks in one of these languages, in the order of the pages."""
    return [
        Block(page, language, code)
        for page in PAGES
        for language, code in CODE.findall(page.read_text(encoding="utf-8"))
        if language in languages
    ]


def name_of(page: Path) -> str:
    """The page as the name of a test."""
    return page.relative_to(ROOT).as_posix()


def shell_commands(code: str) -> list[list[str]]:
    """Words of each command of a shell block: lines joined, comments removed, variables replaced.

    A variable that the block does not set, such as the number of a job, becomes ``1``.
    """
    commands, variables = [], {}
    for line in _logical_lines(code):
        words = shlex.split(_VARIABLE.sub(lambda m: variables.get(m[1], "1"), line), comments=True)
        while words and (assignment := _ASSIGNMENT.fullmatch(words[0])):
            variables[assignment[1]] = assignment[2].replace("\n", " ")
            words = words[1:]
        if words:
            commands.append(words)
    return commands


def _logical_lines(code: str) -> list[str]:
    lines, pending = [], ""
    for line in code.replace("\\\n", " ").splitlines():
        pending += line + "\n"
        if _is_complete(pending):
            lines.append(pending)
            pending = ""
    return [*lines, *([pending] if pending else [])]


def _is_complete(text: str) -> bool:
    """Whether every quotation mark in the text is closed."""
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return True
