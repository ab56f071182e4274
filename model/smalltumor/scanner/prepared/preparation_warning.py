"""Reasons to look at a prepared case before it is used."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class WarningKind(StrEnum):
    """What a warning is about, as the record of a case has it."""

    MISSING_SEQUENCES = "missing_sequences"
    HEADER = "header"
    BRAIN = "brain"
    REGISTRATION = "registration"
    REGISTRATION_CORRECTION = "registration_correction"


@dataclass(frozen=True)
class PreparationWarning:
    """A sentence about a prepared case.

    Parameters
    ----------
    kind : WarningKind
        `REGISTRATION_CORRECTION` is a registration that fits less since it was corrected by hand.
    text : str
    modality : str
        Of a warning about a registration; else empty.
    """

    kind: WarningKind
    text: str
    modality: str = ""

    def __str__(self) -> str:
        """The sentence."""
        return self.text
