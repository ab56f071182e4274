"""How long Segment takes beside busy programs, and how the window answers, by its niceness.

    xvfb-run -a -s "-screen 0 1280x800x24" python tests/benchmarks/window/niceness.py [--busy 2]

Other programs compute without a pause at the window's own priority. The network runs once at each
niceness in turn, and this is repeated, so that the load of the computer is the same for all. The
first run, which prepares the network, is not counted.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import stalls

from napari_smalltumor import progress_worker, questions


@contextmanager
def busy_programs(number: int) -> Iterator[None]:
    """Let processes compute meanwhile."""
    command = [sys.executable, "-c", "while True: pass"]
    programs = [subprocess.Popen(command) for _ in range(number)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def timed(session: stalls.Session, niceness: int) -> tuple[float, float]:
    """Seconds of a run, and the longest stall meanwhile in ms."""
    progress_worker._NICENESS = niceness
    session.stall_timer.stalls.clear()
    start = time.perf_counter()
    ends: list[float] = []
    session.dock.finished.connect(lambda shown: ends.append(time.perf_counter()))
    session.segment("layers again")
    return ends[0] - start, max(late for late, _ in session.stall_timer.stalls["network"])


def main() -> None:
    """Print a row for each run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--busy", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--niceness", type=int, nargs="+", default=[10, 5, 2])
    options = parser.parse_args()
    stalls.TIMEOUT_S = 600.0
    questions.confirm = lambda *arguments: True
    session = stalls.Session(None)
    session.open(stalls.SAMPLE)
    session.segment("first layers")
    print("| round | niceness | seconds | longest stall while the network runs, ms |", flush=True)
    print("|---|---|---|---|")
    with busy_programs(options.busy):
        for number in range(1, options.rounds + 1):
            for niceness in options.niceness:
                seconds, stall = timed(session, niceness)
                print(f"| {number} | {niceness} | {seconds:.1f} | {stall:.0f} |", flush=True)
    session.viewer.close()


if __name__ == "__main__":
    main()
