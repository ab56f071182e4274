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
            self.register("action", action, Once)


class Once(argparse.Action):
    """Store the value of an option or argument; refuse the option a second time."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        self.refuse_second(namespace, option_string)
        setattr(namespace, self.dest, values)

    def refuse_second(self, namespace: argparse.Namespace, option_string: str | None) -> None:
        """Note that the option was given.

        Raises
        ------
        argparse.ArgumentError
            If it was given before.
        """
        if option_string is None:
            return
        given = getattr(namespace, _GIVEN, frozenset[str]())
        if self.dest in given:
            several = "; give all values after one" if self.nargs == "+" else ""
            raise argparse.ArgumentError(self, f"it is given twice{several}")
        setattr(namespace, _GIVEN, given | {self.dest})
