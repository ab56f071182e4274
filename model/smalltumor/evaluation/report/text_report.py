"""The text report of an evaluation: its scores in tables, next to the published ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from smalltumor.data.identity.patients import patient_key
from smalltumor.evaluation.evaluate import CaseScores, Evaluation
from smalltumor.evaluation.metrics.components import MIN_COMPONENT_VOXELS
from smalltumor.evaluation.metrics.froc import RATES, FrocPoint, at_rates, froc_curve
from smalltumor.evaluation.metrics.lesionwise import GLIOMA_RULE
from smalltumor.evaluation.metrics.voxelwise import (
    EMPTY_MASK_SCORES,
    NO_OVERLAP_HD95,
    NSD_TOLERANCE_MM,
)
from smalltumor.evaluation.report.estimate_text import (
    INTERVAL,
    VERDICTS,
    difference_table,
    interval_text,
)
from smalltumor.evaluation.report.text_table import Row, text_table
from smalltumor.evaluation.statistics.bootstrap import MIN_PATIENTS
from smalltumor.evaluation.summaries.comparison import Comparison, estimates
from smalltumor.evaluation.summaries.summary import (
    SMALL_TUMOUR_LIMITS,
    SizeClass,
    absent_tumours,
    by_size,
    components_of,
    lesion_means,
    means,
    overlaps,
    scored_regions,
    size_class,
    small_tumours,
)
from smalltumor.labels.regions import REGION_NAMES, Region
from smalltumor.labels.small_lesions import SMALL_LESION_VOXELS
from smalltumor.text import pluralize

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


def report_text(evaluation: Evaluation, comparison: Comparison | None = None) -> str:
    """Return the tables of Ngo et al. 2020, the lesion scores, and every case as plain text.

    Parameters
    ----------
    evaluation : Evaluation
    comparison : Comparison, optional
        With other predictions of the same cases.
    """
    parts = [
        f"{pluralize(len(evaluation.cases), 'case')}; predictions in the scheme "
        f"{evaluation.prediction_scheme}, truth in {evaluation.truth_scheme}",
        *evaluation.notes,
        _all_cases(evaluation),
        _intervals(evaluation),
        *_compared(comparison),
        *(_small_tumours(evaluation, limit) for limit in SMALL_TUMOUR_LIMITS),
        _published_dice(evaluation),
        _lesions(evaluation),
        _components(evaluation),
        *_froc(evaluation),
        _absent(evaluation),
        _each_case(evaluation),
        f"Scores of empty masks: {EMPTY_MASK_SCORES}.",
    ]
    return "\n\n".join(parts)


def _froc(evaluation: Evaluation) -> list[str]:
    """Sensitivity of the mask alone, and with candidates at some rates of false positives."""
    if not evaluation.candidates:
        return []
    points = at_rates(froc_curve(evaluation.candidates))
    names = ["mask alone", *(f"and candidates, at most {rate:g}" for rate in RATES)]
    rows = [
        (
            name,
            point.false_positives_per_case,
            f"{point.found} of {point.components}",
            *_sensitivity(point),
        )
        for name, point in zip(names, points, strict=True)
    ]
    false = sum(case.false_in_mask for case in evaluation.candidates) / len(evaluation.candidates)
    title = (
        f"ET components of {MIN_COMPONENT_VOXELS} to {SMALL_LESION_VOXELS - 1} voxels that are "
        f"found, by false positives per case ({pluralize(len(evaluation.candidates), 'case')}; the "
        f"masks have {false:.2f} false components per case)"
    )
    head = ("", "false positives", "found", "sensitivity", "95 % interval")
    return [text_table(title, head, rows)]


def _sensitivity(point: FrocPoint) -> tuple[float | None, str]:
    estimate = point.sensitivity
    if estimate.low is None or estimate.high is None:
        return estimate.value, "-"
    return estimate.value, f"{estimate.low:.3f} to {estimate.high:.3f}"


def _all_cases(evaluation: Evaluation) -> str:
    head = ("region", "Dice", "median", "NSD", "TPR", "FPR", "HD95 mm", "median", "false ml")
    rows = []
    for region in scored_regions(evaluation.cases):
        mean = means(overlaps(evaluation.cases, region))
        scores = (mean.dice, mean.dice_median, mean.nsd, mean.tpr, mean.fpr)
        rows.append(
            (
                region.upper(),
                *scores,
                *map(_one_decimal, (mean.hd95, mean.hd95_median)),
                mean.false_ml,
            )
        )
    title = f"All cases: means and medians (NSD: surfaces within {NSD_TOLERANCE_MM:g} mm)"
    return text_table(title, head, rows)


def _intervals(evaluation: Evaluation) -> str:
    """The means of each region with their intervals."""
    patients = {patient_key(case.name) for case in evaluation.cases}
    if len(patients) < MIN_PATIENTS:
        return f"{pluralize(len(patients), 'patient')}: too few for 95 % intervals of the means"
    rows = [
        (measure.name, estimate.value, interval_text(estimate))
        for measure, estimate in estimates(evaluation.cases).items()
    ]
    return "\n\n".join([text_table("Means", ("", "mean", "95 % interval"), rows), INTERVAL])


def _compared(comparison: Comparison | None) -> list[str]:
    if comparison is None:
        return []
    title = (
        "These predictions (A) minus the baseline (B), paired over the "
        f"{pluralize(comparison.cases, 'case')} on both sides"
    )
    sides = (("A", comparison.only_in_one), ("B", comparison.only_in_other))
    alone = [f"Left out, only in {side}: {', '.join(names)}" for side, names in sides if names]
    alone += [
        f"Left out of {region.upper()}, for which one side has no class: {', '.join(names)}"
        for region, names in comparison.regions_of_one_side.items()
    ]
    return [difference_table(title, comparison.differences), *alone, VERDICTS]


def _small_tumours(evaluation: Evaluation, limit: int) -> str:
    number = SMALL_TUMOUR_LIMITS.index(limit) + 1
    mean = means(small_tumours(evaluation, limit))
    rows: list[Row] = [
        (f"here, {pluralize(mean.cases, 'case')}", mean.dice, mean.tpr, mean.fpr, mean.false_ml)
    ]
    rows += [(method, *scores, "") for method, scores in PUBLISHED_SMALL[limit].items()]
    title = (
        f"Enhancing tumour below {limit} voxels (Table {number} of Ngo et al. 2020, whose figures "
        "are of other patients: a fifth of BraTS 2018's training set)"
    )
    return text_table(title, ("", "Dice", "TPR", "FPR", "false ml"), rows)


def _published_dice(evaluation: Evaluation) -> str:
    order = (Region.ET, Region.WT, Region.TC)
    here = [means(overlaps(evaluation.cases, region)) for region in order]
    least, most = min(mean.cases for mean in here if mean.cases), len(evaluation.cases)
    number = pluralize(most, "case") if least == most else f"{least} to {most} cases"
    rows: list[Row] = [(f"here, {number}", *(mean.dice for mean in here))]
    rows += [(method, *(dice[r] for r in order)) for method, dice in PUBLISHED_DICE.items()]
    title = "Dice (Table 3 of Ngo et al. 2020, whose figures are of BraTS 2018's validation set)"
    return text_table(title, ("", *(r.upper() for r in order)), rows)


def _lesions(evaluation: Evaluation) -> str:
    head = ("region", "lesions", "found", "missed", "false", "Dice", "HD95 mm", "ignored")
    rows = []
    for region in scored_regions(evaluation.cases):
        mean = lesion_means(evaluation.cases, region)
        counts = (mean.lesions, mean.found, mean.missed, mean.false_lesions)
        rows.append((region.upper(), *counts, mean.dice, _one_decimal(mean.hd95), mean.ignored))
    title = (
        f"Lesions as BraTS 2023 scores gliomas (truth dilated by {GLIOMA_RULE.dilation_mm:g} mm; "
        f"missed and false ones have Dice 0 and HD95 {NO_OVERLAP_HD95:g}; those of the truth up to "
        f"{GLIOMA_RULE.ignore_mm3:g} mm3 are ignored)"
    )
    return text_table(title, head, rows)


def _components(evaluation: Evaluation) -> str:
    regions = scored_regions(evaluation.cases)
    head = ("voxels", *(f"{r.upper()} {what}" for r in regions for what in ("found", "covered")))
    columns = [by_size(evaluation.cases, region) for region in regions]
    rows: list[Row] = []
    for row in zip(*columns, strict=True):
        span = f"{row[0].start} to {row[0].stop - 1}" if row[0].stop else f"{row[0].start} and up"
        rows.append((span, *_found_and_covered(row)))
    for limit in reversed(SMALL_TUMOUR_LIMITS):
        below = [size_class(components_of(evaluation.cases, r), 1, limit) for r in regions]
        rows.append((f"all below {limit}", *_found_and_covered(below)))
    title = "Components of the truth by size: found (any voxel predicted), mean share covered"
    return text_table(title, head, rows)


def _found_and_covered(classes: Iterable[SizeClass]) -> list[object]:
    return [cell for c in classes for cell in (f"{c.found} of {c.components}", c.covered)]


def _absent(evaluation: Evaluation) -> str:
    lines = []
    for region in Region:
        count, false_positives = absent_tumours(evaluation, region)
        if not count:
            continue
        named = ", ".join(
            f"{c.name} ({c.regions[region].overlap.predicted_voxels} voxels)"
            for c in false_positives
        )
        verdict = (
            f"reported in {len(false_positives)}: {named}"
            if false_positives
            else "reported in none"
        )
        lines.append(f"{pluralize(count, 'case')} without {REGION_NAMES[region]}: {verdict}")
    if not lines and any(len(case.regions) < len(Region) for case in evaluation.cases):
        return "No region that was scored is empty in the truth"
    return "\n".join(lines) or "Every case has all three regions"


def _each_case(evaluation: Evaluation) -> str:
    regions = scored_regions(evaluation.cases)
    head = ("case", *(f"{r.upper()} {what}" for r in regions for what in ("Dice", "voxels")))
    rows = [
        (case.name, *(cell for region in regions for cell in _dice_and_voxels(case, region)))
        for case in evaluation.cases
    ]
    return text_table("Each case: Dice, and voxels of the truth", head, rows)


def _dice_and_voxels(case: CaseScores, region: Region) -> tuple[float | None, int | None]:
    scores = case.regions.get(region)
    return (None, None) if scores is None else (scores.overlap.dice, scores.overlap.truth_voxels)


def _one_decimal(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f}"
