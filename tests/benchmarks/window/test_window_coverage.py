"""Choosing the tests that reach every line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from window_coverage import chosen, times

LINES = st.dictionaries(
    st.sampled_from("abcdef"), st.sets(st.tuples(st.just("f.py"), st.integers(0, 9))), min_size=1
)


@given(LINES)
def test_the_chosen_tests_reach_every_line_and_each_adds_one(lines):
    needed = chosen(lines, dict.fromkeys(lines, 1.0))
    have = set()
    for test in needed:
        assert lines[test] - have
        have |= lines[test]
    assert have == set().union(*lines.values())


def test_a_slow_test_is_not_needed_for_what_faster_ones_reach():
    one, two = ("f.py", 1), ("f.py", 2)
    lines = {"slow": {one, two}, "a": {one}, "b": {two}}
    assert chosen(lines, {"slow": 9.0, "a": 0.1, "b": 0.1}) == ["a", "b"]


def test_times_are_named_as_pytest_prints_tests(tmp_path):
    report = tmp_path / "times.xml"
    report.write_text(
        '<testsuite><testcase classname="tests.gui.test_keys" name="test_a[x.y]" time="1.5"/>'
        "</testsuite>"
    )
    assert times(report) == {"tests/gui/test_keys.py::test_a[x.y]": 1.5}
