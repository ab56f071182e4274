"""Messages and warnings on stderr, one line each, whatever a file name holds."""

from __future__ import annotations

import sys
from typing import TextIO

PROGRAM = "smalltumor"


def show_message(text: str, stream: TextIO | None = None) -> None:
    """Print a message, by default on stderr."""
    print(f"{PROGRAM}: {one_line(text)}", file=stream or sys.stderr, flush=True)


def show_warning(text: str, stream: TextIO | None = None) -> None:
    """Print a warning, by default on stderr."""
    show_message(f"warning: {text}", stream)


def one_line(text: str) -> str:
    """The text without line breaks and terminal control codes, which a file name may hold."""
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
