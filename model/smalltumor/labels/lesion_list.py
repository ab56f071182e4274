"""The two lists of a review, by the names that lesion tables give them."""

from __future__ import annotations

from enum import StrEnum


class LesionList(StrEnum):
    """The two lists of a review."""

    FOUND = "found"
    """Components of the mask."""

    SECOND_LOOK = "second_look"
    """Spots outside the mask that may be lesions, see `smalltumor.second_look`."""
