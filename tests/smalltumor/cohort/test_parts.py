"""Parts of a cohort: disjoint, complete, and the same in every job."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from smalltumor.cohort.parts import Part


def named(names):
    return [SimpleNamespace(name=name) for name in names]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_every_case_is_in_one_part_whatever_the_order_of_finding(count):
    names = "gbdface"
    parts = [[c.name for c in Part(i, count).of(named(names))] for i in range(1, count + 1)]
    assert sorted(name for part in parts for name in part) == sorted(names)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    if count > 1:
        again = [Part(i, count).of(named(reversed(names))) for i in range(1, count + 1)]
        assert [[c.name for c in part] for part in again] == parts


@pytest.mark.parametrize("text", ["0/2", "3/2", "1/0", "1", "a/b", "1/2/3", "-1/2", "1/2 ", ""])
def test_a_part_that_does_not_exist_is_refused(text):
    with pytest.raises(ValueError, match="part"):
        Part.parse(text)


def test_a_part_is_read_as_it_is_written():
    assert Part.parse("2/8") == Part(2, 8)
    assert str(Part.parse("2/8")) == "2/8"
