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
"""Modality and digests of each image of a scan; empty if nothing tells the images."""


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
    """The reviewer and the date of each scan, as they were stated last.

    Both belong to exactly the images that they were stated for, wherever these lie. A reviewer is
    not proposed to another reader, whom the Worklist dock or the Preferences name.
    """

    def __init__(self) -> None:
        self._reviewers: dict[tuple[_Images, str], str] = {}
        self._dates: dict[_Images, str] = {}

    def propose(self, cases: Sequence[Case]) -> StatedDetails:
        """What was stated before: a date for each scan, and the reviewer of the last one."""
        images = [_images_of(case) for case in cases]
        reviewer = self._reviewers.get((images[-1], settings.get("reader")), "")
        return StatedDetails(reviewer, tuple(self._dates.get(each, "") for each in images))

    def remember(self, cases: Sequence[Case], stated: StatedDetails) -> None:
        """Propose this the next time, also that a field was left empty."""
        images = [_images_of(case) for case in cases]
        self._dates |= {x: date for x, date in zip(images, stated.dates, strict=True) if x}
        if images[-1]:
            self._reviewers[images[-1], settings.get("reader")] = stated.reviewer


def _images_of(case: Case) -> _Images:
    return frozenset(digests_of_images(case).items())


LAST_STATED = LastStated()
"""Of all windows of this process."""
