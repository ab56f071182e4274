"""Findings about the input in the words of the window."""

from __future__ import annotations

from smalltumor.data.input_checks import Finding, FindingKind
from smalltumor.data.naming.case_files import modality_titles


def finding_text(finding: Finding) -> str:
    """What was found, and what to do in the Segment dock."""
    if finding.kind is FindingKind.SWAPPED:
        return f"{finding}; look at them, and choose the right layers above"
    if finding.kind is FindingKind.NAMED_OTHERWISE:
        return f"{finding}; if it is another sequence, choose the right layer above"
    if finding.kind is FindingKind.MISALIGNED:
        return f"{finding}; register the images, or choose another layer above"
    if finding.kind is FindingKind.NOT_SKULL_STRIPPED:
        return f"{finding}; strip the skull with File > IO Utilities > Prepare a scan..."
    if finding.kind is FindingKind.MISSING:  # what that costs is said above, where it is chosen
        return f"Segmented without {modality_titles(finding.modalities)}; less reliable"
    return str(finding)
