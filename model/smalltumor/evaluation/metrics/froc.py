"""FROC of small enhancing lesions: sensitivity against false positives per case.

Components of the truth of 20 to 1999 voxels are to be found: by the mask or by a candidate of the
second look that shares a voxel with them. A candidate is a false positive if it shares no voxel
with any enhancing tumour of the truth. Lowering the least score of a candidate draws the curve
(Bunch et al. 1978, *A free-response approach to the measurement and characterization of
radiographic-observer performance*).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smalltumor.data.identity.patients import key_of_patient, patient_of
from smalltumor.evaluation.metrics.components import (
    MIN_COMPONENT_VOXELS,
    count_false_components,
)
from smalltumor.evaluation.statistics.bootstrap import Bootstrap, Estimate, Ratio
from smalltumor.labels.components import connected_components
from smalltumor.labels.masks import Mask
from smalltumor.labels.small_lesions import SMALL_LESION_VOXELS

RATES = (1.0, 2.0, 3.0)
"""False positives per case at which the sensitivity is reported."""


@dataclass(frozen=True)
class ScoredCandidate:
    """A candidate, compared with the truth.

    Parameters
    ----------
    score : float
    false_positive : bool
        Whether it shares no voxel with the truth.
    finds : tuple of int
        Numbers of the small components of the truth that it shares a voxel with.
    """

    score: float
    false_positive: bool
    finds: tuple[int, ...]


@dataclass(frozen=True)
class CaseCandidates:
    """The candidates of a case, its small components, and what found them.

    Parameters
    ----------
    case, patient : str
    components : int
        Number of small components of enhancing tumour in the truth.
    found_by_mask : tuple of int
        Numbers, from 0, of those of which the mask has a voxel.
    false_in_mask : int
        Components of the mask, of at least `MIN_COMPONENT_VOXELS` voxels, without a voxel of the
        truth.
    candidates : tuple of ScoredCandidate
        By descending score.
    """

    case: str
    patient: str
    components: int
    found_by_mask: tuple[int, ...]
    false_in_mask: int
    candidates: tuple[ScoredCandidate, ...]

    def found(self, least_score: float) -> int:
        """Number of components that the mask or a candidate of at least this score finds."""
        numbers = set(self.found_by_mask)
        numbers.update(n for x in self.candidates if x.score >= least_score for n in x.finds)
        return len(numbers)

    def false_positives(self, least_score: float) -> int:
        """Number of candidates of at least this score that are false positives."""
        return sum(x.false_positive for x in self.candidates if x.score >= least_score)


@dataclass(frozen=True)
class FrocPoint:
    """A point of the curve.

    Parameters
    ----------
    least_score : float or None
        None for the mask alone.
    false_positives_per_case : float
        On average.
    sensitivity : Estimate
        Share of the small components that are found, with its interval.
    found, components : int
    """

    least_score: float | None
    false_positives_per_case: float
    sensitivity: Estimate
    found: int
    components: int


def case_candidates(
    name: str,
    prediction: Mask,
    truth: Mask,
    labels: npt.NDArray[np.integer],
    scores: Mapping[int, float],
    *,
    least_voxels: int = MIN_COMPONENT_VOXELS,
) -> CaseCandidates:
    """Compare the candidates of a case with the truth.

    Parameters
    ----------
    name : str
    prediction, truth : (i, j, k) bool array
        Enhancing tumour.
    labels : (i, j, k) int array
        Label image of the candidates.
    scores : mapping of int to float
        Score of each candidate, by its value in the image.
    least_voxels : int
        Smaller components of the truth are not to be found.
    """
    small = [
        voxels
        for voxels in connected_components(truth).voxels
        if least_voxels <= len(voxels) < SMALL_LESION_VOXELS
    ]
    numbers = [np.unique(labels[tuple(voxels.T)]) for voxels in small]
    real = set(np.unique(labels[truth]).tolist())
    candidates = [
        ScoredCandidate(
            score,
            false_positive=value not in real,
            finds=tuple(n for n, values in enumerate(numbers) if value in values),
        )
        for value, score in scores.items()
    ]
    return CaseCandidates(
        case=name,
        patient=patient_of(name),
        components=len(small),
        found_by_mask=tuple(
            n for n, voxels in enumerate(small) if prediction[tuple(voxels.T)].any()
        ),
        false_in_mask=count_false_components(prediction, truth, MIN_COMPONENT_VOXELS),
        candidates=tuple(sorted(candidates, key=lambda x: -x.score)),
    )


def froc_curve(cases: Sequence[CaseCandidates]) -> list[FrocPoint]:
    """The mask alone, then every score of a candidate, descending.

    Parameters
    ----------
    cases : sequence of CaseCandidates
        At least one.
    """
    bootstrap = Bootstrap(key_of_patient(case.patient) for case in cases)
    scores = sorted({x.score for case in cases for x in case.candidates}, reverse=True)
    return [_point(cases, least, bootstrap) for least in (None, *scores)]


def at_rates(curve: Iterable[FrocPoint], rates: Sequence[float] = RATES) -> list[FrocPoint]:
    """The mask alone, and the last point with at most each rate of false positives per case."""
    points = list(curve)
    return [
        points[0],
        *(
            [point for point in points if point.false_positives_per_case <= rate][-1]
            for rate in rates
        ),
    ]


def _point(cases: Sequence[CaseCandidates], least: float | None, bootstrap: Bootstrap) -> FrocPoint:
    limit = np.inf if least is None else least
    found = np.array([case.found(limit) for case in cases], dtype=np.float64)
    components = np.array([case.components for case in cases], dtype=np.float64)
    return FrocPoint(
        least_score=least,
        false_positives_per_case=sum(case.false_positives(limit) for case in cases) / len(cases),
        sensitivity=bootstrap.estimate(Ratio(found, components)),
        found=int(found.sum()),
        components=int(components.sum()),
    )
