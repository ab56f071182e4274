"""Which cases a network has been trained and selected on, and whether these may lack modalities."""

from __future__ import annotations

import pytest
from smalltumor.data.naming.case_files import OPTIONAL_MODALITIES
from smalltumor.models.card import (
    dice_without,
    images_trained_on,
    is_trained_with_modality_dropout,
    known_cases,
    lists_all_cases,
    readable_card,
    selected_on,
    trained_on,
    was_trained_on,
    without_names,
)
from smalltumor.models.checkpoint import load_checkpoint

CHAIN = {"trained_on": ["c", "b"], "started_from_trained_on": ["a", "b"]}
UNKNOWN = {"trained_on": ["c"], "started_from_trained_on": "unknown: see case_1, case-2.x"}


def test_cases_of_the_starting_weights_count_as_trained_on():
    assert known_cases(CHAIN) == {"a", "b", "c"}
    assert trained_on(CHAIN) == ["c", "b", "a"]
    assert lists_all_cases(CHAIN)


def test_a_sentence_may_name_cases_but_is_no_list():
    assert known_cases(UNKNOWN) > {"c", "case_1", "case-2.x"}
    assert trained_on(UNKNOWN) == "c; unknown: see case_1, case-2.x"
    assert not lists_all_cases(UNKNOWN)


def test_a_network_was_selected_on_the_cases_by_whose_scores_it_or_its_start_was_chosen():
    card = {"selected_on": ["a"], "started_from_selected_on": ["b"]}
    assert selected_on(card) == {"a", "b"}
    assert selected_on({"selected_on": []}) == frozenset()


@pytest.mark.parametrize("names", [3, "a", None])
def test_names_of_another_form_are_ignored(names):
    assert selected_on({"selected_on": names, "started_from_selected_on": names}) == frozenset()


@pytest.mark.parametrize("card", [{}, {"name": "x"}])
def test_a_card_without_cases_lists_none(card):
    assert known_cases(card) == frozenset()
    assert trained_on(card) == "not said"
    assert not lists_all_cases(card)


@pytest.mark.parametrize(
    ("entry", "expected"), [(0.2, True), (1, True), (0, False), (None, False), ("often", False)]
)
def test_weights_are_trained_with_modality_dropout_if_the_card_gives_a_probability(entry, expected):
    assert is_trained_with_modality_dropout({"modality_dropout": entry}) is expected
    assert not is_trained_with_modality_dropout({})


def test_a_card_tells_what_one_missing_sequence_costs():
    card = {"dice_without": {"patients": 50, "all": {"et": 0.8, "wt": 0.9}, "t2": {"et": 0.7}}}
    assert dice_without(card, ["t2"]) == (("et", 0.7, 0.8),)
    for missing in ([], ["t1"], ["t1", "t2"]):
        assert dice_without(card, missing) == ()
    assert dice_without({}, ["t2"]) == ()


def test_the_shipped_weights_tell_it_for_each_sequence():
    card = load_checkpoint().card
    for missing in OPTIONAL_MODALITIES:
        assert [name for name, _, _ in dice_without(card, [missing])] == ["et", "tc", "wt"]
    assert selected_on(card) == {"BraTS2021_00019"}


def test_a_patient_is_known_to_have_been_trained_on_at_any_visit_if_the_cases_are_listed():
    card = {"trained_on": ["P2"], "started_from_trained_on": ["P1_visit1"]}
    assert was_trained_on(card, "P1_visit2", {}) and was_trained_on(card, "P2", {})
    assert not was_trained_on(card, "P3", {})
    assert not was_trained_on({"trained_on": "P1 and others"}, "P1", {})
    assert not was_trained_on({}, "P1", {})
    tuned = {"trained_on": ["P1", "P2"], "started_from_trained_on": "not said"}
    assert was_trained_on(tuned, "P1", {}) and not was_trained_on(tuned, "said", {})


@pytest.mark.parametrize("key", ["trained_on_images", "started_from_trained_on_images"])
def test_a_patient_is_known_by_a_part_of_an_image_whatever_it_is_called_and_in_whatever_role(key):
    card = {"trained_on": ["P1"], key: ["aa,,bb", "cc"]}
    assert was_trained_on(card, "P7", {"t1ce": "zz,,bb"})
    assert was_trained_on(card, "P7", {"t1": "cc", "t1ce": "yy"})
    assert not was_trained_on(card, "P7", {"t1ce": "zz,,yy"})
    assert not was_trained_on({**card, key: "aa,bb"}, "P7", {"t1ce": "bb"})  # a damaged card


def test_the_shipped_weights_know_their_patients_by_their_images():
    card = load_checkpoint().card
    assert len(images_trained_on(card)) == len(card["trained_on"]) == 50


def test_people_read_how_many_images_there_are_and_others_do_not_get_them():
    card = {"name": "x", "trained_on": ["P1", "P2"], "trained_on_images": ["aa", "bb"]}
    assert readable_card(card) == card | {"trained_on_images": "digests of 2 images"}
    assert without_names(card) == {"name": "x", "trained_on": "2 cases, not named"}
