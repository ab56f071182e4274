"""The sentences that give the reasons of a category of response, without a full stop."""

from __future__ import annotations

from collections.abc import Sequence

from smalltumor.follow_up.distances import TOLERANCE_MM
from smalltumor.follow_up.matching import CHANGED_VOLUME, LesionChange
from smalltumor.follow_up.response_measures import is_measurable, lesions_of
from smalltumor.measures import LesionMeasures
from smalltumor.text import list_text

_SUM = "the sum of products of the target lesions"

_MAX_NAMED = 5
"""New lesions that a reason names by their numbers; a mask with specks has dozens."""


def sum_text(current: float, smallest: float) -> str:
    """How the sum of products compares with the smallest earlier one, both in mm²."""
    if not smallest:
        return f"{_SUM} is {current:.0f} mm², and the smallest earlier one was 0"
    return (
        f"{_SUM} is {current:.0f} mm², {percent(current, smallest)} of the smallest earlier one "
        f"({smallest:.0f} mm²)"
    )


def contradicting_volume_text(relative: float | None) -> str:
    """That the volume of the target lesions does not support what the sum of products says."""
    share = "unknown" if relative is None else f"{relative:.0%}"
    return (
        f", but their volume is {share} of what it was at that scan; look at the diameters in both "
        "scans"
    )


def beside_volume_text(relative: float | None) -> str:
    """The volume of the target lesions beside the sum of products, from which it may differ."""
    return "" if relative is None else f", and their volume is {relative:.0%} of what it was then"


def percent(value: float, reference: float) -> str:
    """A share as a percentage."""
    return f"{value / reference:.0%}"


def measurable_text(lesions: Sequence[LesionMeasures]) -> str:
    """What is measurable at the current scan, without a progression."""
    count = sum(map(is_measurable, lesions))
    if not count:
        return "nothing is measurable now"
    verb = "lesion is" if count == 1 else "lesions are"
    return f"{count} {verb} measurable now, none of them new or grown by {CHANGED_VOLUME:.0%}"


def unmeasurable_text(
    lesions: Sequence[LesionMeasures], meaning_of_new: str, *, is_progression: bool
) -> str:
    """That new lesions are not measurable, and what follows if there is no progression."""
    text = f"{named_lesions(lesions)} not measurable{meaning_of_new}"
    if is_progression:
        return text
    return f"{text}: by itself no progression, but no response either"


def named_lesions(new: Sequence[LesionMeasures]) -> str:
    """Which new lesions, by their numbers in this scan, and the verb that follows."""
    return f"{_named(new)} {'is' if len(new) == 1 else 'are'}"


def _named(new: Sequence[LesionMeasures]) -> str:
    numbers = [str(each.lesion.id) for each in new]
    if len(numbers) == 1:
        return f"new lesion {numbers[0]}"
    if len(numbers) > _MAX_NAMED:
        named = ", ".join(numbers[:_MAX_NAMED])
        return f"new lesions {named} and {len(numbers) - _MAX_NAMED} more"
    return f"new lesions {list_text(numbers)}"


def became_measurable_text(lesions: Sequence[LesionMeasures]) -> str:
    """Which lesions have grown so that they are measurable now, by their numbers."""
    numbers = list_text(str(each.lesion.id) for each in lesions)
    if len(lesions) == 1:
        return f"lesion {numbers}, which was not measurable, has grown and is measurable now"
    return f"lesions {numbers}, which were not measurable, have grown and are measurable now"


def beside_text(new: Sequence[LesionChange]) -> str:
    """Which measurable new lesions may be pieces of a lesion that is in both scans."""
    beside = lesions_of([change for change in new if change.beside_mm is not None])
    numbers = [str(each.lesion.id) for each in beside if is_measurable(each)]
    if not numbers:
        return ""
    return (
        f"; {list_text(numbers)} within {TOLERANCE_MM:g} mm of a lesion that is in both scans, "
        "and perhaps a piece of it"
    )


def bright_text(new: Sequence[LesionChange]) -> str:
    """Which new lesions the earlier image seems to show, so that they may not be new."""
    bright = lesions_of([change for change in new if change.bright_earlier])
    if not bright:
        return ""
    places, them = ("place", "it") if len(bright) == 1 else ("places", "them")
    return (
        f"T1CE of the earlier scan is bright at the {places} of {_named(bright)}, too: the earlier "
        f"mask may lack {them}"
    )


def still_bright_text(changes: Sequence[LesionChange]) -> str:
    """How many lesions that are gone the current image seems to show, so that they may not be."""
    count = sum(change.bright_current for change in changes)
    if not count:
        return ""
    places, them = ("place", "it") if count == 1 else ("places", "them")
    are = "lesion that is" if count == 1 else "lesions that are"
    return (
        f"T1CE of the current scan is still bright at the {places} of {count} {are} gone: the "
        f"current mask may lack {them}"
    )


def not_comparable_text(changes: Sequence[LesionChange]) -> str:
    """That it is not known what has become of lesions, because a scan does not show them."""
    current = {each.lesion.id for change in changes for each in change.current}
    numbers = f" ({', '.join(map(str, sorted(current)))})" if current else ""
    return (
        f"lesions could not be compared{numbers}, because one of the scans does not show their "
        "place, or only a part of it"
    )
