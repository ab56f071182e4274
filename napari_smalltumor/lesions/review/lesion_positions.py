"""Positions of lesions that another dock shows, and which listed lesion is at one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from smalltumor.lesions import Lesion, LesionList, Point

from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation

SAME_CENTRE_MM = 0.5
"""Centres that are nearer belong to one lesion, which was not edited meanwhile."""


@dataclass(frozen=True)
class LesionPosition:
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


def lesion_at(
    source: ViewerSegmentation, lesions: Sequence[Lesion], position: LesionPosition
) -> Lesion | None:
    """The lesion at a position: of several with one centre, that of the most similar volume."""
    here = [
        lesion
        for lesion in lesions
        if np.linalg.norm(np.subtract(source.world_of(lesion.centroid_voxel), position.centre))
        < SAME_CENTRE_MM
    ]
    return min(here, key=lambda lesion: abs(lesion.mm3 - position.mm3), default=None)
