"""Findings about the input in the words of the window."""

from __future__ import annotations

import pytest
from smalltumor.data.input_checks import Finding, FindingKind

from napari_smalltumor.segment.finding_texts import finding_text


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        (FindingKind.SWAPPED, "choose the right layers"),
        (FindingKind.NAMED_OTHERWISE, "choose the right layer above"),
        (FindingKind.MISALIGNED, "choose another layer"),
        (FindingKind.NOT_SKULL_STRIPPED, "Prepare a scan..."),
        (FindingKind.CUT, "cut off on the superior side"),
        (FindingKind.MISSING, "Segmented without T2 and FLAIR"),
    ],
)
def test_the_finding_says_what_to_do_in_the_dock(kind: FindingKind, advice: str) -> None:
    text = finding_text(Finding(kind, 0.9, ("t2", "flair"), named="t1", side="S"))
    assert advice in text
    assert "--" not in text
