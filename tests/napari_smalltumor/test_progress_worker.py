"""What a run calls when it ends, and in which order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from napari_smalltumor.progress_worker import _slots_of_the_end, start


def succeed(progress: Callable[..., None], cancelled: Callable[[], bool]) -> str:
    return "result"


def fail(progress: Callable[..., None], cancelled: Callable[[], bool]) -> str:
    raise ValueError("no result")


@pytest.mark.parametrize(("job", "signal"), [(succeed, "returned"), (fail, "errored")])
def test_a_run_has_ended_before_anything_follows_its_result(job, signal, qtbot):
    calls: list[str] = []

    def record(name: str) -> Callable[..., None]:
        def called(*_: Any) -> None:
            calls.append(name)

        return called

    slots = {signal: record(signal), "finished": record("finished")}
    start(job, "a job", ended=record("ended"), **slots)
    qtbot.waitUntil(lambda: "finished" in calls)
    assert calls == [signal, "ended", "finished"]


@pytest.mark.parametrize("signal", ["returned", "errored", "aborted"])
def test_what_is_started_when_a_run_has_ended_is_not_taken_for_that_run(signal):
    """Qt delivers the end of a thread later than its result, and a click may come between."""
    running = ["first"]
    slots = _slots_of_the_end({signal: lambda *_: None, "finished": running.clear}, None)
    slots[signal](None)
    assert running == []
    running.append("second")
    slots["finished"]()
    assert running == ["second"]


def test_a_job_that_is_asked_to_stop_when_it_does_not_look_any_more_was_aborted(qtbot):
    calls: list[str] = []
    looked, asked = threading.Event(), threading.Event()

    def look_once(progress: Callable[..., None], cancelled: Callable[[], bool]) -> str:
        assert not cancelled()
        looked.set()
        assert asked.wait(60)
        return "result"

    slots = {name: lambda *_, name=name: calls.append(name) for name in ("returned", "aborted")}
    worker = start(look_once, "a job", ended=lambda: calls.append("ended"), **slots)
    worker.finished.connect(lambda: calls.append("finished"))
    qtbot.waitUntil(looked.is_set)
    worker.quit()
    asked.set()
    qtbot.waitUntil(lambda: "finished" in calls)
    assert calls == ["aborted", "ended", "finished"]
