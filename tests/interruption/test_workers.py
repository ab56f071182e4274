"""Workers that are killed, hang or meet a bad case: every good case once, every bad one named."""

from __future__ import annotations

import contextlib
import csv
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import dask
import distributed
import psutil
import pytest
from smalltumor.cohort.pipeline import writing
from smalltumor.cohort.pipeline.jobs import Job
from smalltumor.cohort.pipeline.pipeline import Pipeline
from smalltumor.cohort.results.results_folder import TABLE
from smalltumor.cohort.settings import CohortSettings
from smalltumor.cohort.workers import worker
from smalltumor.cohort.workers.cluster import close_cluster
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.errors import Cancelled
from smalltumor.models.checkpoint import load_checkpoint
from synthetic import write_case

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals"),
]

GOOD = [f"good_{number}" for number in range(4)]
ACCIDENTS = """
import multiprocessing, os, signal, time
from smalltumor.data import read_case

read = getattr(read_case, "read_before", read_case.read_case_files)  # this file is loaded twice


def unlucky(files, **options):
    if files.name == "hangs":
        time.sleep(10_000)
    if files.name == "kills":
        os.kill(os.getpid(), signal.SIGKILL)
    return read(files, **options)


if multiprocessing.parent_process():
    read_case.read_case_files, read_case.read_before = unlucky, read
"""

FULL_DISK = """
import errno, multiprocessing, os


def full(descriptor):
    raise OSError(errno.ENOSPC, "No space left on device")


if multiprocessing.parent_process():
    os.fsync = full
"""


@pytest.fixture
def run(smalltumor, narrow_weights, tmp_path):
    """Run a cohort on two workers; gives code, rows by case, stderr."""

    def begin(*words: object):
        words = words if "--scheduler" in words else ("--workers", 2, *words)
        command = ("cohort", tmp_path / "data", "-o", tmp_path / "out", *words)
        network = ("--backend", "torch", "--device", "cpu", "--weights", narrow_weights)
        code, _, err = smalltumor(*command, *network)
        if not (tmp_path / "out" / TABLE).exists():
            return code, {}, err
        with (tmp_path / "out" / TABLE).open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert len({row["case"] for row in rows}) == len(rows)
        return code, {row["case"]: row for row in rows}, err

    return begin


@pytest.fixture
def alone(smalltumor, narrow_weights, tmp_path):
    """Segment the same cases in this process; gives the folder of the results."""

    def begin() -> Path:
        command = ("cohort", tmp_path / "data", "-o", tmp_path / "alone", "--regions")
        network = ("--backend", "torch", "--device", "cpu", "--weights", narrow_weights)
        assert smalltumor(*command, *network)[0] == 0
        return tmp_path / "alone"

    return begin


def masks_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.nii.gz")}


def write_cases(folder: Path, *names: str) -> None:
    for name in names:
        write_case(folder / name, name=name)


def test_cases_that_hang_or_kill_their_worker_are_named_and_stop_no_other(run, tmp_path):
    write_cases(tmp_path / "data", "hangs", "kills", "corrupt", *GOOD)
    (tmp_path / "data" / "corrupt" / "corrupt_t2.nii.gz").write_bytes(b"not an image")
    accidents = tmp_path / "accidents.py"
    accidents.write_text(ACCIDENTS)
    with dask.config.set({"distributed.worker.preload": [str(accidents)]}):
        code, rows, err = run("--timeout", 6)
    assert (code, err) == (1, "")
    assert {name for name, row in rows.items() if row["outcome"] == "segmented"} == {*GOOD}
    assert "took longer than 6 s" in rows["hangs"]["note"]
    assert "2 workers crashed during it" in rows["kills"]["note"]
    assert "corrupt_t2.nii.gz" in rows["corrupt"]["note"]
    assert not workers_left()


def test_workers_that_are_killed_cost_no_case(run, tmp_path):
    write_cases(tmp_path / "data", *(f"case_{number:02d}" for number in range(16)))
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
    assert len(rows) == 16


def running(group: int) -> list[psutil.Process]:
    """The processes of a group that have not ended."""
    found = []
    for process in psutil.process_iter(["status"]):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(process.pid) == group and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def all_end(group: int) -> bool:
    """Whether the processes of a group end, those that were killed a moment ago included."""
    deadline = time.monotonic() + 30
    while running(group) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not running(group)


@pytest.mark.parametrize("delay", [0.2, 0.7, 1.2, 1.7, 2.2, 5.0])
def test_ctrl_c_while_workers_start_ends_the_run_in_one_line(
    tmp_path, narrow_weights, delay, monkeypatch
):
    """A terminal sends it to all processes, also to those that are importing modules."""
    write_cases(tmp_path / "data", "hangs", *GOOD)  # the run cannot end before the signal
    accidents = tmp_path / "accidents.py"
    accidents.write_text(ACCIDENTS)
    monkeypatch.setenv("DASK_DISTRIBUTED__WORKER__PRELOAD", str([str(accidents)]))
    command = [sys.executable, "-m", "smalltumor.cli", "cohort", str(tmp_path / "data"), "-o"]
    command += [str(tmp_path / "out"), "--workers", "2", "--weights", str(narrow_weights)]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, process_group=0
    )
    while process.poll() is None and not (tmp_path / "out" / "cohort.json").exists():
        time.sleep(0.01)
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert err == "smalltumor: interrupted; no incomplete file was left\n"
    assert process.returncode == 130
    deadline = time.monotonic() + 60
    while running(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not running(process.pid)


@pytest.mark.parametrize("pause", [0.02, 0.2])
def test_a_second_ctrl_c_ends_the_workers_and_leaves_no_unfinished_file(
    tmp_path, narrow_weights, pause
):
    write_cases(tmp_path / "data", *(f"case_{number:02d}" for number in range(40)))
    command = [sys.executable, "-m", "smalltumor.cli", "cohort", str(tmp_path / "data"), "-o"]
    command += [str(tmp_path / "out"), "--workers", "2", "--weights", str(narrow_weights)]
    command += ["--bids", str(tmp_path / "bids"), "--regions"]
    pipes = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(command, text=True, process_group=0, **pipes)
    assert process.stdout is not None and process.stdout.readline() and process.stdout.readline()
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(pause)
    _, err = process.communicate(timeout=120)
    # Python itself prints an interruption that comes within a destructor.
    assert err.endswith("smalltumor: interrupted; no incomplete file was left\n")
    assert err.count("Traceback") == err.count("Exception ignored in: <function")
    assert process.returncode == 130
    assert all_end(process.pid)
    assert not [*tmp_path.rglob(".smalltumor-*")]


def test_a_second_ctrl_c_kills_workers_that_do_not_end():
    """Dask would wait for them, and could not close the cluster once it was interrupted."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(10_000)"])
    nanny = SimpleNamespace(pid=process.pid)
    cluster = SimpleNamespace(workers={0: nanny}, close=lambda timeout: process.wait())
    main = threading.main_thread().ident
    interrupt = threading.Timer(0.2, signal.pthread_kill, [main, signal.SIGINT])
    interrupt.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            close_cluster(cluster)
        assert process.poll() is not None
    finally:
        interrupt.join()
        process.kill()


def test_a_worker_that_is_closed_gives_up_cases_of_which_nothing_is_written(
    tmp_path, narrow_weights, monkeypatch
):
    write_cases(tmp_path / "data", "case")
    checkpoint = load_checkpoint(narrow_weights)
    settings = CohortSettings(tmp_path / "out", device="cpu", backend="torch")
    (files,) = find_cases(tmp_path / "data")
    reached, closed = threading.Event(), threading.Event()

    def second_look_at(computed):
        reached.set()
        closed.wait()
        return [], [], None

    monkeypatch.setattr(writing, "second_look_at", second_look_at)
    with Pipeline(checkpoint, settings, 0) as pipeline:
        monkeypatch.setitem(worker._pipelines, "run", pipeline)
        row = pipeline.submit(Job(files, "segment"))
        reached.wait()
        worker.dask_teardown(None)
        closed.set()
        with pytest.raises(Cancelled):
            row.result()
    assert not (tmp_path / "out").exists()


def test_the_workers_of_a_cluster_give_the_masks_of_one_process(run, alone, tmp_path):
    write_cases(tmp_path / "data", *GOOD)
    options = {"n_workers": 1, "threads_per_worker": 2, "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(host="127.0.0.1", silence_logs=60, **options) as cluster:
        code, rows, err = run("--scheduler", cluster.scheduler_address, "--regions")
        assert code == 0
        assert err.startswith("smalltumor: dashboard: http://127.0.0.1:")
        assert {row["outcome"] for row in rows.values()} == {"segmented"}
        (tmp_path / "out" / "good_1.nii.gz").unlink()
        code, rows, _ = run("--scheduler", cluster.scheduler_address)
        assert rows.pop("good_1")["outcome"] == "segmented"
        assert {row["outcome"] for row in rows.values()} == {"kept"}
    assert masks_of(tmp_path / "out") == masks_of(alone())


def test_a_disk_that_is_full_for_a_worker_ends_the_run_and_it_is_continued(run, tmp_path):
    write_cases(tmp_path / "data", *GOOD)
    accident = tmp_path / "full_disk.py"
    accident.write_text(FULL_DISK)
    with dask.config.set({"distributed.worker.preload": [str(accident)]}):
        code, rows, err = run()
    assert (code, rows) == (1, {})
    assert "No space left on device" in err and "Traceback" not in err
    assert not masks_of(tmp_path / "out")
    code, rows, err = run()
    assert (code, err) == (0, "")
    assert {name: row["outcome"] for name, row in rows.items()} == dict.fromkeys(GOOD, "segmented")


def test_a_scheduler_that_is_lost_ends_the_run_and_a_new_one_continues_it(run, tmp_path):
    names = [f"case_{number:02d}" for number in range(24)]
    write_cases(tmp_path / "data", *names)
    port = free_port()
    before = start_cluster(port)
    wait_for(port)
    killer = threading.Thread(target=kill_after_a_row, args=(before[0], tmp_path / "out"))
    try:
        killer.start()
        code, rows, err = run("--scheduler", f"tcp://127.0.0.1:{port}")
    finally:
        killer.join()
        end(before)
    assert code == 1
    assert "scheduler" in err.splitlines()[-1] and "Traceback" not in err
    assert 0 < len(rows) < len(names)
    after = start_cluster(port)
    wait_for(port)
    try:
        code, rows, _ = run("--scheduler", f"tcp://127.0.0.1:{port}")
    finally:
        end(after)
    assert (code, sorted(rows)) == (0, names)
    assert {row["outcome"] for row in rows.values()} == {"kept", "segmented"}


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def start_cluster(port: int) -> list[subprocess.Popen[bytes]]:
    """A scheduler and a worker, each a process of its own."""
    scheduler = ("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    worker = ("worker", f"tcp://127.0.0.1:{port}", "--nthreads", "2", "--no-dashboard")
    return [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for words in (scheduler, (*worker, "--no-nanny"))
    ]


def wait_for(port: int) -> None:
    address = f"tcp://127.0.0.1:{port}"
    with distributed.Client(address, timeout=30, set_as_default=False) as client:
        client.wait_for_workers(1, timeout=30)


def end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.kill()
        process.wait()


def kill_after_a_row(process: subprocess.Popen[bytes], out: Path) -> None:
    deadline = time.monotonic() + 60
    while not (out / TABLE).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()


def kill_workers(out: Path, stop: threading.Event, killed: list[int]) -> None:
    """Kill a worker at random after every fifth case."""
    done = 5
    while not stop.wait(0.05):
        found = workers_left()
        if found and len(list(out.glob("*.nii.gz"))) >= done:
            done += 5
            chosen = random.Random(done).choice(found)
            os.kill(chosen.pid, signal.SIGKILL)
            killed.append(chosen.pid)


def workers_left() -> list[multiprocessing.process.BaseProcess]:
    """Processes of workers, started by this one."""
    return multiprocessing.active_children()
