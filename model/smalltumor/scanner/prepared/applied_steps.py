"""What was done to a sequence of a prepared case, and what was not needed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StepKind(StrEnum):
    """What a step is about, as the record of a case has it."""

    BRAIN = "brain"
    BRAIN_CORRECTION = "brain_correction"
    REGISTRATION = "registration"
    REGISTRATION_CORRECTION = "registration_correction"
    BIAS_FIELD = "bias_field"


@dataclass(frozen=True)
class AppliedStep:
    """A step, or why it was not needed.

    Parameters
    ----------
    kind : StepKind
    text : str
        Part of a sentence, for the user.
    """

    kind: StepKind
    text: str


BIAS_FIELD_STEP = AppliedStep(StepKind.BIAS_FIELD, "bias field corrected (N4)")
