"""Where a share of the cases validates, masks that people drew come first."""

from __future__ import annotations

from smalltumor.training.splits.manual_masks import manual_validation_cases

NAMES = ("P1", "P2", "P3_visit1", "P3_visit2", "P4", "P5", "P6")


def test_masks_that_people_drew_validate_instead_of_those_of_a_network():
    assert manual_validation_cases(NAMES, 5, {"P1", "P2"}) == ("P3_visit1", "P3_visit2", "P4")
    assert manual_validation_cases(NAMES[:4], 5, {"P1", "P2"}) == ("P3_visit1", "P3_visit2")
    assert manual_validation_cases(NAMES, 2, set(NAMES) - {"P5"}) == ("P5",)


def test_a_patient_with_one_mask_of_a_network_does_not_count_as_drawn():
    assert manual_validation_cases(NAMES, 5, {"P1", "P2", "P3_visit2"}) == ("P4", "P5")


def test_the_share_stays_as_it_is_if_it_has_drawn_masks_only_or_there_are_none():
    assert manual_validation_cases(NAMES, 5, {"P2", "P4"}) == ()
    assert manual_validation_cases(NAMES, 5, set(NAMES)) == ()
    assert manual_validation_cases(NAMES, 5, set()) == ()
    assert manual_validation_cases((), 5, set()) == ()
