"""Grows lesions in a case at a click: from its images, and from probabilities if there are any."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.second_look.coarse_maps import CoarseMaps, maps_beside
from smalltumor.second_look.growing import grow

if TYPE_CHECKING:
    from smalltumor.data.case import Case
    from smalltumor.labels.masks import Classes, Mask
    from smalltumor.lesions import ProbabilityLookup


@dataclass(frozen=True)
class LesionGrower:
    """What lesions of a case are grown from.

    Parameters
    ----------
    case : Case
    maps : CoarseMaps
        Of the case.
    lookup : callable or None
        Class probabilities at voxels of the case's grid; without them, lesions are grown by their
        enhancement alone.
    """

    case: Case = field(repr=False)
    maps: CoarseMaps = field(repr=False)
    lookup: ProbabilityLookup | None = field(repr=False)

    @classmethod
    def beside(cls, case: Case, classes: Classes) -> LesionGrower | None:
        """Prepare growing beside a mask of which no probabilities are known.

        Parameters
        ----------
        case : Case
        classes : (i, j, k) uint8 array
            Tissue classes of the mask on the case's grid.

        Returns
        -------
        LesionGrower or None
            None if T1CE or T1 is missing, or there is too little brain.
        """
        maps = maps_beside(case, classes)
        return None if maps is None else cls(case, maps, None)

    def grow(
        self, voxel: npt.ArrayLike, mask: Mask | None = None, *, apart: bool = False
    ) -> npt.NDArray[np.int64]:
        """Grow a lesion at a voxel of the case's grid; see `growing.grow`."""
        return grow(self.case, self.maps, voxel, mask, self.lookup, apart=apart)
