"""Memory between two runs: released when it grows long, and only then."""

from __future__ import annotations

import threading
import time

import pytest
from smalltumor.inference import idle_timer
from smalltumor.inference.idle_timer import IdleTimer


def test_what_is_held_is_released_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle_timer, "IDLE_SECONDS", 0.01)
    released = threading.Event()
    IdleTimer().start(released.set)
    assert released.wait(10)


def test_a_run_that_comes_in_time_keeps_all_that_earlier_ones_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(idle_timer, "IDLE_SECONDS", 0.2)
    released: list[str] = []
    between = IdleTimer()
    between.start(lambda: released.append("first"))  # two runs at once, that end one by one
    between.start(lambda: released.append("second"))
    between.cancel()
    time.sleep(0.5)
    assert released == []


def test_a_release_that_has_begun_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle_timer, "IDLE_SECONDS", 0.01)
    began, released = threading.Event(), threading.Event()

    def release() -> None:
        began.set()
        time.sleep(0.2)
        released.set()

    between = IdleTimer()
    between.start(release)
    assert began.wait(10)
    others = [threading.Thread(target=between.cancel) for _ in range(3)]
    for other in others:
        other.start()
    between.cancel()
    assert released.is_set()
    for other in others:
        other.join()
