"""Interruptions wait until the workers have started, and do not reach these."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial

import pytest
from smalltumor.cohort.interruptible import result_of
from smalltumor.cohort.workers.interruptions import (
    deferred_interruptions,
    started_with_sigint_blocked,
)


def interrupt(signum, frame):
    raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def handlers():
    """SIGTERM as the command line handles it, and both as before after the test."""
    before = {n: signal.signal(n, interrupt) for n in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_an_interruption_comes_after_the_block(number):
    ended = False
    with pytest.raises(KeyboardInterrupt), deferred_interruptions():
        os.kill(os.getpid(), number)
        ended = True
    assert ended
    assert signal.getsignal(number) is interrupt
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)


def test_an_error_in_the_block_is_raised():
    with pytest.raises(ValueError, match="no port"), deferred_interruptions():
        raise ValueError("no port")
    with deferred_interruptions():
        pass


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_process_that_is_started_meanwhile_does_not_get_ctrl_c_and_ends_by_sigterm():
    lines = "import signal; print(*signal.pthread_sigmask(signal.SIG_BLOCK, ()))"
    start = partial(subprocess.run, [sys.executable, "-c", lines], capture_output=True, text=True)
    masked, after = started_with_sigint_blocked(start).result(), start()
    assert (masked.stdout.split(), after.stdout.split()) == ([str(int(signal.SIGINT))], [])


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_what_a_call_returns_or_raises_is_passed_on():
    assert started_with_sigint_blocked(lambda: 3).result() == 3
    with pytest.raises(ValueError, match="three"):
        started_with_sigint_blocked(lambda: int("three")).result()


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_second_signal_ends_a_start_that_hangs():
    hangs = threading.Event()

    def start() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        # Linux gives a signal to any thread while another one waits for the main thread. In this
        # process that may be a thread of a library whose stack for signals is too small.
        while signal.SIGINT in signal.sigpending():
            time.sleep(0.01)
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGTERM)
        hangs.wait()

    with pytest.raises(KeyboardInterrupt), deferred_interruptions():
        result_of(started_with_sigint_blocked(start))
    assert not hangs.is_set()
    hangs.set()
    assert signal.getsignal(signal.SIGINT) is interrupt


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_deferred_signal_is_handled_as_the_program_handles_it(number):
    handled = []
    signal.signal(number, lambda *arguments: handled.append(arguments[0]))
    with deferred_interruptions():
        os.kill(os.getpid(), number)
        assert handled == []
    assert handled == [number]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_signal_that_is_ignored_stays_so(number):
    signal.signal(number, signal.SIG_IGN)
    with deferred_interruptions():
        assert signal.getsignal(number) == signal.SIG_IGN
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) == signal.SIG_IGN


def test_a_handler_that_is_not_of_python_stays(monkeypatch):
    kept = signal.getsignal
    monkeypatch.setattr(signal, "getsignal", lambda number: None)
    with deferred_interruptions():
        assert kept(signal.SIGINT) is interrupt


def test_in_another_thread_nothing_is_deferred():
    ended = threading.Event()

    def run() -> None:
        with deferred_interruptions():
            ended.set()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert ended.is_set()
