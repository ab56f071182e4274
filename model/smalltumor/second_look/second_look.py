"""The second look: lesions that the network almost found, with scores, beside what it found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.errors import SecondLookError
from smalltumor.labels.regions import Region
from smalltumor.labels.small_lesions import SMALL_LESION_MM3
from smalltumor.lesions import Lesion, LesionList, measure_lesion
from smalltumor.second_look.coarse_maps import coarse_maps
from smalltumor.second_look.component_scores import with_scores
from smalltumor.second_look.features import FEATURES, Floats, features_of
from smalltumor.second_look.parameters import SecondLookParameters, load_parameters
from smalltumor.second_look.peaks import Peaks, find_peaks
from smalltumor.second_look.region_growing import LesionGrower

if TYPE_CHECKING:
    from smalltumor.data.case import Case
    from smalltumor.data.midsagittal_plane import MidsagittalPlane
    from smalltumor.data.probabilities.cropped import CroppedProbabilities
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.labels.masks import Mask


@dataclass(frozen=True)
class SecondLook(LesionGrower):
    """The maps of a case, from which candidates, scores and grown lesions come.

    Parameters
    ----------
    case, maps, lookup
        As of `LesionGrower`; with probabilities.
    parameters : SecondLookParameters
    """

    parameters: SecondLookParameters = field(repr=False)

    @classmethod
    def of(
        cls,
        case: Case,
        cropped: CroppedProbabilities,
        parameters: SecondLookParameters | None = None,
    ) -> SecondLook | None:
        """Prepare the second look at a case.

        Parameters
        ----------
        case : Case
        cropped : CroppedProbabilities
            The network's output for it.
        parameters : SecondLookParameters, optional
            By default those of the package.

        Returns
        -------
        SecondLook or None
            None if it is not possible: T1CE or T1 is missing, or there is too little brain.

        Raises
        ------
        CheckpointError
            If the parameters cannot be read.
        """
        maps = coarse_maps(case, cropped)
        if maps is None:
            return None
        return cls(case, maps, cropped.at, parameters or load_parameters())

    def candidates(
        self,
        mask: Mask,
        *,
        first_id: int = 1,
        threshold: float = SMALL_LESION_MM3,
        plane: MidsagittalPlane | None = None,
    ) -> list[Lesion]:
        """Find what may be lesions and is not in the mask, the likeliest first.

        Parameters
        ----------
        mask : (i, j, k) bool array
            Enhancing tumour on the case's grid.
        first_id : int
            `id` of the first candidate.
        threshold : float
            Lesions below this volume in mm3 are small.
        plane : MidsagittalPlane, optional
            As for `smalltumor.lesions.find_lesions`.
        """
        return [
            replace(
                measure_lesion(
                    number,
                    voxels,
                    self.case.grid,
                    Region.ET,
                    threshold=threshold,
                    lookup=self.lookup,
                    plane=plane,
                ),
                list_name=LesionList.SECOND_LOOK,
                score=score,
            )
            for number, (voxels, score) in enumerate(self._grown_beside(mask), start=first_id)
        ]

    def _grown_beside(self, mask: Mask) -> Iterator[tuple[npt.NDArray[np.int64], float]]:
        """Voxels (n, 3) and score of each candidate beside a mask, the likeliest first."""
        rules = self.parameters
        scores = rules.candidates(self.features, FEATURES)
        log_odds = self.features[:, FEATURES.index("log_odds_et")]
        count, by_image = 0, rules.most_by_image
        seeds, taken = self.seeds, mask.copy(order="K")
        for number in np.argsort(-scores, kind="stable"):
            if count == rules.most or scores[number] < rules.least_score:
                return
            probable = log_odds[number] >= rules.least_log_odds
            if not probable and not by_image:
                continue
            voxels = self.grow(seeds[number], taken, apart=True)
            if len(voxels) * self.case.grid.voxel_volume < rules.least_mm3:
                continue
            count += 1
            by_image -= not probable
            taken[tuple(voxels.T)] = True
            yield voxels, float(scores[number])

    @cached_property
    def _peaks(self) -> Peaks:
        return find_peaks(self.maps)

    @property
    def seeds(self) -> npt.NDArray[np.float64]:
        """The peaks on the case's grid, (n, 3), not rounded."""
        return self.maps.to_source(self._peaks.voxels)

    @cached_property
    def features(self) -> Floats:
        """Features of each peak, (n, feature); in the order of `features.FEATURES`."""
        return features_of(self.maps, self._peaks)


def second_look(
    case: Case, segmentation: Segmentation, *, plane: MidsagittalPlane | None = None
) -> tuple[list[Lesion], list[Lesion]]:
    """List what a segmentation found, with scores, and what it almost found.

    Parameters
    ----------
    case : Case
    segmentation : Segmentation
        Of the case, with the network's output, on the case's grid.
    plane : MidsagittalPlane, optional
        As for `smalltumor.lesions.find_lesions`.

    Returns
    -------
    found, candidates : list of Lesion
        Components of enhancing tumour by size, and candidates, the likeliest first, whose ids
        follow.

    Raises
    ------
    SecondLookError
        If T1CE or T1 is missing, there is too little brain, or the segmentation has no output of
        the network.
    CheckpointError
        If the parameters cannot be read.
    """
    from smalltumor.lesions import find_lesions

    look = None if segmentation.cropped is None else SecondLook.of(case, segmentation.cropped)
    if look is None:
        raise SecondLookError(
            "no second look, which needs T1CE and T1 of a brain: the table has no candidates and "
            "no scores"
        )
    lesions = with_scores(find_lesions(segmentation, plane=plane), look.parameters)
    candidates = look.candidates(
        segmentation.mask(Region.ET), first_id=len(lesions) + 1, plane=plane
    )
    return lesions, candidates
