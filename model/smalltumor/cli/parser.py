"""A parser that refuses an option that is given twice.

`argparse` keeps the last value without a word: of two `--validation` folders the first would be
trained on, and of two `--t1ce` images one ignored.
"""

from __future__ import annotations

import argparse
from typing import Any

_GIVEN = "given_options"


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser` that takes each option with a value once; so do those of its commands."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for action in (None, "store"):
            self.register("action", action, StoreOnce)


class StoreOnce(argparse.Action):
    """Store the value of an option or argument; refuse the option a second time.

    A subclass may `store` it elsewhere.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        if option_string is not None:
            self._refuse_second(namespace)
        self.store(namespace, values)

    def store(self, namespace: argparse.Namespace, value: Any) -> None:
        """Store a value in the namespace."""
        setattr(namespace, self.dest, value)

    def _refuse_second(self, namespace: argparse.Namespace) -> None:
        given = getattr(namespace, _GIVEN, frozenset[str]())
        if self.dest in given:
            several = "; give all values after one" if self.nargs == "+" else ""
            raise argparse.ArgumentError(self, f"it is given twice{several}")
        setattr(namespace, _GIVEN, given | {self.dest})
