"""How well each sequence of a prepared scan is registered, in words."""

from __future__ import annotations

from dataclasses import dataclass

from smalltumor.data.case import REFERENCE
from smalltumor.data.naming.case_files import MODALITY_TITLES
from smalltumor.geometry.grid import Affine
from smalltumor.scanner.prepared.prepared_case import PreparedCase
from smalltumor.scanner.registration.motion import Triple, motion_between, motion_parameters
from smalltumor.scanner.registration.registration import displacement

from napari_smalltumor.scanner.plan import SHOWN_ORDER

ORDER = (REFERENCE, *(modality for modality in SHOWN_ORDER if modality != REFERENCE))
NONE = "–"

_DIRECTIONS = (("right", "left"), ("anterior", "posterior"), ("superior", "inferior"))
_AXES = ("right-left", "front-back", "head-foot")
_MIN_NAMED = 0.05
"""Shifts in mm and turns in degrees below this are not named."""


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
    return [_figures(case, modality) for modality in ORDER if modality in case.sequences]


def summary_of(case: PreparedCase) -> str:
    """The brain's volume and the voxels."""
    shape = " x ".join(map(str, case.grid.shape))
    spacing = " x ".join(f"{size:.3g}" for size in case.grid.spacing)
    return f"Brain {case.brain_ml:.0f} ml. {shape} voxels of {spacing} mm, those of T1CE."


def correction_text(case: PreparedCase, modality: str) -> str:
    """The correction of a sequence by hand, relative to its automatic registration.

    Empty if the sequence was not corrected, or the automatic registration is not known.
    """
    motion = _correction(case, modality)
    if motion is None:
        return ""
    text = motion_text(*motion_parameters(motion, case.brain_centre))
    return f"Moved by hand from the automatic registration: {text}." if text else ""


def motion_text(shift_mm: Triple, degrees: Triple) -> str:
    """How a sequence is shifted and turned, see `rigid_motion`; empty if it is not."""
    shifts = [
        f"{abs(mm):.1f} mm to {'the ' if names is _DIRECTIONS[0] else ''}{names[mm < 0]}"
        for mm, names in zip(shift_mm, _DIRECTIONS, strict=True)
        if abs(mm) >= _MIN_NAMED
    ]
    turns = [
        f"{angle:+.1f}° about the {axis} axis"
        for angle, axis in zip(degrees, _AXES, strict=True)
        if abs(angle) >= _MIN_NAMED
    ]
    parts = [f"shifted {', '.join(shifts)}"] if shifts else []
    parts += [f"turned {', '.join(turns)}"] if turns else []
    return "; ".join(parts)


def _correction(case: PreparedCase, modality: str) -> Affine | None:
    """The motion by hand from the automatic registration of a sequence."""
    sequence = case.sequences[modality]
    if sequence.automatic is None or sequence.registration is None:
        return None
    return motion_between(sequence.automatic, sequence.registration.matrix)


def _figures(case: PreparedCase, modality: str) -> Figures:
    sequence = case.sequences[modality]
    found = sequence.registration
    information = NONE
    if found is not None:
        information = f"{found.information_before:.2f} → {found.information_after:.2f}"
    details = (f"{sequence.series}: {sequence.reason}", *(step.text for step in sequence.steps))
    correction = correction_text(case, modality)
    return Figures(
        MODALITY_TITLES[modality],
        NONE if modality == REFERENCE else _displacement(case, modality),
        NONE if sequence.overlap is None else f"{sequence.overlap:.2f}",
        information,
        "\n".join((*details, correction) if correction else details),
    )


def _displacement(case: PreparedCase, modality: str) -> str:
    """That by the automatic registration, and that by hand."""
    found, motion = case.sequences[modality].registration, _correction(case, modality)
    automatic = case.sequences[modality].automatic
    if motion is None or automatic is None:
        return "0 mm" if found is None else f"{found.displacement_mm:.1f} mm"
    automatic_mm, by_hand_mm = (
        displacement(matrix, case.brain, case.grid) for matrix in (automatic, motion)
    )
    return f"{automatic_mm:.1f} + {by_hand_mm:.1f} mm"
