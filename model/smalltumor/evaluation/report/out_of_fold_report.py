"""The out-of-fold table and the comparison of two sets of results, as text and as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from smalltumor.data.identity.patients import key_of_patient
from smalltumor.evaluation.report.estimate_text import (
    INTERVAL,
    VERDICTS,
    difference_table,
    differences_json,
    estimate_json,
    interval_text,
)
from smalltumor.evaluation.report.text_table import text_table
from smalltumor.evaluation.statistics.measures import Measure
from smalltumor.evaluation.summaries.case_rows import CaseRow
from smalltumor.evaluation.summaries.out_of_fold import (
    FOUND,
    common_cases,
    differences,
    estimates,
    worst_cases,
)
from smalltumor.text import pluralize


@dataclass(frozen=True)
class Results:
    """Scores of cases that the network had not been trained on.

    Parameters
    ----------
    name : str
        What made the predictions.
    rows : tuple of CaseRow
        At least one.
    notes : tuple of str
        Remarks for the report, such as cases left out.
    """

    name: str
    rows: tuple[CaseRow, ...]
    notes: tuple[str, ...] = ()


def results_text(results: Results) -> str:
    """Return the measures with intervals, the patients without ET, and the worst cases."""
    rows = [
        (_named(measure, results.rows), estimate.patients, estimate.value, interval_text(estimate))
        for measure, estimate in estimates(results.rows).items()
    ]
    patients = len({key_of_patient(row.patient) for row in results.rows})
    of_patients = f" of {pluralize(patients, 'patient')}" if patients < len(results.rows) else ""
    title = f"{results.name}: {pluralize(len(results.rows), 'out-of-fold case')}{of_patients}"
    return "\n\n".join(
        [
            text_table(title, ("", "patients", "value", "95 % interval"), rows),
            *results.notes,
            _without_et(results.rows),
            _worst(results.rows),
        ]
    )


def _named(measure: Measure[CaseRow], rows: Iterable[CaseRow]) -> str:
    if measure is not FOUND:
        return measure.name
    terms = [measure.terms(row) for row in rows]
    found, number = (int(sum(values)) for values in zip(*terms, strict=True))
    return f"{measure.name} ({found} of {number})"


def _without_et(rows: Iterable[CaseRow]) -> str:
    absent = [f"{row.case} {row.et_predicted_voxels}" for row in rows if not row.et_voxels]
    if not absent:
        return "Every patient has enhancing tumour"
    return f"Patients without ET, and the ET voxels predicted in them: {', '.join(absent)}"


def _worst(rows: Sequence[CaseRow]) -> str:
    cells = [
        (row.case, row.et_dice, row.tc_dice, row.wt_dice, row.et_voxels)
        for row in worst_cases(rows)
    ]
    head = ("case", "Dice ET", "Dice TC", "Dice WT", "ET voxels")
    return text_table("Cases with the lowest Dice", head, cells)


def comparison_text(one: Results, other: Results) -> str:
    """Return the paired differences of all measures.

    Raises
    ------
    CaseError
        As `differences`.
    """
    common = common_cases(one.rows, other.rows)
    title = (
        f"{one.name} (A) minus {other.name} (B), paired over the {pluralize(len(common), 'case')} "
        "on both sides"
    )
    left_out = _left_out(one, other, common)
    table = difference_table(title, differences(one.rows, other.rows))
    return "\n\n".join([table, *left_out, VERDICTS])


def _left_out(one: Results, other: Results, common: set[str]) -> list[str]:
    lines = []
    for results in (one, other):
        alone = sorted(row.case for row in results.rows if row.case not in common)
        if alone:
            lines.append(f"Left out, only on the side of {results.name}: {', '.join(alone)}")
    return lines


def as_json(one: Results, other: Results | None = None) -> dict[str, Any]:
    """Return every number of both reports as plain dicts, lists and numbers."""
    content: dict[str, Any] = {"definition": {"interval": INTERVAL}, "results": _results_json(one)}
    if other is not None:
        content["baseline"] = _results_json(other)
        content["differences"] = differences_json(differences(one.rows, other.rows))
    return content


def _results_json(results: Results) -> dict[str, Any]:
    return {
        "name": results.name,
        "notes": list(results.notes),
        "measures": [
            {"measure": measure.name, **estimate_json(estimate, "value")}
            for measure, estimate in estimates(results.rows).items()
        ],
        "worst_cases": [row.case for row in worst_cases(results.rows)],
        "cases": [asdict(row) for row in results.rows],
    }
