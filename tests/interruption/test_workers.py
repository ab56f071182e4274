"""Workers that are killed, hang or meet a bad case: every good case once, every bad one named."""

from __future__ import annotations

import contextlib
import csv
import itertools
import json
import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import wait
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dask
import distributed
import psutil
import pytest
from smalltumor.cohort import interruptible
from smalltumor.cohort.pipeline import writing
from smalltumor.cohort.pipeline.jobs import Job
from smalltumor.cohort.pipeline.pipeline import Pipeline
from smalltumor.cohort.results.results_folder import TABLE
from smalltumor.cohort.settings import CohortSettings
from smalltumor.cohort.workers import closing, dispatcher, worker
from smalltumor.cohort.workers.closing import close_client, close_cluster
from smalltumor.cohort.workers.cluster import _connected
from smalltumor.cohort.workers.dispatcher import Dispatcher
from smalltumor.cohort.workers.workers import Workers
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.errors import Cancelled
from smalltumor.models.checkpoint import load_checkpoint
from synthetic import write_case

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals"),
]

PATIENCE_S = 120
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


HANGS = """
import time
from smalltumor.data import read_case


def hang(files, read=read_case.read_case_files, **options):  # this file is loaded twice
    if files.name == {name!r}:
        time.sleep(10_000)
    return read(files, **options)


read_case.read_case_files = hang
"""


def hang_in_workers(monkeypatch, folder: Path, name: str) -> None:
    """Let every worker that is started hang in a case, so that no run ends before it."""
    accident = folder / "hangs.py"
    accident.write_text(HANGS.format(name=name))
    monkeypatch.setenv("DASK_DISTRIBUTED__WORKER__PRELOAD", str([str(accident)]))


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
    for seed, name in enumerate(names):
        write_case(folder / name, name=name, seed=seed)


def stop_clock_while_cases_are_done(monkeypatch) -> None:
    """Let time pass only while all workers that have cases hang, however slow the machine is."""
    hanging = Dispatcher.hanging

    def hanging_when_nothing_else_is_done(self: Dispatcher, now: float) -> list[str]:
        held = [state.jobs for state in self._states.values() if state.jobs]
        only_hang = all("hangs" in jobs for jobs in held) and not self._suspects
        return hanging(self, now + 10_000) if only_hang else []

    monkeypatch.setattr(Dispatcher, "hanging", hanging_when_nothing_else_is_done)


def test_cases_that_hang_or_kill_their_worker_are_named_and_stop_no_other(
    run, tmp_path, monkeypatch
):
    write_cases(tmp_path / "data", "hangs", "kills", "corrupt", *GOOD)
    (tmp_path / "data" / "corrupt" / "corrupt_t2.nii.gz").write_bytes(b"not an image")
    accidents = tmp_path / "accidents.py"
    accidents.write_text(ACCIDENTS)
    stop_clock_while_cases_are_done(monkeypatch)
    with dask.config.set({"distributed.worker.preload": [str(accidents)]}):
        code, rows, err = run("--timeout", 6)
    assert (code, err) == (1, "")
    assert {name for name, row in rows.items() if row["outcome"] == "segmented"} == {*GOOD}
    assert "took longer than 6 s" in rows["hangs"]["note"]
    assert "2 workers crashed during it" in rows["kills"]["note"]
    assert "corrupt_t2.nii.gz" in rows["corrupt"]["note"]
    deadline = time.monotonic() + PATIENCE_S  # Dask may take longer than the run waits for it
    while workers_left() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not workers_left()


def test_workers_that_are_killed_cost_no_case(run, tmp_path, monkeypatch):
    write_cases(tmp_path / "data", *(f"case_{number:02d}" for number in range(16)))
    killed = kill_workers(monkeypatch)
    # By chance all of these kills may meet the same case while it is alone on its worker.
    monkeypatch.setattr(dispatcher, "MAX_WORKER_LOSSES", 4)
    code, rows, err = run()
    assert len(killed) == 3
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
    deadline = time.monotonic() + PATIENCE_S
    while running(group) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not running(group)


@pytest.mark.parametrize("delay", [0.2, 0.7, 1.2, 1.7, 2.2, 5.0])
def test_ctrl_c_while_workers_start_ends_the_run_in_one_line(
    tmp_path, narrow_weights, delay, monkeypatch
):
    """A terminal sends it to all processes, also to those that are importing modules."""
    write_cases(tmp_path / "data", *GOOD)
    hang_in_workers(monkeypatch, tmp_path, GOOD[-1])
    command = [sys.executable, "-m", "smalltumor.cli", "cohort", str(tmp_path / "data"), "-o"]
    command += [str(tmp_path / "out"), "--workers", "2", "--weights", str(narrow_weights)]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, process_group=0
    )
    while process.poll() is None and not (tmp_path / "out" / "cohort.json").exists():
        time.sleep(0.01)
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert err == "smalltumor: interrupted; no incomplete file was left\n"
    assert process.returncode == 130
    assert all_end(process.pid)


@pytest.mark.parametrize("pause", [0.02, 0.2])
def test_a_second_ctrl_c_ends_the_workers_and_leaves_no_unfinished_file(
    tmp_path, narrow_weights, pause, monkeypatch
):
    write_cases(tmp_path / "data", *(f"case_{number:02d}" for number in range(40)))
    hang_in_workers(monkeypatch, tmp_path, "case_39")
    command = [sys.executable, "-m", "smalltumor.cli", "cohort", str(tmp_path / "data"), "-o"]
    command += [str(tmp_path / "out"), "--workers", "2", "--weights", str(narrow_weights)]
    command += ["--bids", str(tmp_path / "bids"), "--regions"]
    pipes = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(command, text=True, process_group=0, **pipes)
    assert process.stdout is not None and process.stdout.readline() and process.stdout.readline()
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(pause)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert err.endswith("smalltumor: interrupted; no incomplete file was left\n")
    # Python itself prints an interruption that comes within the destructor of a future.
    ignored = re.findall(r"^Exception ignored .*<function Future.__del__", err, re.MULTILINE)
    assert err.count("Traceback") == len(ignored)
    assert process.returncode == 130
    assert all_end(process.pid)
    assert not [*tmp_path.rglob(".smalltumor-*")]


@pytest.fixture
def hanging():
    """A process that does not end, and the cluster whose only worker it is."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(10_000)"])
    yield process, SimpleNamespace(workers={0: SimpleNamespace(pid=process.pid)}, close=print)
    process.kill()
    process.wait()


def test_a_second_ctrl_c_kills_workers_that_do_not_end(hanging, monkeypatch):
    """Dask would wait for them, and could not close the cluster once it was interrupted."""
    process, cluster = hanging
    main, is_waited_for = threading.main_thread().ident, threading.Event()

    def close(timeout: float) -> None:
        is_waited_for.wait()
        signal.pthread_kill(main, signal.SIGINT)
        process.wait()

    def wait_for(*arguments: Any) -> Any:
        is_waited_for.set()
        return wait(*arguments)

    monkeypatch.setattr(interruptible, "wait", wait_for)
    cluster.close = close
    with pytest.raises(KeyboardInterrupt):
        close_cluster(cluster)
    assert process.wait(60) == -signal.SIGKILL


def test_workers_end_if_their_cluster_is_interrupted_before_it_begins_to_close(
    hanging, monkeypatch
):
    process, cluster = hanging

    def interrupted(close: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(closing, "started_with_sigint_blocked", interrupted)
    with pytest.raises(KeyboardInterrupt):
        close_cluster(cluster)
    assert process.wait(60) == -signal.SIGKILL


def test_an_interruption_that_comes_while_a_client_connects_waits_until_it_can_be_closed(
    monkeypatch,
):
    main, closed = threading.main_thread().ident, []

    def connect(address: str, **options: Any) -> SimpleNamespace:
        signal.pthread_kill(main, signal.SIGINT)
        return SimpleNamespace(close=lambda timeout: closed.append(address), dashboard_link="")

    monkeypatch.setattr(distributed, "Client", connect)
    workers = Workers(scheduler="tcp://nowhere", report=lambda text: None)
    with pytest.raises(KeyboardInterrupt), _connected(workers, 1):
        raise AssertionError("the run was not interrupted")
    assert closed == ["tcp://nowhere"]


def test_dask_closes_nothing_again_that_was_interrupted_while_it_closed(monkeypatch):
    """When Python ends, it would wait for 20 s and print a traceback."""

    def interrupted(close: Any) -> None:
        raise KeyboardInterrupt

    with distributed.LocalCluster(n_workers=0, dashboard_address=None) as cluster:
        client = distributed.Client(cluster, set_as_default=False)
        with monkeypatch.context() as interruption:
            interruption.setattr(closing, "started_with_sigint_blocked", interrupted)
            for close, closed in ((close_client, client), (close_cluster, cluster)):
                with pytest.raises(KeyboardInterrupt):
                    close(closed)
        calls = []
        monkeypatch.setattr(cluster, "close", lambda **options: calls.append("cluster"))
        monkeypatch.setattr(distributed.client, "sync", lambda *a, **k: calls.append("client"))
        distributed.deploy.spec.close_clusters()
        client.__del__()
        monkeypatch.undo()
    assert not calls


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


def test_a_scheduler_that_is_lost_ends_the_run_and_a_new_one_continues_it(
    run, tmp_path, monkeypatch
):
    names = [f"case_{number:02d}" for number in range(24)]
    write_cases(tmp_path / "data", *names)
    with monkeypatch.context() as first:
        hang_in_workers(first, tmp_path, names[-1])
        before, address = start_cluster(tmp_path / "before.json")
    killer = threading.Thread(target=kill_after_a_row, args=(before[0], tmp_path / "out"))
    try:
        killer.start()
        code, rows, err = run("--scheduler", address)
    finally:
        killer.join()
        end(before)
    assert code == 1
    assert "scheduler" in err.splitlines()[-1] and "Traceback" not in err
    assert 0 < len(rows) < len(names)
    after, address = start_cluster(tmp_path / "after.json")
    try:
        code, rows, _ = run("--scheduler", address)
    finally:
        end(after)
    assert (code, sorted(rows)) == (0, names)
    assert {row["outcome"] for row in rows.values()} == {"kept", "segmented"}


def start_cluster(file: Path) -> tuple[list[subprocess.Popen[bytes]], str]:
    """A scheduler at a free port and a worker, each a process of its own; and the address."""
    scheduler = ("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    worker = ("worker", "--nthreads", "2", "--no-dashboard", "--no-nanny")
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *words, "--scheduler-file", str(file)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for words in (scheduler, worker)
    ]
    address = wait_for_address(file)
    with distributed.Client(address, timeout=PATIENCE_S, set_as_default=False) as client:
        client.wait_for_workers(1, timeout=PATIENCE_S)
    return processes, address


def wait_for_address(file: Path) -> str:
    """The address of a scheduler, once it has written its file."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError):
            return str(json.loads(file.read_text())["address"])
        time.sleep(0.02)
    raise AssertionError("the scheduler did not start")


def end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.kill()
        process.wait()


def kill_after_a_row(process: subprocess.Popen[bytes], out: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not (out / TABLE).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()


def kill_workers(monkeypatch) -> list[int]:
    """Kill a worker at random when every fifth case has ended; the numbers of those killed."""
    ended, done, killed = Dispatcher.ended, itertools.count(1), list[int]()

    def end_and_kill(self: Dispatcher, address: str, case: str, now: float) -> None:
        ended(self, address, case, now)
        number, found = next(done), workers_left()
        if number % 5 == 0 and found:
            chosen = random.Random(number).choice(found)
            os.kill(chosen.pid, signal.SIGKILL)
            killed.append(chosen.pid)

    monkeypatch.setattr(Dispatcher, "ended", end_and_kill)
    return killed


def workers_left() -> list[multiprocessing.process.BaseProcess]:
    """Processes of workers, started by this one."""
    return multiprocessing.active_children()
