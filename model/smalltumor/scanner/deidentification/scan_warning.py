"""Warnings about a scan, as they are shown and as they are kept with the case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Identifying(NamedTuple):
    """A part of a warning that may tell who the patient is.

    Parameters
    ----------
    shown : str
        Such as a name, an ID, a date, or the name of a file or folder.
    replacement : str
        What stands in its place in a de-identified warning.
    """

    shown: str
    replacement: str = ""


@dataclass(frozen=True)
class ScanWarning:
    """A sentence about a scan; as a string, it is the one that the user sees.

    Parameters
    ----------
    parts : tuple of str or Identifying
        Which follow each other without a space between them.
    """

    parts: tuple[str | Identifying, ...]

    def __str__(self) -> str:
        """The sentence for the user, with all that helps to find what is meant."""
        return "".join(p.shown if isinstance(p, Identifying) else p for p in self.parts)

    @property
    def deidentified(self) -> str:
        """The sentence for the record of a case, which does not tell who the patient is."""
        return "".join(p.replacement if isinstance(p, Identifying) else p for p in self.parts)
