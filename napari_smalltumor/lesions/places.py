"""Judge what another dock shows: the review goes to the lesion at a place, or to none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakSet

import numpy as np
from smalltumor.lesions import Lesion, LesionList, Point

from napari_smalltumor.lesions.source import LesionSource
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_smalltumor.lesions.review import LesionReview

SAME_CENTRE_MM = 0.5
"""Centres that are nearer belong to one lesion, which was not edited meanwhile."""


@dataclass(frozen=True)
class Place:
    """Where a lesion was listed.

    Parameters
    ----------
    centre : (float, float, float)
        World coordinates.
    mm3 : float
    kind : LesionList
    """

    centre: Point
    mm3: float
    kind: LesionList


def review_place(viewer: ViewerModel, place: Place) -> bool:
    """Make the lesion at a place the current one of every open review, or none.

    What was current is elsewhere, and must not be accepted or erased in place of what is shown.

    Returns
    -------
    bool
        Whether a review lists such a lesion.
    """
    found = [review.go_to_place(place) for review in open_reviews(viewer)]
    return any(found)


def lesion_at(source: LesionSource, lesions: Sequence[Lesion], place: Place) -> Lesion | None:
    """The lesion at a place: of several with the same centre, that of the most similar volume."""
    here = [
        lesion
        for lesion in lesions
        if np.linalg.norm(np.subtract(source.world_of(lesion.centroid_voxel), place.centre))
        < SAME_CENTRE_MM
    ]
    return min(here, key=lambda lesion: abs(lesion.mm3 - place.mm3), default=None)


@one_per_viewer
def open_reviews(viewer: ViewerModel) -> WeakSet[LesionReview]:
    """The reviews of a viewer that are not closed."""
    return WeakSet()
