"""Errors in drawing layers, which are raised when a change has been made to its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class DrawingErrors:
    """Raises the first error that was kept within ``with`` blocks at the end of the outermost.

    napari reports what fails in drawing a layer as an error of the change. An error that is raised
    at once would leave a part of the layers as they were, or docks with the patient before.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._first: Exception | None = None

    def __enter__(self) -> DrawingErrors:
        self._depth += 1
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._depth -= 1
        if self._depth:
            return
        first, self._first = self._first, None
        if first is not None and error is None:
            raise first

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Context whose error is kept until the end of the outermost block."""
        with self:
            try:
                yield
            except Exception as error:
                self._first = self._first or error
