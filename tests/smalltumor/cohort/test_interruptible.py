"""Ctrl-C ends the waits of a cohort also where a signal ends no wait of a thread, as on Windows."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from multiprocessing import resource_tracker
from types import SimpleNamespace
from typing import Any, cast

import pytest
from smalltumor.cohort import interruptible
from smalltumor.cohort.interruptible import result_of
from smalltumor.cohort.pipeline import pipeline
from smalltumor.cohort.pipeline.pipeline import Pipeline
from smalltumor.cohort.workers.cluster import close_cluster

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals")


PATIENCE_S = 60


@pytest.fixture
def is_left(monkeypatch) -> Iterator[threading.Event]:
    """Press Ctrl-C when this thread waits; set when it has ended its wait, or never does.

    Another thread gets the signal, so that Python handles it in this one when it next can.
    """
    waits, left = threading.Event(), threading.Event()

    def wait_and_tell(*arguments: Any) -> Any:
        waits.set()
        return wait(*arguments)

    def press() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        if waits.wait(PATIENCE_S) and not left.wait(0.3):
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            left.wait(PATIENCE_S)
        left.set()

    resource_tracker.ensure_running()  # its start undoes the mask
    monkeypatch.setattr(interruptible, "wait", wait_and_tell)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    thread = threading.Thread(target=press)
    thread.start()
    yield left
    left.set()
    waits.set()
    thread.join()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def test_a_result_that_does_not_come_is_not_waited_for(is_left):
    with ThreadPoolExecutor() as pool:
        with pytest.raises(KeyboardInterrupt):
            result_of(pool.submit(is_left.wait))
        assert not is_left.is_set()
        is_left.set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interruption_within_a_destructor_is_not_lost(monkeypatch):
    class Destroyed:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)

    def wait_long(futures: list[Future[None]], timeout: float) -> Any:
        Destroyed()
        return wait(futures, timeout)

    monkeypatch.setattr(interruptible, "wait", wait_long)
    ended = Future[None]()
    timer = threading.Timer(PATIENCE_S, ended.set_result, [None])
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            result_of(ended)
        assert not ended.done()
    finally:
        timer.cancel()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_that_comes_with_the_one_that_ends_the_wait_is_handled(monkeypatch):
    handled: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: handled.append(number))

    def wait_long(futures: list[Future[None]], timeout: float) -> Any:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        return wait(futures, 0)

    monkeypatch.setattr(interruptible, "wait", wait_long)
    try:
        with pytest.raises(KeyboardInterrupt):
            result_of(Future[None]())
        assert handled == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_cluster_that_does_not_close_is_left(is_left):
    cluster = SimpleNamespace(close=lambda timeout: is_left.wait(), workers={})
    with pytest.raises(KeyboardInterrupt):
        close_cluster(cluster)
    assert not is_left.is_set()


def test_a_case_that_does_not_end_is_left(is_left, monkeypatch):
    nothing = cast("Any", SimpleNamespace(name="a", task="segment"))
    monkeypatch.setattr(pipeline, "read_images", lambda *arguments: is_left.wait())
    with Pipeline(nothing, nothing, 0) as stages:
        with pytest.raises(KeyboardInterrupt):
            next(stages.rows([nothing]))
        assert not is_left.is_set()
        is_left.set()


def test_what_a_future_holds_is_returned_or_raised():
    ended, failed = Future[int](), Future[int]()
    ended.set_result(3)
    failed.set_exception(TimeoutError("of the task"))
    assert result_of(ended) == 3
    with pytest.raises(TimeoutError, match="of the task"):
        result_of(failed)
