"""What the user stated in earlier reports, which the next one proposes until napari is closed.

Nothing of it is written to a file: the next user may be another reviewer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smalltumor.data.case import Case
from smalltumor.data.identity.image_digests import digests_of_images

from napari_smalltumor import settings

_Images = frozenset[tuple[str, str]]
"""Modality and digests of each image of a scan."""


@dataclass(frozen=True)
class StatedDetails:
    """What a page states and the files do not tell; an empty text is not stated.

    Parameters
    ----------
    reviewer : str
        Who has reviewed the regions.
    dates : tuple of str
        Date of each scan, as typed.
    """

    reviewer: str
    dates: tuple[str, ...]


class LastStated:
    """The reviewer who was stated last, and the date of each scan.

    The reviewer is not proposed to another reader, whom the Worklist dock or the Preferences name.
    A date belongs to exactly the images that it was stated for, wherever these lie.
    """

    def __init__(self) -> None:
        self._reviewer, self._reader = "", ""
        self._dates: dict[_Images, str] = {}

    def propose(self, cases: Sequence[Case]) -> StatedDetails:
        """What was stated before, with a date for each scan."""
        dates = tuple(self._dates.get(_images_of(case), "") for case in cases)
        is_same = self._reader == settings.get("reader")
        return StatedDetails(self._reviewer if is_same else "", dates)

    def remember(self, cases: Sequence[Case], stated: StatedDetails) -> None:
        """Propose this the next time, also that a field was left empty."""
        self._reviewer, self._reader = stated.reviewer, str(settings.get("reader"))
        for case, date in zip(cases, stated.dates, strict=True):
            if images := _images_of(case):
                self._dates[images] = date


def _images_of(case: Case) -> _Images:
    return frozenset(digests_of_images(case).items())


LAST_STATED = LastStated()
"""Of all windows of this process."""
