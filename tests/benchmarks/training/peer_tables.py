"""Tables 1 and 2 of Ngo et al. 2020 for the networks of peers.py, and their paired differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from smalltumor.evaluation.report.estimate_text import INTERVAL
from smalltumor.evaluation.report.out_of_fold_report import Results, comparison_text
from smalltumor.evaluation.report.text_table import text_table
from smalltumor.evaluation.statistics.bootstrap import Estimate
from smalltumor.evaluation.statistics.measures import Measure
from smalltumor.evaluation.summaries.case_rows import CaseRow
from smalltumor.evaluation.summaries.out_of_fold import MEASURES, Terms, estimates
from smalltumor.evaluation.summaries.summary import SMALL_TUMOUR_LIMITS
from smalltumor.labels.regions import Region

BRATS_VOXELS = 240 * 240 * 155
"""Voxels of 1 mm in a BraTS volume: the false positive rate refers to all of them."""

Published = dict[str, tuple[float, float, float]]

PUBLISHED: dict[int, Published] = {
    2000: {
        "DMFNet": (0.2720, 0.2316, 0.0),
        "Reversible U-Net": (0.2828, 0.2479, 0.0),
        "No New-Net": (0.3154, 0.3322, 0.0001),
        "Ngo et al. 2020": (0.4499, 0.4269, 0.0001),
    },
    1000: {
        "DMFNet": (0.1638, 0.1456, 0.0),
        "Reversible U-Net": (0.1645, 0.1462, 0.0),
        "No New-Net": (0.2147, 0.2751, 0.0001),
        "Ngo et al. 2020": (0.3854, 0.3963, 0.0001),
    },
}
"""Dice, TPR and FPR of Tables 1 and 2, for a fifth of the training set of BraTS 2018."""


def report(results: Sequence[Results], reference: Results | None) -> str:
    """All tables.

    Parameters
    ----------
    results : sequence of Results
        Of each network; its name is printed.
    reference : Results or None
        The network that is compared with each of the others.
    """
    parts = [whole_table(results), *(small_table(results, n) for n in SMALL_TUMOUR_LIMITS)]
    if reference is not None:
        others = (other for other in results if other is not reference)
        parts += [comparison_text(reference, other) for other in others]
    return "\n\n".join([*parts, INTERVAL])


def whole_table(results: Sequence[Results]) -> str:
    """Mean Dice of the three regions over all cases."""
    measures = [_known(f"Dice {region.upper()}") for region in Region]
    head = ("", "cases", *(measure.name for measure in measures))
    return text_table("All patients", head, _rows(results, measures))


def small_table(results: Sequence[Results], limit: int) -> str:
    """Patients whose enhancing tumour has fewer voxels than the limit, as in Tables 1 and 2."""
    measures = [
        _known(f"Dice ET below {limit} voxels"),
        _known(f"TPR ET below {limit} voxels"),
        Measure("FPR", _small(limit, _false_positive_rate), higher_is_better=False),
        Measure("false ET, ml", _small(limit, lambda row: row.et_false_ml), higher_is_better=False),
    ]
    head = ("", "patients", "Dice", "TPR", "FPR", "false ET, ml")
    published = [
        (f"published: {name}", "", *(f"{value:.4f}" for value in values), "")
        for name, values in PUBLISHED[limit].items()
    ]
    number = SMALL_TUMOUR_LIMITS.index(limit) + 1
    title = f"Table {number}: patients with an enhancing tumour below {limit} voxels"
    return text_table(title, head, [*_rows(results, measures), *published])


def _rows(
    results: Sequence[Results], measures: Sequence[Measure[CaseRow]]
) -> Iterator[tuple[object, ...]]:
    for one in results:
        found = list(estimates(one.rows, measures).values())
        yield one.name, found[0].patients, *map(_cell, found)


def _cell(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "-"
    return f"{estimate.value:.4f} ({estimate.low:.4f} to {estimate.high:.4f})"


def _known(name: str) -> Measure[CaseRow]:
    return next(measure for measure in MEASURES if measure.name == name)


def _small(limit: int, value: Callable[[CaseRow], float]) -> Terms:
    return lambda row: (value(row), 1.0) if 0 < row.et_voxels < limit else (0.0, 0.0)


def _false_positive_rate(row: CaseRow) -> float:
    return 1000 * row.et_false_ml / (BRATS_VOXELS - row.et_voxels)
