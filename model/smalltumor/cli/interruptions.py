"""Ctrl-C and SIGTERM, which end a command wherever they reach it."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_AGAIN_S = 0.01


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt at SIGTERM too, and once more where Python discards it.

    What a signal raises in a destructor or in the callback of a weak reference, of which any import
    has some, goes no further than ``sys.unraisablehook``, and the command would run to its end.
    """
    before, report = signal.signal(signal.SIGTERM, _interrupt), sys.unraisablehook
    repeated: list[threading.Timer] = []

    def repeat_interruption(discarded: sys.UnraisableHookArgs, /) -> None:
        if not issubclass(discarded.exc_type, KeyboardInterrupt):
            report(discarded)
            return
        # Later, as it would be discarded here too.
        repeated.append(threading.Timer(_AGAIN_S, _signal_main_thread))
        repeated[-1].daemon = True
        repeated[-1].start()

    sys.unraisablehook = repeat_interruption
    try:
        yield
    finally:
        sys.unraisablehook = report
        for timer in repeated:
            timer.cancel()
        # Python on its way out would print what is raised.
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def _signal_main_thread() -> None:
    """Send a signal that ends also a wait of the main thread, such as for a child process."""
    is_ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN  # by a script's background job
    number = signal.SIGTERM if is_ignored else signal.SIGINT
    main_thread = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main_thread is not None:
        signal.pthread_kill(main_thread, number)
    else:  # Windows
        _thread.interrupt_main(number)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
