"""How the images of a case were prepared, in a sentence for its report."""

from __future__ import annotations

from smalltumor.data.case import Case
from smalltumor.data.naming.case_files import MODALITIES, modality_titles
from smalltumor.errors import CaseError
from smalltumor.scanner.prepared.applied_steps import StepKind
from smalltumor.scanner.prepared.prepared_case import PreparedCase
from smalltumor.scanner.prepared.stored_case import stored_case


def preparation_text(case: Case) -> str:
    """How the images of a case were prepared; empty if they were not, or if that cannot be read.

    Parameters
    ----------
    case : Case
    """
    try:
        prepared = stored_case(case)
    except CaseError:
        return ""
    return "" if prepared is None else f"prepared from a scan: {'; '.join(_steps_of(prepared))}"


def _steps_of(prepared: PreparedCase) -> list[str]:
    moved = [
        m for m in MODALITIES if m in _modalities_with(prepared, StepKind.REGISTRATION_CORRECTION)
    ]
    registered = [
        modality
        for modality in MODALITIES
        if modality in prepared.sequences
        and prepared.sequences[modality].registration is not None
        and modality not in moved
    ]
    steps = []
    if registered:
        steps.append(f"{modality_titles(registered)} registered to T1CE")
    if moved:
        steps.append(f"{modality_titles(moved)} registered by hand")
    if _modalities_with(prepared, StepKind.BRAIN_CORRECTION):
        steps.append("brain mask corrected by hand")
    return steps or ["no sequence was registered"]


def _modalities_with(prepared: PreparedCase, kind: StepKind) -> set[str]:
    """The sequences to which a step was applied."""
    return {
        modality
        for modality, sequence in prepared.sequences.items()
        if any(step.kind is kind for step in sequence.steps)
    }
