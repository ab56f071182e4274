"""Which case is blamed for a lost worker, and that none is lost or done twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.cohort.pipeline.jobs import Job
from smalltumor.cohort.workers.dispatcher import MAX_WORKER_LOSSES, Dispatcher
from smalltumor.data.naming.case_files import CaseFiles


def jobs(*names: str) -> list[Job]:
    return [Job(CaseFiles(name, {"t1ce": [Path(name)]})) for name in names]


def names_of(assigned) -> list[tuple[str, str]]:
    return [(address, job.name) for address, job in assigned]


def test_workers_get_as_many_cases_each_as_they_may_hold():
    dispatcher = Dispatcher(jobs(*"abcde"))
    assert names_of(dispatcher.assign({"x": 2, "y": 1}, 0)) == [("x", "a"), ("y", "b"), ("x", "c")]
    assert dispatcher.assign({"x": 2, "y": 1}, 0) == []
    dispatcher.ended("y", "b", 1)
    assert names_of(dispatcher.assign({"x": 2, "y": 1}, 1)) == [("y", "d")]


def test_cases_of_a_lost_worker_are_tried_again_one_at_a_time():
    dispatcher = Dispatcher(jobs(*"abcd"))
    dispatcher.assign({"x": 3}, 0)
    assert dispatcher.lost("x") == []
    assert names_of(dispatcher.assign({"y": 3}, 1)) == [("y", "a")]
    dispatcher.ended("y", "a", 2)
    assert names_of(dispatcher.assign({"y": 3}, 2)) == [("y", "b")]


def test_a_case_that_ends_its_worker_when_alone_is_named_the_second_time():
    dispatcher = Dispatcher(jobs("a"))
    for time in range(MAX_WORKER_LOSSES):
        assert names_of(dispatcher.assign({"x": 3}, time)) == [("x", "a")]
        given_up = dispatcher.lost("x")
    (row,) = given_up
    assert (row.case, row.outcome) == ("a", "failed")
    assert "2 workers crashed during it" in row.note
    assert dispatcher.done


def test_a_worker_hangs_if_no_case_ends_on_it_for_too_long():
    dispatcher = Dispatcher(jobs("a", "b"), timeout=10)
    dispatcher.assign({"x": 2}, now=0)
    assert dispatcher.hanging(10) == []
    dispatcher.ended("x", "a", 9)
    assert dispatcher.hanging(19) == []
    assert dispatcher.hanging(19.5) == ["x"]
    (row,) = dispatcher.lost("x", hung=True)
    assert (row.case, row.outcome) == ("b", "failed")
    assert row.note == "it took longer than 10 s and was ended"
    assert dispatcher.done


def test_no_case_is_blamed_for_a_worker_that_hangs_on_another():
    dispatcher = Dispatcher(jobs("a", "b"), timeout=10)
    dispatcher.assign({"x": 2}, now=0)
    assert dispatcher.lost("x", hung=True) == []
    assert names_of(dispatcher.assign({"y": 2}, 20)) == [("y", "a")]


@given(st.data(), st.sets(st.sampled_from("abcdefgh"), max_size=3))
def test_every_case_ends_once_whatever_happens_to_workers(data, deadly):
    """Deadly cases always end their worker; besides, workers are lost at any moment."""
    dispatcher, rows, time = Dispatcher(jobs(*"abcdefgh"), timeout=None), [], 0
    held: dict[str, list[str]] = {}
    accidents = 4
    while not dispatcher.done:
        time += 1
        assert time < 500
        for address, job in dispatcher.assign({"x": 3, "y": 2}, time):
            held.setdefault(address, []).append(job.name)
        address = data.draw(st.sampled_from(sorted(held)))
        cases = held[address]
        accident = accidents > 0 and len(cases) > 1 and data.draw(st.booleans())
        if deadly & set(cases) or accident:
            accidents -= accident
            rows += [(row.case, "failed") for row in dispatcher.lost(address)]
            del held[address]
        else:
            rows.append((cases[0], "segmented"))
            dispatcher.ended(address, cases.pop(0), time)
            if not cases:
                del held[address]
    expected = {(name, "failed" if name in deadly else "segmented") for name in "abcdefgh"}
    assert set(rows) == expected
    assert len(rows) == len(expected)


@pytest.mark.parametrize("workers", [{}, {"x": 0}])
def test_cases_wait_for_workers(workers):
    dispatcher = Dispatcher(jobs("a"))
    assert dispatcher.assign(workers, 0) == []
    assert not dispatcher.done
