"""Results of a cohort, read again and ranked by what deserves a look."""

from __future__ import annotations

import pytest
from cohort_results import WARNING, write_results
from smalltumor.cohort.results.results import CaseResult, ListedLesion, read_info, read_results
from smalltumor.cohort.results.results_folder import SETTINGS, TABLE
from smalltumor.cohort.results.rows import CohortRow
from smalltumor.cohort.reviews.ranking import Order, deserves_look, ranked, reasons_of
from smalltumor.data.input_checks import Finding, FindingKind
from smalltumor.errors import SmalltumorError
from smalltumor.files.tables import joined


def result(name: str, *, warnings: str = "", second=(), small=(), lowest=None):
    listed = [ListedLesion("candidate", (0, 0, 0), 9, score) for score in second]
    listed += [ListedLesion("small lesion", (0, 0, 0), 9, score) for score in small]
    return CaseResult(CohortRow(name, "segmented", warnings=warnings), tuple(listed), (), lowest)


def test_a_warning_that_holds_a_semicolon_is_one_warning(tmp_path):
    findings = [
        Finding(FindingKind.CUT, 12.0, side="S"),
        Finding(FindingKind.SWAPPED, modalities=("t1", "t2")),
    ]
    texts = [str(finding) for finding in findings]
    assert "; " in texts[0]
    row = CohortRow("a", "segmented", warnings=joined(texts))
    assert CaseResult(row).warnings == tuple(texts)
    assert reasons_of(CaseResult(row)) == ["2 warnings"]


def test_settings_and_rows_are_those_that_were_written(tmp_path):
    data, output = write_results(tmp_path)
    info = read_info(output)
    assert (info.scheme, info.weights, info.digest, info.data) == (
        *("brats2018", "starter", "c0ffee"),
        data,
    )
    ann, bob, cyd, dan = read_results(output)
    assert ann.row.et_ml == pytest.approx(60 * 64 / 1000)
    assert (ann.listed, ann.lowest_probability) == ((), 0.9)
    assert [lesion.kind for lesion in bob.listed] == ["candidate", "small lesion"]
    assert bob.listed[0].score == pytest.approx(0.4)
    assert bob.listed[1].centre == pytest.approx((12.5, 8.5, 8))
    assert cyd.warnings == (WARNING,)
    assert dan.failed and dan.row.note == "no T1CE image"


def test_warnings_come_first_then_sums_of_scores_then_doubtful_lesions_then_low_probabilities():
    cases = [
        result("sure", lowest=0.9),
        result("unsure", lowest=0.6),
        result("two small", small=(0.4, 0.3), lowest=0.9),
        result("one small", small=(0.4, 0.8), lowest=0.6),
        result("faint candidates", second=(0.1, 0.04), small=(0.7,), lowest=0.9),
        result("many candidates", second=(0.2, 0.2), lowest=0.9),
        result("one candidate", second=(0.3,), lowest=0.9),
        result("doubtful", warnings="a | b", lowest=0.9),
        CaseResult(CohortRow("failed", "failed")),
        result("unknown"),
    ]
    looks = ["doubtful", "many candidates", "one candidate", "two small", "one small"]
    others = ["faint candidates", "unsure", "sure", "unknown"]
    assert [case.name for case in ranked(cases)] == [*looks, *others, "failed"]
    assert {case.name for case in cases if deserves_look(case)} == set(looks)


@pytest.mark.parametrize(
    ("second", "small", "look"),
    [
        ((0.25,), (), True),
        ((0.24,), (), False),
        ((0.13, 0.12), (), True),
        ((None,), (), True),
        ((), (0.49,), True),
        ((), (0.5,), False),
        ((), (None,), True),
        ((), (), False),
    ],
)
def test_a_look_takes_a_sum_of_scores_or_a_doubtful_lesion(second, small, look):
    assert deserves_look(result("a", second=second, small=small)) is look


def test_reasons_are_counted():
    case = result("a", warnings="x", second=(0.2, 0.1), small=(0.3, 0.8), lowest=0.543)
    assert reasons_of(case) == [
        *("1 warning", "2 candidates (scores add up to 0.30)"),
        *("2 small lesions (1 doubtful)", "lowest probability 0.54"),
    ]
    one = result("b", second=(0.1,), small=(0.8,))
    assert reasons_of(one) == ["1 candidate (score 0.10)", "1 small lesion"]


def test_a_lesion_table_that_cannot_be_read_is_a_warning(tmp_path):
    _, output = write_results(tmp_path)
    (output / "ann_lesions.csv").write_text("damaged")
    ann = read_results(output)[0]
    assert ann.warnings == ("ann_lesions.csv cannot be read",)


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(SmalltumorError, match=f"holds no results of a cohort: no {SETTINGS}"):
        read_info(tmp_path)
    (tmp_path / TABLE).write_text("case,outcome,et_ml\nann,segmented,much\n")
    with pytest.raises(SmalltumorError, match=r"cohort\.csv is damaged"):
        read_results(tmp_path)
    (tmp_path / TABLE).write_text("case,outcome\nann,unheard\n")
    with pytest.raises(SmalltumorError, match="unheard"):
        read_results(tmp_path)


def test_least_certain_first_begins_with_empty_masks_and_ends_with_what_is_not_known():
    rows = [
        CohortRow("sure", "segmented", 1, 1, 1, expected_dice_et=0.9, expected_dice_wt=0.9),
        CohortRow("unsure", "kept", 1, 1, 1, expected_dice_et=0.6, expected_dice_wt=0.9),
        CohortRow("unsure, no ET", "segmented", 0, 0, 1, expected_dice_wt=0.7),
        CohortRow("nothing found", "segmented", 0, 0, 0),
        CohortRow("not estimated", "kept", 1, 1, 1),
        CohortRow("failed", "failed"),
    ]
    results = ranked(map(CaseResult, rows), Order.CERTAINTY)
    assert [one.name for one in results] == [
        *("nothing found", "unsure, no ET", "unsure", "sure", "not estimated", "failed")
    ]
    assert reasons_of(results[2]) == ["expected Dice 0.75"]
