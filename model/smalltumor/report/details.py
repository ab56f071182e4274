"""What a report says besides its measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smalltumor.data.input_checks import FindingKind, check_input
from smalltumor.errors import CaseError

if TYPE_CHECKING:
    from smalltumor.data.case import Case
    from smalltumor.data.made_by import MadeBy
    from smalltumor.follow_up import FollowUp

_OF_ANY_MASK = (
    FindingKind.SWAPPED,
    FindingKind.NAMED_OTHERWISE,
    FindingKind.MISALIGNED,
    FindingKind.SPACING,
    FindingKind.SMALL,
    FindingKind.THICK_SLICES,
)


@dataclass(frozen=True)
class ReportDetails:
    """What a report says about the origin of a mask; an empty text is not known.

    Parameters
    ----------
    patient : str
    scan_date : str
        As it is to be printed, such as 2026-11-27.
    mask : str
        Where the mask is from: the name of a file, or of a result in the window.
    model : str
        Name of the weights that made the mask.
    made_by : MadeBy, optional
        What the file of the mask records of that.
    reviewer : str
        Who has reviewed the mask.
    warnings : tuple of str
        Reasons to doubt the images or the mask.
    title : str
        What the case is called among others, such as ``P7 (visit2)``; by default its name.
    images : str
        How the images were prepared.
    """

    patient: str = ""
    scan_date: str = ""
    mask: str = ""
    model: str = ""
    reviewer: str = ""
    warnings: tuple[str, ...] = ()
    title: str = ""
    made_by: MadeBy | None = None
    images: str = ""


def image_warnings(case: Case, *, of_network: bool) -> tuple[str, ...]:
    """Reasons to doubt the images of a case, as sentences.

    Parameters
    ----------
    case : Case
    of_network : bool
        Whether a network made the mask, so that what it expects of the images counts as well.
    """
    try:
        findings = [f for f in check_input(case) if of_network or f.kind in _OF_ANY_MASK]
    except CaseError as error:  # no network could segment them; they can be measured all the same
        return (*case.warnings, *([str(error)] if of_network else []))
    return (*case.warnings, *map(str, findings))


def image_warnings_of_scans(follow_up: FollowUp, *, model: str = "") -> tuple[str, ...]:
    """Reasons to doubt the images of all scans of a follow-up, each with the title of its scan.

    Parameters
    ----------
    follow_up : FollowUp
    model : str
        Name of the weights that made the masks, if their files record none.
    """
    return tuple(
        f"{scan.title}: {text}"
        for scan in follow_up.scans
        for text in image_warnings(scan.case, of_network=bool(model or scan.model))
    )
