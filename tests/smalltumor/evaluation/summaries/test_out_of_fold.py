"""Measures over out-of-fold cases, and paired differences between two sets of results."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.errors import CaseError
from smalltumor.evaluation.report.out_of_fold_report import (
    Results,
    as_json,
    comparison_text,
    results_text,
)
from smalltumor.evaluation.summaries.case_rows import CaseRow
from smalltumor.evaluation.summaries.out_of_fold import (
    differences,
    estimates,
    notes_on_regions,
    worst_cases,
)


def row(case: str, dice: float = 0.5, **changed) -> CaseRow:
    values = {f"{region}_dice": dice for region in ("et", "tc", "wt")}
    values |= {f"{region}_tpr": 0.5 for region in ("et", "tc", "wt")}
    values |= {f"{region}_false_ml": 0.0 for region in ("et", "tc", "wt")}
    values |= {"et_voxels": 5000, "et_predicted_voxels": 5000, "false_components": 0}
    values |= {"small_components": 0, "small_found": 0, "weights": ""}
    values |= {"patient": case}
    return CaseRow(**(values | {"case": case} | changed))


FOUR = [
    row("a", 0.8, small_components=3, small_found=1, false_components=2),
    row("b", 0.4, et_voxels=1500, small_components=1, small_found=1, et_tpr=0.3),
    row("c", 0.6, et_voxels=900, et_tpr=0.7),
    row("d", 0.0, et_voxels=0, et_tpr=None, et_predicted_voxels=30, false_components=1),
]


def values(rows) -> dict[str, tuple[float | None, int]]:
    return {m.name: (e.value, e.patients) for m, e in estimates(rows).items()}


def test_each_measure_is_over_the_patients_it_concerns():
    found = values(FOUR)
    assert found["Dice ET"] == (pytest.approx(0.45), 4)
    assert found["Dice ET below 2000 voxels"] == (pytest.approx(0.5), 2)
    assert found["Dice ET below 1000 voxels"] == (pytest.approx(0.6), 1)
    assert found["TPR ET below 2000 voxels"] == (pytest.approx(0.5), 2)
    assert found["ET components of 20 to 1999 voxels found"] == (pytest.approx(2 / 4), 2)
    assert found["false ET components per patient"] == (pytest.approx(3 / 4), 4)
    assert found["ET voxels in patients without ET"] == (30, 1)


def test_a_measure_that_no_patient_has_is_none():
    found = values([row("a", false_components=None)])
    assert found["Dice ET below 2000 voxels"] == (None, 0)
    assert found["false ET components per patient"] == (None, 0)


@given(st.permutations(FOUR))
def test_the_order_of_the_cases_changes_nothing(rows):
    assert estimates(rows) == estimates(FOUR)
    assert worst_cases(rows) == worst_cases(FOUR)


def test_the_worst_cases_come_first():
    assert [r.case for r in worst_cases(FOUR, 2)] == ["d", "b"]


def moved(rows, by: float, **changed):
    return [replace(r, et_dice=r.et_dice + by, **changed) for r in rows]


def verdicts(one, other) -> dict[str, str]:
    return {d.measure.name: d.verdict for d in differences(one, other)}


def test_a_difference_is_told_from_chance_by_its_interval():
    many = [row(f"case{n}", 0.5 + 0.01 * n) for n in range(12)]
    assert verdicts(moved(many, 0.1), many)["Dice ET"] == "better"
    assert verdicts(moved(many, -0.1), many)["Dice ET"] == "worse"
    back_and_forth = [replace(r, et_dice=r.et_dice + 0.1 * (-1) ** n) for n, r in enumerate(many)]
    assert verdicts(back_and_forth, many)["Dice ET"] == "may be chance"
    assert verdicts(many, many)["Dice ET below 2000 voxels"] == "not measured"
    assert verdicts(moved(FOUR, 0.1), FOUR)["Dice ET"] == "too few patients"


def test_more_false_components_are_worse():
    many = [row(f"case{n}") for n in range(12)]
    more = moved(many, 0, false_components=1)
    assert verdicts(more, many)["false ET components per patient"] == "worse"
    assert verdicts(many, more)["false ET components per patient"] == "better"


def test_a_comparison_is_paired_over_the_cases_of_both_sides():
    other = [*reversed(moved(FOUR[1:], -0.25)), row("e", 1.0)]
    difference = differences(FOUR, other)[0]
    assert difference.one == pytest.approx((0.4 + 0.6 + 0.0) / 3)
    assert difference.estimate.value == pytest.approx(0.25)
    assert (difference.estimate.low, difference.estimate.patients) == (pytest.approx(0.25), 3)
    text = comparison_text(Results("new", tuple(FOUR)), Results("old", tuple(other)))
    assert "new (A) minus old (B), paired over the 3 cases on both sides" in text
    assert "Left out, only on the side of new: a" in text
    assert "Left out, only on the side of old: e" in text


def test_a_measure_is_compared_over_the_cases_that_count_on_both_sides():
    """Of the other side, two cases come from an evaluation without false components."""
    many = [row(f"case{n}", false_components=n) for n in range(8)]
    other = [*many[:6], *(replace(r, false_components=None) for r in many[6:])]
    found = {d.measure.name: d for d in differences(many, other)}["false ET components per patient"]
    assert (found.one, found.other) == (2.5, 2.5)
    estimate = found.estimate
    assert (estimate.value, estimate.low, estimate.high, estimate.patients) == (0, 0, 0, 6)


def test_scans_of_one_patient_count_as_one_patient():
    scans = [row(f"case{n}", 0.5 + 0.1 * (n % 2), patient=f"p{n // 4}") for n in range(8)]
    assert values(scans)["Dice ET"] == (pytest.approx(0.55), 2)
    assert "r: 8 out-of-fold cases of 2 patients" in results_text(Results("r", tuple(scans)))
    (difference, *_) = differences(moved(scans, 0.1), scans)
    assert (difference.verdict, difference.estimate.patients) == ("too few patients", 2)


def test_results_without_a_common_case_are_refused():
    with pytest.raises(CaseError, match="no case is on both sides"):
        differences(FOUR, [row("other")])


def test_results_against_different_truths_are_refused():
    with pytest.raises(CaseError, match="b: the two sides were scored against different"):
        differences(FOUR, [replace(FOUR[1], et_voxels=1501)])
    with pytest.raises(CaseError, match=r"a: .* \(3 and 2 small components"):
        differences(FOUR, [replace(FOUR[0], small_components=2)])


def test_the_report_names_what_the_table_cannot():
    text = results_text(Results("recipe", tuple(FOUR), ("fold-2 is not done",)))
    assert "recipe: 4 out-of-fold cases" in text
    assert "ET components of 20 to 1999 voxels found (2 of 4)" in text
    assert "Patients without ET, and the ET voxels predicted in them: d 30" in text
    assert "fold-2 is not done" in text
    assert "Every patient has" in results_text(Results("recipe", tuple(FOUR[:1])))


def test_the_numbers_are_plain_json():
    results = Results("recipe", tuple(FOUR))
    content = json.loads(json.dumps(as_json(results, results), allow_nan=False))
    assert content["results"]["measures"][0]["value"] == pytest.approx(0.45)
    assert content["results"]["worst_cases"][0] == "d"
    assert content["differences"][0] == {
        "measure": "Dice ET",
        "results": pytest.approx(0.45),
        "baseline": pytest.approx(0.45),
        "difference": 0.0,
        "low": 0.0,
        "high": 0.0,
        "patients": 4,
        "verdict": "too few patients",
    }
    assert "differences" not in as_json(results)


def test_a_region_that_was_not_scored_counts_neither_in_means_nor_for_the_worst_cases():
    without = [row("e", 0.1, tc_dice=None, wt_dice=None), *FOUR]
    values = {measure.name: estimate for measure, estimate in estimates(without).items()}
    assert (values["Dice ET"].patients, values["Dice TC"].patients) == (5, 4)
    of_four = {measure.name: estimate for measure, estimate in estimates(FOUR).items()}
    assert values["Dice TC"].value == of_four["Dice TC"].value
    assert [r.case for r in worst_cases(without, 2)] == ["d", "e"]


def test_a_note_names_the_cases_some_of_whose_regions_were_not_scored():
    rows = [row("e", tc_dice=None, wt_dice=None), row("f", wt_dice=None), *FOUR]
    reason = "not scored, because the expert's mask or the prediction has no class for a part of it"
    assert notes_on_regions(rows) == [f"TC and WT are {reason}: e", f"WT is {reason}: f"]
    assert notes_on_regions(FOUR) == []
