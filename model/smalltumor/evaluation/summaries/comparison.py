"""Means over cases with 95 % intervals, and differences to other predictions of the cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from smalltumor.data.identity.patients import patient_key
from smalltumor.errors import CaseError
from smalltumor.evaluation.evaluate import CaseScores, Evaluation, RegionScores
from smalltumor.evaluation.metrics.components import MIN_COMPONENT_VOXELS
from smalltumor.evaluation.statistics.bootstrap import Bootstrap, Estimate
from smalltumor.evaluation.statistics.measures import Difference, Measure, paired_differences
from smalltumor.labels.regions import Region
from smalltumor.labels.small_lesions import SMALL_LESION_VOXELS


def _mean(
    region: Region, score: Callable[[RegionScores], float]
) -> Callable[[CaseScores], tuple[float, float]]:
    return lambda case: (score(case.regions[region]), 1.0)


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
    """

    baseline: Evaluation
    differences: list[Difference[CaseScores]]
    cases: int
    only_in_one: tuple[str, ...]
    only_in_other: tuple[str, ...]


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
    )


def _check_same_truth(case: CaseScores, same: CaseScores) -> None:
    for region in Region:
        voxels = [c.regions[region].overlap.truth_voxels for c in (case, same)]
        if voxels[0] != voxels[1]:
            raise CaseError(
                f"{case.name}: the two sides were scored against different expert's masks "
                f"({region.upper()} of {voxels[0]} and of {voxels[1]} voxels)"
            )
