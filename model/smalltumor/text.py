"""Numbers as docks, pages and commands print them."""

from __future__ import annotations

_ERROR_ML = 1e-7
"""More than the error of a volume, which depends on how its voxels were added."""


def pluralize(number: int, noun: str) -> str:
    """A number with its noun, such as "1 case" or "3 cases".

    Parameters
    ----------
    number : int
    noun : str
        In the singular; its plural ends in "s".
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def volume_text(ml: float) -> str:
    """A volume in ml: three decimals below 1 ml, else two; a half is rounded up.

    Parameters
    ----------
    ml : float
        Not negative.
    """
    return f"{ml + _ERROR_ML:.3f}" if 0 < ml < 1 else f"{ml + _ERROR_ML:.2f}"
