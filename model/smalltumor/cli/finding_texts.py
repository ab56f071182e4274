"""Findings about the input in the words of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smalltumor.data.input_checks import Finding


def finding_text(finding: Finding) -> str:
    """What was found, and the options that name the files it is about."""
    from smalltumor.data.input_checks import FindingKind

    options = " ".join(f"--{modality} FILE" for modality in finding.modalities)
    if finding.kind is FindingKind.SWAPPED:
        return f"{finding}; look at them, and name the right files with {options}"
    if finding.kind is FindingKind.NAMED_OTHERWISE:
        return f"{finding}; if it is another sequence, name the right file with {options}"
    if finding.kind is FindingKind.MISALIGNED:
        return f"{finding}; register the images, or name another file with {options}"
    return str(finding)
