"""Means over cases with 95 % intervals, and differences to other predictions of the cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from smalltumor.data.identity.patients import patient_key
from smalltumor.errors import CaseError
from smalltumor.evaluation.evaluate import CaseScores, Evaluation, RegionScores
from smalltumor.evaluation.metrics.components import MIN_COMPONENT_VOXELS
from smalltumor.evaluation.statistics.bootstrap import Bootstrap, Estimate
from smalltumor.evaluation.statistics.measures import Difference, Measure, paired_differences
from smalltumor.evaluation.summaries.summary import scored_regions
from smalltumor.labels.regions import Region
from smalltumor.labels.small_lesions import SMALL_LESION_VOXELS


def _mean(
    region: Region, score: Callable[[RegionScores], float]
) -> Callable[[CaseScores], tuple[float, float]]:
    def terms(case: CaseScores) -> tuple[float, float]:
        scores = case.regions.get(region)
        return (0.0, 0.0) if scores is None else (score(scores), 1.0)

    return terms


def _of_region(region: Region) -> tuple[Measure[CaseScores], ...]:
    name = region.upper()
    return (
        Measure(f"Dice {name}", _mean(region, lambda s: s.overlap.dice)),
        Measure(f"NSD {name}", _mean(region, lambda s: s.overlap.nsd)),
        Measure(
            f"HD95 {name}, mm", _mean(region, lambda s: s.overlap.hd95), higher_is_better=False
        ),
        Measure(f"lesion Dice {name}", _mean(region, lambda s: s.lesions.dice)),
        Measure(
            f"false lesions {name} per case",
            _mean(region, lambda s: s.lesions.false_lesions),
            higher_is_better=False,
        ),
    )


def _small_found(case: CaseScores) -> tuple[float, float]:
    small = [
        part
        for part in case.regions[Region.ET].components
        if MIN_COMPONENT_VOXELS <= part.voxels < SMALL_LESION_VOXELS
    ]
    return sum(part.found for part in small), len(small)


MEASURES: tuple[Measure[CaseScores], ...] = (
    *(measure for region in Region for measure in _of_region(region)),
    Measure(
        f"ET components of {MIN_COMPONENT_VOXELS} to {SMALL_LESION_VOXELS - 1} voxels found",
        _small_found,
    ),
)


def estimates(cases: Sequence[CaseScores]) -> dict[Measure[CaseScores], Estimate]:
    """`MEASURES` with their intervals, see `smalltumor.evaluation.statistics.bootstrap`.

    Parameters
    ----------
    cases : sequence of CaseScores
        At least one.
    """
    bootstrap = Bootstrap(patient_key(case.name) for case in cases)
    return {measure: bootstrap.estimate(measure.ratio(cases)) for measure in MEASURES}


@dataclass(frozen=True)
class Comparison:
    """Two sets of predictions, A and B, of the same cases.

    Parameters
    ----------
    baseline : Evaluation
        Of B.
    differences : list of Difference
        Of A minus B.
    cases : int
        On both sides.
    only_in_one, only_in_other : tuple of str
        Cases that are left out.
    regions_of_one_side : mapping of Region to tuple of str
        Cases on both sides of which a region was scored on one only.
    """

    baseline: Evaluation
    differences: list[Difference[CaseScores]]
    cases: int
    only_in_one: tuple[str, ...]
    only_in_other: tuple[str, ...]
    regions_of_one_side: Mapping[Region, tuple[str, ...]]


def compare(one: Evaluation, other: Evaluation) -> Comparison:
    """Compare two evaluations against the same truth, paired over the cases of both.

    Raises
    ------
    CaseError
        If no case is on both sides, or the sides were scored against different truths.
    """
    first, second = ({case.name: case for case in side.cases} for side in (one, other))
    names = sorted(first.keys() & second.keys())
    if not names:
        raise CaseError("no case is on both sides of the comparison")
    for name in names:
        _check_same_truth(first[name], second[name])
    bootstrap = Bootstrap(patient_key(name) for name in names)
    sides = [first[name] for name in names], [second[name] for name in names]
    return Comparison(
        baseline=other,
        differences=paired_differences(MEASURES, *sides, bootstrap),
        cases=len(names),
        only_in_one=tuple(sorted(first.keys() - second.keys())),
        only_in_other=tuple(sorted(second.keys() - first.keys())),
        regions_of_one_side={
            region: cases for region in Region if (cases := _scored_once(region, *sides))
        },
    )


def _scored_once(
    region: Region, one: Sequence[CaseScores], other: Sequence[CaseScores]
) -> tuple[str, ...]:
    """Cases, the same ones on both sides, of which a region was scored on one side only."""
    pairs = zip(one, other, strict=True)
    return tuple(a.name for a, b in pairs if (region in a.regions) != (region in b.regions))


def _check_same_truth(case: CaseScores, same: CaseScores) -> None:
    for region in scored_regions([case]):
        if region not in same.regions:
            continue
        voxels = [c.regions[region].overlap.truth_voxels for c in (case, same)]
        if voxels[0] != voxels[1]:
            raise CaseError(
                f"{case.name}: the two sides were scored against different expert's masks "
                f"({region.upper()} of {voxels[0]} and of {voxels[1]} voxels)"
            )
