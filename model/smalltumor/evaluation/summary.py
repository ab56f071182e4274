"""Means over cases, and the subsets that Ngo et al. 2020 report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from smalltumor.evaluation.evaluate import CaseScores, Evaluation
from smalltumor.evaluation.lesionwise import TruthComponent
from smalltumor.evaluation.metrics import EMPTY_CASES, RegionScore
from smalltumor.labels.regions import Region

SMALL_TUMOUR_LIMITS = (2000, 1000)
"""Voxels of enhancing tumour below which a patient is in Table 1 and in Table 2."""

SIZE_EDGES = (1, 50, 250, 1000, 2000, 10000)
"""Voxels at which components are divided by size; the last class is open."""

PUBLISHED_SMALL: Mapping[int, Mapping[str, tuple[float, float, float]]] = MappingProxyType(
    {
        2000: {
            "DMFNet": (0.2720, 0.2316, 0.0),
            "Reversible U-Net": (0.2828, 0.2479, 0.0),
            "No New-Net": (0.3154, 0.3322, 0.0001),
            "Ngo 2020": (0.4499, 0.4269, 0.0001),
        },
        1000: {
            "DMFNet": (0.1638, 0.1456, 0.0),
            "Reversible U-Net": (0.1645, 0.1462, 0.0),
            "No New-Net": (0.2147, 0.2751, 0.0001),
            "Ngo 2020": (0.3854, 0.3963, 0.0001),
        },
    }
)
"""Dice, TPR and FPR of small enhancing tumours: Ngo et al. 2020, Tables 1 and 2."""

PUBLISHED_DICE: Mapping[str, Mapping[Region, float]] = MappingProxyType(
    {
        "Ngo 2020": {Region.ET: 0.8182, Region.WT: 0.8975, Region.TC: 0.8405},
        "DMFNet": {Region.ET: 0.8012, Region.WT: 0.9062, Region.TC: 0.8454},
    }
)
"""Dice on the BraTS 2018 validation set: Ngo et al. 2020, Table 3."""


@dataclass(frozen=True)
class Means:
    """Means over cases of one region; a mean over nothing is None.

    Parameters
    ----------
    cases : int
    dice, dice_median, tpr, fpr, hd95, hd95_median, false_ml : float or None
    """

    cases: int
    dice: float | None
    dice_median: float | None
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


def overlaps(cases: Iterable[CaseScores], region: Region) -> list[RegionScore]:
    """Voxelwise scores of a region, one per case."""
    return [case.regions[region].overlap for case in cases]


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
        tpr=_mean([s.tpr for s in scores if s.tpr is not None]),
        fpr=_mean([s.fpr for s in scores]),
        hd95=_mean(hd95),
        hd95_median=_median(hd95),
        false_ml=_mean([s.false_ml for s in scores]),
    )


def lesion_means(cases: Sequence[CaseScores], region: Region) -> LesionMeans:
    """Counts over all cases, and means over cases of the lesion-wise Dice and HD95."""
    scores = [case.regions[region].lesions for case in cases]
    return LesionMeans(
        lesions=sum(len(s.lesions) for s in scores),
        found=sum(s.found for s in scores),
        missed=sum(s.missed for s in scores),
        false_lesions=sum(s.false_lesions for s in scores),
        ignored=sum(s.ignored for s in scores),
        dice=_mean([s.dice for s in scores]),
        hd95=_mean([s.hd95 for s in scores]),
    )


def by_size(
    cases: Iterable[CaseScores], region: Region, edges: Sequence[int] = SIZE_EDGES
) -> list[SizeClass]:
    """Components of the truth by size class, from the smallest."""
    components = [part for case in cases for part in case.regions[region].components]
    spans: list[tuple[int, int | None]] = [*pairwise(edges), (edges[-1], None)]
    return [size_class(components, start, stop) for start, stop in spans]


def size_class(components: Iterable[TruthComponent], start: int, stop: int | None) -> SizeClass:
    """Those of the components whose size is in a range."""
    inside = [c for c in components if c.voxels >= start and (stop is None or c.voxels < stop)]
    found = sum(c.found for c in inside)
    return SizeClass(start, stop, len(inside), found, _mean([c.covered for c in inside]))


def absent_tumours(evaluation: Evaluation, region: Region) -> tuple[int, list[CaseScores]]:
    """How many cases have none of the region, and those in which some was predicted."""
    absent = [c for c in evaluation.cases if not c.regions[region].overlap.truth_voxels]
    return len(absent), [c for c in absent if c.regions[region].overlap.predicted_voxels]


def as_json(evaluation: Evaluation) -> dict[str, object]:
    """Every number of the evaluation, as plain dicts, lists and numbers."""
    return {
        "definition": {"empty": EMPTY_CASES, "lesions": "BraTS 2023, gliomas"},
        "prediction_scheme": evaluation.prediction_scheme,
        "truth_scheme": evaluation.truth_scheme,
        "notes": evaluation.notes,
        "means": {r.value: asdict(means(overlaps(evaluation.cases, r))) for r in Region},
        "small_enhancing_tumours": {
            str(limit): asdict(means(small_tumours(evaluation, limit)))
            for limit in SMALL_TUMOUR_LIMITS
        },
        "lesions": {r.value: asdict(lesion_means(evaluation.cases, r)) for r in Region},
        "components_by_size": {
            r.value: [asdict(c) | {"sensitivity": c.sensitivity} for c in _sizes(evaluation, r)]
            for r in Region
        },
        "cases": {case.name: _case_json(case) for case in evaluation.cases},
    }


def _case_json(case: CaseScores) -> dict[str, object]:
    return {
        region.value: {
            **asdict(scores.overlap),
            "false_ml": scores.overlap.false_ml,
            "lesions": asdict(scores.lesions)
            | {
                "found": scores.lesions.found,
                "missed": scores.lesions.missed,
                "dice": scores.lesions.dice,
                "hd95": scores.lesions.hd95,
            },
            "components": [asdict(c) | {"found": c.found} for c in scores.components],
        }
        for region, scores in case.regions.items()
    }


def _sizes(evaluation: Evaluation, region: Region) -> list[SizeClass]:
    return by_size(evaluation.cases, region)


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if len(values) else None
