"""Measures over all out-of-fold cases, and their differences between two recipes or networks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from smalltumor.data.identity.patients import key_of_patient
from smalltumor.errors import CaseError
from smalltumor.evaluation.metrics.components import (
    MIN_COMPONENT_VOXELS,
)
from smalltumor.evaluation.statistics.bootstrap import Bootstrap, Estimate
from smalltumor.evaluation.statistics.measures import Difference, Measure, paired_differences
from smalltumor.evaluation.summaries.case_rows import CaseRow
from smalltumor.evaluation.summaries.summary import SMALL_TUMOUR_LIMITS
from smalltumor.labels.regions import Region
from smalltumor.labels.small_lesions import SMALL_LESION_VOXELS
from smalltumor.text import list_text

Terms = Callable[[CaseRow], tuple[float, float]]


def _mean_dice(region: Region) -> Terms:
    def terms(row: CaseRow) -> tuple[float, float]:
        dice = dice_of(row, region)
        return (0.0, 0.0) if dice is None else (dice, 1.0)

    return terms


def _small_dice(limit: int) -> Terms:
    return lambda row: (row.et_dice, 1.0) if 0 < row.et_voxels < limit else (0.0, 0.0)


def _small_tpr(limit: int) -> Terms:
    def terms(row: CaseRow) -> tuple[float, float]:
        if row.et_tpr is None or row.et_voxels >= limit:
            return 0.0, 0.0
        return row.et_tpr, 1.0

    return terms


def _found(row: CaseRow) -> tuple[float, float]:
    return row.small_found, row.small_components


def _false_components(row: CaseRow) -> tuple[float, float]:
    return (0.0, 0.0) if row.false_components is None else (row.false_components, 1.0)


def _false_voxels(row: CaseRow) -> tuple[float, float]:
    return (0.0, 0.0) if row.et_voxels else (row.et_predicted_voxels, 1.0)


FOUND: Measure[CaseRow] = Measure(
    f"ET components of {MIN_COMPONENT_VOXELS} to {SMALL_LESION_VOXELS - 1} voxels found", _found
)

MEASURES: tuple[Measure[CaseRow], ...] = (
    *(Measure(f"Dice {region.upper()}", _mean_dice(region)) for region in Region),
    *(Measure(f"Dice ET below {n} voxels", _small_dice(n)) for n in SMALL_TUMOUR_LIMITS),
    *(Measure(f"TPR ET below {n} voxels", _small_tpr(n)) for n in SMALL_TUMOUR_LIMITS),
    FOUND,
    Measure("false ET components per patient", _false_components, higher_is_better=False),
    Measure("ET voxels in patients without ET", _false_voxels, higher_is_better=False),
)


def estimates(
    rows: Sequence[CaseRow], measures: Iterable[Measure[CaseRow]] = MEASURES
) -> dict[Measure[CaseRow], Estimate]:
    """Measures with their intervals.

    Parameters
    ----------
    rows : sequence of CaseRow
        At least one; their order does not matter.
    measures : iterable of Measure
    """
    rows = _sorted(rows)
    bootstrap = Bootstrap(key_of_patient(row.patient) for row in rows)
    return {measure: bootstrap.estimate(measure.ratio(rows)) for measure in measures}


def differences(one: Sequence[CaseRow], other: Sequence[CaseRow]) -> list[Difference[CaseRow]]:
    """Paired differences of all measures, over the cases that are on both sides.

    A measure is over those of them that count on both sides: a table of `smalltumor evaluate` has
    no false components, for example.

    Raises
    ------
    CaseError
        If no case is on both sides, or the sides were scored against different truths.
    """
    names = common_cases(one, other)
    if not names:
        raise CaseError("no case is on both sides of the comparison")
    first, second = (_sorted(row for row in rows if row.case in names) for rows in (one, other))
    for row, same in zip(first, second, strict=True):
        _check_same_truth(row, same)
    bootstrap = Bootstrap(key_of_patient(row.patient) for row in first)
    return paired_differences(MEASURES, first, second, bootstrap)


def _check_same_truth(row: CaseRow, same: CaseRow) -> None:
    what = None
    if row.et_voxels != same.et_voxels:
        what = f"enhancing tumour of {row.et_voxels} and of {same.et_voxels} voxels"
    elif row.small_components != same.small_components:
        what = f"{row.small_components} and {same.small_components} small components of it"
    if what is not None:
        raise CaseError(
            f"{row.case}: the two sides were scored against different expert's masks ({what})"
        )


def common_cases(one: Sequence[CaseRow], other: Sequence[CaseRow]) -> set[str]:
    """Names of the cases on both sides."""
    return {row.case for row in one} & {row.case for row in other}


def worst_cases(rows: Sequence[CaseRow], count: int = 5) -> list[CaseRow]:
    """The cases with the lowest mean Dice of their regions, the lowest first."""
    return sorted(_sorted(rows), key=_mean_of_row)[:count]


def _mean_of_row(row: CaseRow) -> float:
    scored = [dice for region in Region if (dice := dice_of(row, region)) is not None]
    return sum(scored) / len(scored)


def notes_on_regions(rows: Iterable[CaseRow]) -> list[str]:
    """Sentences that name the cases some of whose regions were not scored."""
    cases: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        missing = tuple(region.upper() for region in Region if dice_of(row, region) is None)
        if missing:
            cases.setdefault(missing, []).append(row.case)
    return [
        f"{list_text(regions)} {'is' if len(regions) == 1 else 'are'} not scored, because the "
        f"expert's mask or the prediction has no class for a part of it: {', '.join(names)}"
        for regions, names in cases.items()
    ]


def dice_of(row: CaseRow, region: Region) -> float | None:
    """The Dice of a region; None if it was not scored."""
    dice: float | None = getattr(row, f"{region}_dice")
    return dice


def _sorted(rows: Iterable[CaseRow]) -> list[CaseRow]:
    return sorted(rows, key=lambda row: row.case)
