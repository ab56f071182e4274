"""Numbers with their nouns, as pages and commands print them."""

from __future__ import annotations


def pluralize(number: int, noun: str) -> str:
    """A number with its noun, such as "1 case" or "3 cases".

    Parameters
    ----------
    number : int
    noun : str
        In the singular; its plural ends in "s".
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
