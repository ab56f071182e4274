"""A flag for what a program does itself, so that its signals are not taken for the user's."""

from __future__ import annotations


class Flag:
    """True within ``with`` blocks, which may be nested, and false outside."""

    def __init__(self) -> None:
        self._depth = 0

    def __bool__(self) -> bool:
        return self._depth > 0

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, *error: object) -> None:
        self._depth -= 1
