"""The streams of the command, and the encoding of what it prints and of names of files."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from pathlib import Path


def start_again_in_utf8_mode() -> None:
    """Start the process again if Python takes names of files as ASCII; else do nothing.

    It does so in the locale *C* with ``PYTHONUTF8=0``. The letters of a name such as *Müller* would
    be bytes without a meaning in tables, records and messages, also those of workers, and files of
    this name would not be found again.
    """
    if sys.getfilesystemencoding() not in ("ascii", "us-ascii") or not sys.executable:
        return
    if os.environ.get("PYTHONUTF8") == "1":  # an option such as -X utf8=0 outweighs it each time
        return
    environment = {**os.environ, "PYTHONUTF8": "1"}
    arguments = [sys.executable, *sys.orig_argv[1:]]
    os.execve(sys.executable, arguments, environment)  # nosec B606


def prepare_streams() -> None:
    """Let all that is printed reach a stream that shows few characters, or none."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # not every terminal can show every file name
            stream.reconfigure(errors="backslashreplace")


def _open_closed_streams() -> None:
    """Discard what is printed to a stream that was closed (`>&-`), for which Python has None.

    Its number would be that of the next file that is opened.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
