"""How well each sequence of a prepared scan is registered, in words."""

from __future__ import annotations

from dataclasses import dataclass

from smalltumor.data.case import REFERENCE
from smalltumor.data.naming.case_files import MODALITY_TITLES
from smalltumor.scanner.preparation.prepare import PreparedCase, PreparedSequence

from napari_smalltumor.scanner.plan import SHOWN_ORDER

ORDER = (REFERENCE, *(modality for modality in SHOWN_ORDER if modality != REFERENCE))
NONE = "–"


@dataclass(frozen=True)
class Figures:
    """What the table shows of a sequence.

    Parameters
    ----------
    title, displacement, overlap, information : str
    details : str
        Series, reason and steps, a line each.
    """

    title: str
    displacement: str
    overlap: str
    information: str
    details: str


def figures_of(case: PreparedCase) -> list[Figures]:
    """The figures of the sequences of a case, T1CE first."""
    return [
        _figures(modality, case.sequences[modality])
        for modality in ORDER
        if modality in case.sequences
    ]


def summary_of(case: PreparedCase) -> str:
    """The brain's volume and the voxels."""
    shape = " x ".join(map(str, case.grid.shape))
    spacing = " x ".join(f"{size:.3g}" for size in case.grid.spacing)
    return f"Brain {case.brain_ml:.0f} ml. {shape} voxels of {spacing} mm, those of T1CE."


def _figures(modality: str, sequence: PreparedSequence) -> Figures:
    found = sequence.registration
    displacement = "0 mm" if modality != REFERENCE else NONE
    information = NONE
    if found is not None:
        displacement = f"{found.displacement_mm:.1f} mm"
        information = f"{found.information_before:.2f} → {found.information_after:.2f}"
    return Figures(
        MODALITY_TITLES[modality],
        displacement,
        NONE if sequence.overlap is None else f"{sequence.overlap:.2f}",
        information,
        "\n".join((f"{sequence.series}: {sequence.reason}", *sequence.steps)),
    )
