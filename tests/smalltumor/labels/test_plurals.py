"""A number and its noun agree."""

from __future__ import annotations

from smalltumor.labels.plurals import pluralize


def test_all_numbers_but_one_have_a_plural():
    assert [pluralize(n, "case") for n in range(3)] == ["0 cases", "1 case", "2 cases"]
