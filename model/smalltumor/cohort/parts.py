"""Sharing the cases of a folder among jobs that do not know of each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from smalltumor.files.names import utf8

if TYPE_CHECKING:
    from smalltumor.data.naming.case_files import CaseFiles


@dataclass(frozen=True)
class Part:
    """One of several disjoint parts of a cohort, which together are the cohort.

    Parameters
    ----------
    number : int
        From 1 to `count`.
    count : int

    Raises
    ------
    ValueError
        If there is no such part.
    """

    number: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise ValueError(f"there is no part {self}")

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> Part:
        """Read a part such as ``"2/8"``.

        Raises
        ------
        ValueError
            If the text is not of this form, or there is no such part.
        """
        match = re.fullmatch(r"([0-9]+)/([0-9]+)", text)
        if match is None:
            raise ValueError(f"{text!r} is not a part such as 2/8")
        return cls(int(match[1]), int(match[2]))

    def of(self, cases: Sequence[CaseFiles]) -> list[CaseFiles]:
        """Deal the cases out by name, whatever order they were found in, and take this part's.

        The part is empty if there are more parts than cases, and none is left for it.
        """
        if self.count == 1:
            return list(cases)
        return sorted(cases, key=lambda files: files.name)[self.number - 1 :: self.count]

    def cases_digest(self, cases: Sequence[CaseFiles]) -> str:
        """Digest of the names of all cases that are dealt out; empty for the whole cohort.

        With one case more or fewer, the parts would be others, and cases be in two or in none.
        """
        if self.count == 1:
            return ""
        names = "\n".join(sorted(files.name for files in cases))
        return sha256(utf8(names)).hexdigest()


WHOLE = Part()
