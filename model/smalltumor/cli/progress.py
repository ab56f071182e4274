"""A progress bar and warnings on stderr."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TextIO

from smalltumor.cli.messages import show_warning

BAR = 30


class ProgressBar:
    """One line that is redrawn on a terminal; elsewhere nothing is printed.

    Call it with the fraction done, from 0 to 1, and the name of the step. The line is cleared at
    the end of the ``with`` block.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._drawn = ""

    def __call__(self, fraction: float, step: str) -> None:
        """Draw the bar."""
        if not self._stream.isatty():
            return
        full = round(BAR * min(max(fraction, 0.0), 1.0))
        line = f"{step:<24.24} [{'#' * full}{'.' * (BAR - full)}] {fraction:4.0%}"
        if line != self._drawn:
            self._stream.write(f"\r{line}")
            self._stream.flush()
            self._drawn = line

    def warn(self, message: str) -> None:
        """Print a warning on a line of its own."""
        self._clear()
        show_warning(message, self._stream)

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._clear()

    def _clear(self) -> None:
        if self._drawn:
            self._stream.write("\r" + " " * len(self._drawn) + "\r")
            self._stream.flush()
            self._drawn = ""
