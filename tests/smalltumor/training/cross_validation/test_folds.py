"""The split of a cross-validation: complete, stratified, and the same for the same cases."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.errors import TrainingError
from smalltumor.training.cross_validation.folds import Folds, stratum

FOLDS = st.integers(2, 6)
SEEDS = st.integers(0, 5)
CASES = st.dictionaries(
    st.text("abcdef0123", min_size=1, max_size=6),
    st.one_of(st.just(0), st.integers(1, 1999), st.integers(2000, 10**5)),
    min_size=6,
    max_size=40,
)


@given(CASES, FOLDS, SEEDS)
def test_every_case_is_held_out_by_exactly_one_fold(cases, number, seed):
    folds = Folds.draw(cases, number, seed)
    assert len(folds.held_out) == number
    assert Counter(name for names in folds.held_out for name in names) == Counter(cases.keys())
    assert folds.always_training == ()


@given(CASES, FOLDS, SEEDS)
def test_every_fold_has_its_share_of_each_stratum(cases, number, seed):
    folds = Folds.draw(cases, number, seed)
    assert spread([len(names) for names in folds.held_out]) <= 1
    for kind in range(3):
        assert (
            spread([sum(stratum(cases[n]) == kind for n in names) for names in folds.held_out]) <= 1
        )


def spread(counts) -> int:
    return max(counts) - min(counts)


@given(CASES, FOLDS, SEEDS, st.randoms(use_true_random=False))
def test_the_order_in_which_cases_are_found_changes_nothing(cases, number, seed, random):
    names = list(cases)
    random.shuffle(names)
    assert Folds.draw({n: cases[n] for n in names}, number, seed) == Folds.draw(cases, number, seed)


def test_another_seed_draws_other_folds():
    cases = {f"case_{n}": 5000 for n in range(20)}
    assert Folds.draw(cases, 4, 0) != Folds.draw(cases, 4, 1)


@given(CASES, FOLDS, SEEDS, st.data())
def test_cases_the_starting_weights_have_seen_are_trained_on_in_every_fold(
    cases, number, seed, data
):
    seen = data.draw(st.sets(st.sampled_from(sorted(cases)), max_size=len(cases) - number))
    folds = Folds.draw(cases, number, seed, {*seen, "elsewhere"})
    held_out = {name for names in folds.held_out for name in names}
    assert held_out == set(cases) - seen
    assert set(folds.always_training) == seen
    assert folds.cases == set(cases)
    assert folds.held_out == Folds.draw({n: cases[n] for n in held_out}, number, seed).held_out


@pytest.mark.parametrize(
    ("seen", "text"),
    [
        ([], "3 folds need at least 3 cases to hold out, not 2$"),
        (["a"], "not 1; the starting weights were trained on the others"),
    ],
)
def test_more_folds_than_cases_are_refused(seen, text):
    with pytest.raises(TrainingError, match=text):
        Folds.draw({"a": 1, "b": 2}, 3, 0, seen)


@given(CASES, FOLDS)
def test_folds_come_back_from_plain_values(cases, number):
    folds = Folds.draw(cases, number, 0, [min(cases)] if len(cases) > number else [])
    assert Folds.from_dict(folds.to_dict()) == folds
