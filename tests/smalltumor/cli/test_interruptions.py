"""A signal ends a command also where Python discards what it raises."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable

import pytest
from smalltumor.cli.interruptions import interruptible


class Finalized:
    def __init__(self, number: signal.Signals) -> None:
        self.number = number

    def __del__(self) -> None:
        signal.raise_signal(self.number)


class Referenced:
    pass


def in_a_destructor(number: signal.Signals) -> None:
    Finalized(number)


def in_a_callback(number: signal.Signals) -> None:
    referenced = Referenced()
    reference = weakref.ref(referenced, lambda _: signal.raise_signal(number))
    del referenced
    assert reference() is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("where", [in_a_destructor, in_a_callback])
def test_a_signal_that_python_discarded_ends_also_a_wait(
    where: Callable[[signal.Signals], None], number
):
    waited: list[bool] = []
    reading, writing = os.pipe()

    def end_wait() -> None:
        waited.append(True)
        os.write(writing, b".")

    timer = threading.Timer(30, end_wait)
    timer.start()
    with pytest.raises(KeyboardInterrupt), interruptible():
        where(number)
        os.read(reading, 1)
    timer.cancel()
    assert not waited


def test_nothing_is_raised_once_the_command_has_ended(monkeypatch):
    monkeypatch.setattr("smalltumor.cli.interruptions._AGAIN_S", 0.05)
    hook, handler = sys.unraisablehook, signal.getsignal(signal.SIGTERM)
    with interruptible():
        in_a_destructor(signal.SIGINT)
    time.sleep(0.2)
    assert (sys.unraisablehook, signal.getsignal(signal.SIGTERM)) == (hook, handler)


def test_other_errors_that_python_discards_are_reported(monkeypatch):
    reported = []
    monkeypatch.setattr(sys, "unraisablehook", lambda each: reported.append(each.exc_type))

    class Failing:
        def __del__(self) -> None:
            raise ValueError

    with interruptible():
        Failing()
    assert reported == [ValueError]
