"""Workers that are killed, hang or meet a bad case: every good case once, every bad one named."""

from __future__ import annotations

import csv
import os
import random
import signal
import sys
import threading
from pathlib import Path

import dask
import psutil
import pytest
from smalltumor.cohort.results_folder import TABLE
from synthetic import write_case

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals"),
]

GOOD = [f"good_{number}" for number in range(6)]
ACCIDENTS = """
import os, signal, time
from smalltumor.data import case


def dask_setup(worker):
    read = case.read_case_files

    def unlucky(files, **options):
        if files.name == "hangs":
            time.sleep(10_000)
        if files.name == "kills":
            os.kill(os.getpid(), signal.SIGKILL)
        return read(files, **options)

    case.read_case_files = unlucky
"""


@pytest.fixture
def run(smalltumor, narrow_weights, tmp_path):
    """Run a cohort on two workers; gives code, rows by case, stderr."""

    def begin(*words: object):
        command = ("cohort", tmp_path / "data", "-o", tmp_path / "out", "--workers", 2, *words)
        network = ("--backend", "torch", "--device", "cpu", "--weights", narrow_weights)
        code, _, err = smalltumor(*command, *network)
        with (tmp_path / "out" / TABLE).open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert len({row["case"] for row in rows}) == len(rows)
        return code, {row["case"]: row for row in rows}, err

    return begin


def write_cases(folder: Path, *names: str) -> None:
    for name in names:
        write_case(folder / name, name=name)


def test_cases_that_hang_or_kill_their_worker_are_named_and_stop_no_other(run, tmp_path):
    write_cases(tmp_path / "data", "hangs", "kills", "corrupt", *GOOD)
    (tmp_path / "data" / "corrupt" / "corrupt_t2.nii.gz").write_bytes(b"not an image")
    accidents = tmp_path / "accidents.py"
    accidents.write_text(ACCIDENTS)
    with dask.config.set({"distributed.worker.preload": [str(accidents)]}):
        code, rows, err = run("--timeout", 8)
    assert (code, err) == (1, "")
    assert {name for name, row in rows.items() if row["outcome"] == "segmented"} == {*GOOD}
    assert "took longer than 8 s" in rows["hangs"]["note"]
    assert "ended its worker 2 times" in rows["kills"]["note"]
    assert "corrupt_t2.nii.gz" in rows["corrupt"]["note"]
    assert not workers_left()

    code, rows, _ = run("--timeout", 60)  # without the accidents
    assert code == 1
    assert {name for name, row in rows.items() if row["outcome"] == "kept"} == {*GOOD}
    assert rows["hangs"]["outcome"] == rows["kills"]["outcome"] == "segmented"


def test_workers_that_are_killed_cost_no_case(run, tmp_path):
    write_cases(tmp_path / "data", *(f"case_{number:02d}" for number in range(40)))
    stop, killed = threading.Event(), []
    killer = threading.Thread(target=kill_workers, args=(tmp_path / "out", stop, killed))
    killer.start()
    try:
        code, rows, err = run()
    finally:
        stop.set()
        killer.join()
    assert killed
    assert (code, err) == (0, "")
    assert {row["outcome"] for row in rows.values()} == {"segmented"}
    assert len(rows) == 40


def kill_workers(out: Path, stop: threading.Event, killed: list[int]) -> None:
    """Kill a worker at random after every tenth case."""
    done = 10
    while not stop.wait(0.05):
        found = workers_left()
        if found and len(list(out.glob("*.nii.gz"))) >= done:
            done += 10
            chosen = random.Random(done).choice(found)
            os.kill(chosen.pid, signal.SIGKILL)
            killed.append(chosen.pid)


def workers_left() -> list[psutil.Process]:
    """Processes of workers, started by this one."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
