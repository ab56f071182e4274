"""The split of a cross-validation: complete, stratified, and the same for the same cases."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.data.identity.patients import patient_of
from smalltumor.errors import TrainingError
from smalltumor.training.splits.folds import Folds, stratum

FOLDS = st.integers(2, 6)
SEEDS = st.integers(0, 5)
CASES = st.dictionaries(
    st.text("abcdef0123", min_size=1, max_size=6),
    st.one_of(st.just(0), st.integers(1, 1999), st.integers(2000, 10**5)),
    min_size=6,
    max_size=40,
)


@given(CASES, FOLDS, SEEDS)
def test_every_case_validates_exactly_one_fold(cases, number, seed):
    folds = Folds.stratified(cases, number, seed)
    assert len(folds.validation_cases) == number
    assert Counter(name for names in folds.validation_cases for name in names) == Counter(
        cases.keys()
    )
    assert folds.always_training == ()


@given(CASES, FOLDS, SEEDS)
def test_every_fold_has_its_share_of_each_stratum(cases, number, seed):
    folds = Folds.stratified(cases, number, seed)
    assert spread([len(names) for names in folds.validation_cases]) <= 1
    for kind in range(3):
        assert (
            spread(
                [sum(stratum(cases[n]) == kind for n in names) for names in folds.validation_cases]
            )
            <= 1
        )


def spread(counts) -> int:
    return max(counts) - min(counts)


@given(CASES, FOLDS, SEEDS, st.randoms(use_true_random=False))
def test_the_order_in_which_cases_are_found_changes_nothing(cases, number, seed, random):
    names = list(cases)
    random.shuffle(names)
    assert Folds.stratified({n: cases[n] for n in names}, number, seed) == Folds.stratified(
        cases, number, seed
    )


def test_another_seed_draws_other_folds():
    cases = {f"case_{n}": 5000 for n in range(20)}
    assert Folds.stratified(cases, 4, 0) != Folds.stratified(cases, 4, 1)


@given(CASES, FOLDS, SEEDS, st.data())
def test_cases_the_starting_weights_have_seen_are_trained_on_in_every_fold(
    cases, number, seed, data
):
    seen = data.draw(st.sets(st.sampled_from(sorted(cases)), max_size=len(cases) - number))
    folds = Folds.stratified(cases, number, seed, {*seen, "elsewhere"})
    validation_cases = {name for names in folds.validation_cases for name in names}
    assert validation_cases == set(cases) - seen
    assert set(folds.always_training) == seen
    assert folds.cases == set(cases)
    assert (
        folds.validation_cases
        == Folds.stratified({n: cases[n] for n in validation_cases}, number, seed).validation_cases
    )


SCANS = st.dictionaries(
    st.builds("UPENN-GBM-{:05}_{}".format, st.integers(0, 12), st.sampled_from((11, 21, 31))),
    st.one_of(st.just(0), st.integers(1, 1999), st.integers(2000, 10**5)),
    min_size=6,
    max_size=40,
)


@given(SCANS, SEEDS, st.data())
def test_scans_of_one_patient_are_in_one_fold_or_trained_on_in_all(scans, seed, data):
    seen = data.draw(st.sets(st.sampled_from(sorted(scans)), max_size=1))
    patients = {patient_of(name) for name in scans}
    if len(patients) - len(seen) < 2:
        return
    folds = Folds.stratified(scans, 2, seed, seen)
    parts = [
        {patient_of(n) for n in names} for names in (*folds.validation_cases, folds.always_training)
    ]
    assert sum(map(len, parts)) == len(set.union(*parts)) == len(patients)
    assert parts[2] == {patient_of(name) for name in seen}
    assert folds.cases == set(scans)
    assert spread([len(part) for part in parts[:2]]) <= 1


def test_a_table_of_patients_goes_before_the_names():
    cases = {f"case_{n}": 5000 for n in range(8)}
    patients = {name: f"p{n // 2}" for n, name in enumerate(cases)}
    for names in Folds.stratified(cases, 2, 0, patients=patients).validation_cases:
        assert Counter(patients[name] for name in names).most_common() == [
            (patients[name], 2) for name in names[::2]
        ]


def test_one_scan_of_each_patient_is_split_by_the_names_of_the_cases():
    """The folds of the model card can be drawn again."""
    cases = {f"UPENN-GBM-{n:05}_11": 5000 for n in range(6)}
    assert Folds.stratified(cases, 3, 0).validation_cases == (
        ("UPENN-GBM-00000_11", "UPENN-GBM-00003_11"),
        ("UPENN-GBM-00004_11", "UPENN-GBM-00005_11"),
        ("UPENN-GBM-00001_11", "UPENN-GBM-00002_11"),
    )


@pytest.mark.parametrize(
    ("seen", "text"),
    [
        ([], "3 folds need at least 3 patients to validate on, not 2$"),
        (["a"], "not 1; the starting weights were trained on the others"),
    ],
)
def test_more_folds_than_cases_are_refused(seen, text):
    with pytest.raises(TrainingError, match=text):
        Folds.stratified({"a": 1, "b": 2}, 3, 0, seen)


@given(CASES, FOLDS)
def test_folds_come_back_from_plain_values(cases, number):
    folds = Folds.stratified(cases, number, 0, [min(cases)] if len(cases) > number else [])
    assert Folds.from_dict(folds.to_dict()) == folds


def test_names_with_bytes_that_are_no_letters_are_drawn_as_others():
    folds = Folds.stratified({"a\udcff": 0, "b\udcfe": 0}, 2, 0)
    assert sorted(name for fold in folds.validation_cases for name in fold) == [
        "a\udcff",
        "b\udcfe",
    ]
