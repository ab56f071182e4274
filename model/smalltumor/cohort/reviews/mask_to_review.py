"""The mask that a review starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from smalltumor.cohort.reviews.review_table import Review


@dataclass(frozen=True)
class MaskToReview:
    """The latest mask of a case when its review began.

    Parameters
    ----------
    case : str
    path : Path
        The mask: that of the last review, else that of the network.
    digest : str
        SHA-256 of the mask.
    network_digest : str
        SHA-256 of the network's mask.
    review : Review or None
        The last review.
    scheme : str
        Label scheme of the mask.
    digests : mapping of str to str
        SHA-256 of the images, by modality; empty if they are not known.
    of_others : Review or None
        The last review if it is of other images, and so is not shown on these.
    """

    case: str
    path: Path
    digest: str
    network_digest: str
    review: Review | None
    scheme: str
    digests: Mapping[str, str]
    of_others: Review | None = None

    @property
    def is_altered(self) -> bool:
        """Whether the mask of the last review was changed by another program since."""
        return self.review is not None and self.review.digest != self.digest

    @property
    def number(self) -> int:
        """Number of the review that begins."""
        last = self.review or self.of_others
        return 1 if last is None else last.number + 1
