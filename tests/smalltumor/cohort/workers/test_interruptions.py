"""Interruptions wait until the workers have started, and do not reach these."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest
from smalltumor.cohort.workers.interruptions import deferred_interruptions


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
    with deferred_interruptions():
        masked = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True)
    after = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True)
    assert (masked.stdout.split(), after.stdout.split()) == ([str(int(signal.SIGINT))], [])


def test_in_another_thread_nothing_is_deferred():
    ended = threading.Event()

    def run() -> None:
        with deferred_interruptions():
            ended.set()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert ended.is_set()
