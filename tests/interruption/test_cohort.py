"""A cohort run that is interrupted repeatedly continues where it stopped.

`SMALLTUMOR_TRIALS` sets how many random moments there are for each signal.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
from smalltumor.cohort.results.results_folder import SETTINGS, TABLE
from smalltumor.files.transactions.temporary_names import TEMPORARY_FILES
from synthetic import write_case

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

COUNT = int(os.environ.get("SMALLTUMOR_TRIALS", "1"))
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
NAMES = [f"case_{number:02d}" for number in range(8)]
RESULTS = {f"{name}.nii.gz" for name in NAMES}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for name in NAMES:
        for path in write_case(folder / name).iterdir():
            path.rename(path.with_name(path.name.replace("case", name)))
    return folder


HELD = """
import sys, threading
from smalltumor.cli import main
from smalltumor.cohort.pipeline import pipeline

read, stop, ends = pipeline.read_images, pipeline.Pipeline.stop, threading.Event()


def read_last_at_the_end(job, settings):
    if job.name == {name!r}:
        ends.wait()
    return read(job, settings)


def stop_and_read(self):
    stop(self)
    ends.set()


pipeline.read_images, pipeline.Pipeline.stop = read_last_at_the_end, stop_and_read
sys.exit(main(sys.argv[1:]))
"""
"""The command line; the last case of a cohort is read when the run is told to end."""


class Start(Protocol):
    def __call__(self, out: Path, *, held: bool = False) -> subprocess.Popen[str]: ...


@pytest.fixture
def start(data, narrow_weights) -> Start:
    """Start a cohort run with an output folder; a held one does not end by itself."""

    def begin(out: Path, *, held: bool = False) -> subprocess.Popen[str]:
        program = ["-c", HELD.format(name=NAMES[-1])] if held else ["-m", "smalltumor.cli"]
        command = [sys.executable, *program, "cohort", str(data), "-o", str(out)]
        command += ["--backend", "torch", "--device", "cpu", "--weights", str(narrow_weights)]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
        )

    return begin


@pytest.mark.slow
def test_masks_are_complete_and_the_next_run_continues(start, tmp_path):
    seconds, whole = undisturbed(start, tmp_path / "whole")
    rng = np.random.default_rng(0)
    found: Counter[str] = Counter()
    for trial in range(COUNT):
        for number in SIGNALS:
            out = tmp_path / f"{number.name} {trial}"
            found[interrupt(start, out, number, rng.uniform(), seconds)] += 1
            check_whole(out, whole, may_leave=number is signal.SIGKILL)
            before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.nii.gz")}

            assert start(out).wait(120) == 0
            check_whole(out, whole, may_leave=False)
            assert [row["case"] for row in rows_of(out)] == NAMES
            after = {path.name: path.stat().st_mtime_ns for path in out.glob("*.nii.gz")}
            assert set(after) == RESULTS
            assert before.items() <= after.items(), "a case was done twice"
    print(json.dumps(found))
    assert found["interrupted"] >= len(SIGNALS) * COUNT // 2


def undisturbed(start: Start, out: Path) -> tuple[float, dict[str, bytes]]:
    """Seconds from the first case to the end, and the masks' bytes."""
    process = start(out)
    process.stdout.readline()  # what the run does
    process.stdout.readline()  # the first case
    began = time.perf_counter()
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return time.perf_counter() - began, {name: (out / name).read_bytes() for name in RESULTS}


def interrupt(start: Start, out: Path, number: signal.Signals, share: float, seconds: float) -> str:
    """Send a signal after a share of the time of a run; say whether the run had finished.

    In most of its time a run is held, so that it has not finished if it is faster than the first.
    """
    process = start(out, held=share < 0.75)
    process.stdout.readline()  # what the run does
    process.stdout.readline()  # the first case
    time.sleep(share * seconds)
    process.send_signal(number)
    _, said = process.communicate(timeout=120)
    # The work may be over, and Python on its way out without handlers.
    assert process.returncode in (0, 130, -number), said
    assert "Traceback" not in said
    return "interrupted" if process.returncode else "finished"


def check_whole(out: Path, whole: dict[str, bytes], *, may_leave: bool) -> None:
    for path in out.iterdir():
        if path.match(TEMPORARY_FILES):
            assert may_leave, f"{path.name} was left behind"
        elif path.name in whole:
            assert path.read_bytes() == whole[path.name], path.name
    json.loads((out / SETTINGS).read_text())
    assert {row["case"] for row in rows_of(out)} <= set(NAMES)


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / TABLE).open(newline="") as file:
        return list(csv.DictReader(file))
