"""Volumes as docks, pages and commands print them."""

from __future__ import annotations

_ERROR_ML = 1e-7
"""More than the error of a volume, which depends on how its voxels were added."""


def volume_text(ml: float) -> str:
    """A volume in ml: three decimals below 1 ml, else two; a half is rounded up.

    Parameters
    ----------
    ml : float
        Not negative.
    """
    return f"{ml + _ERROR_ML:.3f}" if 0 < ml < 1 else f"{ml + _ERROR_ML:.2f}"
