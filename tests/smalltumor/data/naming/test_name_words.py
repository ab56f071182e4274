"""Words of names, also those that are glued together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.data.naming.name_words import plain_text, split_words

KINDS = {"gd": "a", "ce": "a", "post": "P", "no": "n", "space": "x", "造影": "a", "前": "s"}


def words(text):
    plain = plain_text(text)
    return [(kind, plain[a:b]) for kind, a, b in split_words(plain, lambda w: KINDS.get(w, ""))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("post_gd", [("P", "post"), ("a", "gd")]),
        ("postgd", [("P", "post"), ("a", "gd")]),
        ("PostGd", [("P", "Post"), ("a", "Gd")]),
        ("SPACEce", [("x", "SPACE"), ("a", "ce")]),
        ("ABCce", [("x", "ABC"), ("a", "ce")]),
        ("gd2", [("a", "gd"), ("9", "2")]),
        ("T1造影前", [("x", "T1"), ("a", "造影"), ("s", "前")]),
        ("slice", [("x", "slice")]),
        ("Ice", [("x", "Ice")]),
        ("gdno", [("x", "gdno")]),
        ("ce12", [("x", "ce12")]),
        ("Gd- FS", [("a", "Gd"), ("~", "-"), ("x", "FS")]),
        ("a -Gd", [("x", "a"), ("-", "-"), ("a", "Gd")]),
    ],
)
def test_words_are_found_where_they_are_no_part_of_another_one(text, expected):
    assert words(text) == expected


def test_accents_and_full_width_letters_are_plain():
    assert plain_text("après Łódź ＋Ｃ 조영") == "apres Lodz +C 조영"


@given(st.text())
def test_words_are_in_order_and_have_kinds_of_one_letter(text):
    plain = plain_text(text)
    position = 0
    for kind, start, end in split_words(plain, lambda w: KINDS.get(w, "")):
        assert len(kind) == 1
        assert position <= start < end <= len(plain)
        position = end
