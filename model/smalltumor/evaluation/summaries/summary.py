"""Means over cases, and over the subsets of Ngo et al. 2020."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from smalltumor.evaluation.evaluate import CaseScores, Evaluation, RegionScores
from smalltumor.evaluation.metrics.components import (
    TruthComponent,
)
from smalltumor.evaluation.metrics.voxelwise import RegionScore
from smalltumor.labels.regions import Region

SMALL_TUMOUR_LIMITS = (2000, 1000)
"""Voxels of enhancing tumour below which a patient is in Table 1 and in Table 2."""

SIZE_EDGES = (1, 50, 250, 1000, 2000, 10000)
"""Voxels at which components are divided by size; the last class is open."""


@dataclass(frozen=True)
class Means:
    """Means over cases of one region; a mean over nothing is None.

    Parameters
    ----------
    cases : int
    dice, dice_median, nsd, tpr, fpr, hd95, hd95_median, false_ml : float or None
    """

    cases: int
    dice: float | None
    dice_median: float | None
    nsd: float | None
    tpr: float | None
    fpr: float | None
    hd95: float | None
    hd95_median: float | None
    false_ml: float | None


@dataclass(frozen=True)
class LesionMeans:
    """Lesions of one region over all cases, by the BraTS 2023 rule."""

    lesions: int
    found: int
    missed: int
    false_lesions: int
    ignored: int
    dice: float | None
    hd95: float | None


@dataclass(frozen=True)
class SizeClass:
    """Components of the truth from `start` voxels up to, and without, `stop`.

    Parameters
    ----------
    start : int
    stop : int or None
        None for no limit.
    components, found : int
    covered : float or None
        Mean share of their voxels that was predicted.
    """

    start: int
    stop: int | None
    components: int
    found: int
    covered: float | None

    @property
    def sensitivity(self) -> float | None:
        """Share of the components that was found."""
        return self.found / self.components if self.components else None


def scored_regions(cases: Iterable[CaseScores]) -> tuple[Region, ...]:
    """The regions that were scored of one case at least, innermost first."""
    scored = {region for case in cases for region in case.regions}
    return tuple(region for region in Region if region in scored)


def scores_of(cases: Iterable[CaseScores], region: Region) -> list[RegionScores]:
    """Scores of a region, one for each case of which it was scored."""
    return [case.regions[region] for case in cases if region in case.regions]


def overlaps(cases: Iterable[CaseScores], region: Region) -> list[RegionScore]:
    """Voxelwise scores of a region, one for each case of which it was scored."""
    return [scores.overlap for scores in scores_of(cases, region)]


def small_tumours(evaluation: Evaluation, limit: int) -> list[RegionScore]:
    """Scores of patients who have enhancing tumour, of fewer voxels than the limit in all."""
    scores = overlaps(evaluation.cases, Region.ET)
    return [score for score in scores if 0 < score.truth_voxels < limit]


def means(scores: Sequence[RegionScore]) -> Means:
    """Means and medians; an undefined TPR is left out."""
    dice, hd95 = [s.dice for s in scores], [s.hd95 for s in scores]
    return Means(
        cases=len(scores),
        dice=_mean(dice),
        dice_median=_median(dice),
        nsd=_mean([s.nsd for s in scores]),
        tpr=_mean([s.tpr for s in scores if s.tpr is not None]),
        fpr=_mean([s.fpr for s in scores]),
        hd95=_mean(hd95),
        hd95_median=_median(hd95),
        false_ml=_mean([s.false_ml for s in scores]),
    )


def lesion_means(cases: Sequence[CaseScores], region: Region) -> LesionMeans:
    """Counts over all cases, and means over cases of the lesion-wise Dice and HD95."""
    scores = [each.lesions for each in scores_of(cases, region)]
    return LesionMeans(
        lesions=sum(len(s.lesions) for s in scores),
        found=sum(s.found for s in scores),
        missed=sum(s.missed for s in scores),
        false_lesions=sum(s.false_lesions for s in scores),
        ignored=sum(s.ignored for s in scores),
        dice=_mean([s.dice for s in scores]),
        hd95=_mean([s.hd95 for s in scores]),
    )


def components_of(cases: Iterable[CaseScores], region: Region) -> list[TruthComponent]:
    """Components of the truth of all cases of which the region was scored."""
    return [part for scores in scores_of(cases, region) for part in scores.components]


def by_size(cases: Iterable[CaseScores], region: Region) -> list[SizeClass]:
    """Components of the truth by size class, from the smallest."""
    components = components_of(cases, region)
    spans: list[tuple[int, int | None]] = [*pairwise(SIZE_EDGES), (SIZE_EDGES[-1], None)]
    return [size_class(components, start, stop) for start, stop in spans]


def size_class(components: Iterable[TruthComponent], start: int, stop: int | None) -> SizeClass:
    """Those of the components whose size is in a range."""
    inside = [c for c in components if c.voxels >= start and (stop is None or c.voxels < stop)]
    found = sum(c.found for c in inside)
    return SizeClass(
        start=start,
        stop=stop,
        components=len(inside),
        found=found,
        covered=_mean([c.covered for c in inside]),
    )


def absent_tumours(evaluation: Evaluation, region: Region) -> tuple[int, list[CaseScores]]:
    """How many cases have none of the region, and those in which some was predicted."""
    scored = [case for case in evaluation.cases if region in case.regions]
    absent = [c for c in scored if not c.regions[region].overlap.truth_voxels]
    return len(absent), [c for c in absent if c.regions[region].overlap.predicted_voxels]


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if len(values) else None
