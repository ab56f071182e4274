"""Numbers are printed alike, whatever they were computed from, and words are listed alike."""

from __future__ import annotations

import pytest
from smalltumor.text import (
    date_text,
    list_text,
    mm3_text,
    pluralize,
    position_text,
    table_ml,
    volume_text,
)


def test_all_numbers_but_one_have_a_plural():
    assert [pluralize(n, "case") for n in range(3)] == ["0 cases", "1 case", "2 cases"]


@pytest.mark.parametrize(
    ("date", "text"),
    [
        ("20230512", "2023-05-12"),
        ("2023-05-12", "2023-05-12"),
        ("20231399", "20231399"),
        ("2023512", "2023512"),
        ("visit2", "visit2"),
        ("", ""),
    ],
)
def test_a_date_of_dicom_is_shown_in_iso_form_and_other_text_as_it_is(date, text):
    assert date_text(date) == text


def test_words_are_listed_with_commas_and_a_conjunction_before_the_last():
    assert list_text([]) == ""
    assert list_text(["ET"]) == "ET"
    assert list_text(["ET", "TC"]) == "ET and TC"
    assert list_text(iter(["ET", "TC", "WT"]), "or") == "ET, TC or WT"


def test_a_sum_of_lesions_is_printed_as_their_number_of_voxels():
    voxels = 1305
    of_lesions = sum(n * 1.0 / 1000 for n in (1000, 200, 105))
    of_affine = voxels * 1.0000000002 / 1000
    assert {volume_text(ml) for ml in (voxels / 1000, of_lesions, of_affine)} == {"1.31"}


@pytest.mark.parametrize(
    ("ml", "text"), [(0.0, "0.00"), (0.0125, "0.013"), (0.648, "0.648"), (19.72, "19.72")]
)
def test_small_volumes_have_three_decimals(ml, text):
    assert volume_text(ml) == text


@pytest.mark.parametrize(
    ("ml", "text"),
    [(0.001, "0.001"), (0.00099999, "0.001"), (0.000375, "0.00038"), (2.7e-5, "0.000027")],
)
def test_no_volume_is_printed_as_nothing(ml, text):
    assert volume_text(ml) == text


@pytest.mark.parametrize(
    ("mm3", "text"), [(0, "0"), (0.375, "0.38"), (0.9999999, "1"), (7.4, "7"), (1234.4, "1,234")]
)
def test_volumes_in_mm3_have_decimals_below_one_only(mm3, text):
    assert mm3_text(mm3) == text


def test_tables_keep_small_volumes():
    assert [table_ml(ml) for ml in (0, 0.000375, 0.0050001, 1.23456)] == [0, 0.000375, 0.005, 1.235]


@pytest.mark.parametrize(
    ("point", "text"),
    [((-97.2, 63.6, -0.3), "x −97  y 64  z 0"), ((12.0, -8.0, 40.0), "x 12  y −8  z 40")],
)
def test_letters_of_a_position_do_not_change_with_its_sign(point, text):
    """The origin of images may lie beside the head: L would pass for the patient's left."""
    assert position_text(point) == text
