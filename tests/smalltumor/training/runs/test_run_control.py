"""Training in a process of its own: it outlives its launcher, and stops on request."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from smalltumor.errors import TrainingError
from smalltumor.models.checkpoint import Checkpoint, load_checkpoint
from smalltumor.training.request import TrainingRequest
from smalltumor.training.runs import run_control
from smalltumor.training.runs.current_weights import current_checkpoint
from smalltumor.training.runs.monitor import RunMonitor
from smalltumor.training.runs.process_tree import ProcessTree, is_process_running
from smalltumor.training.runs.run_control import pause, resume, start, stop
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.runs.run_lock import hold_run_lock, is_locked, read_lock_holder
from smalltumor.training.runs.status import RunState
from training_cases import write_lesion_cases

HOURS = {"crop": 32, "batch_size": 2, "epochs": 5000}
PATIENCE = 180


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write_lesion_cases(tmp_path_factory.mktemp("launch") / "cases", 3)


@pytest.fixture
def plan(data, weights_to_tune, tmp_path, monkeypatch):
    """A request for a run of hours; if it still runs after the test, it is stopped."""
    monkeypatch.setattr(run_control, "NICENESS", 1)  # a busy machine would keep the tests waiting
    monkeypatch.setattr(run_control, "_GRACE_SECONDS", 60.0)
    run = tmp_path / "run"
    yield TrainingRequest(
        data,
        run,
        preset="finetune",
        weights=weights_to_tune,
        validation_folder=data / "case_00",
        cache=data.parent / "cache",
        device="cpu",
        changes=HOURS,
    )
    if is_locked(RunFolder(run)):
        stop(run)


def wait_until(true: Callable[[], bool]) -> None:
    limit = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.05)


def has_trained(run: Path, epochs: int = 1) -> Callable[[], bool]:
    monitor = RunMonitor(run)
    return lambda: monitor.poll().epoch >= epochs


@pytest.fixture
def launch_when(monkeypatch) -> Callable[[Path], None]:
    """Function that lets a process that is launched start when a file exists, and not before."""

    def wait_for(file: Path) -> None:
        wait = 'until [ -e "$0" ]; do sleep 0.02; done; exec "$@"'
        popen = subprocess.Popen
        monkeypatch.setattr(
            run_control.subprocess,
            "Popen",
            lambda command, **options: popen(["sh", "-c", wait, str(file), *command], **options),
        )

    return wait_for


def gone(pid: int) -> bool:
    return not is_process_running(pid)


@pytest.mark.slow
def test_a_run_stops_saves_and_resumes_where_it_was(plan, launch_when, tmp_path):
    launch_when(tmp_path / "seen")
    pid = start(plan)
    assert RunMonitor(plan.run).poll().state is RunState.STARTING
    (tmp_path / "seen").touch()
    wait_until(has_trained(plan.run))
    assert os.getpriority(os.PRIO_PROCESS, pid) == os.getpriority(os.PRIO_PROCESS, 0) + 1
    group = Path(f"/proc/{pid}/autogroup")
    if group.exists():  # there a session's niceness counts, not the process's
        assert group.read_text().endswith("nice 1\n")
    assert os.getsid(pid) == pid
    status = RunMonitor(plan.run).poll()
    assert status.state is RunState.RUNNING
    assert status.steps == 5000 * 4
    assert stop(plan.run)
    assert gone(pid)
    status = RunMonitor(plan.run).poll()
    assert status.state is RunState.STOPPED
    assert_weights_are_current(plan, current_checkpoint(plan.run))
    assert status.scores["wt"][0][0] == 0.0  # the weights it started from were judged
    resume(plan.run)
    wait_until(has_trained(plan.run, status.epoch + 2))
    assert pause(plan.run)
    again = RunMonitor(plan.run).poll()
    assert again.state is RunState.PAUSED
    epochs = again.losses["segmentation"][0]
    assert epochs == [float(n + 1) for n in range(len(epochs))]


def assert_weights_are_current(plan: TrainingRequest, current: Checkpoint) -> None:
    """The averaged network of a run that has started, and the best so far."""
    assert current.card["step"] == RunMonitor(plan.run).poll().step > 0
    assert "limits" not in current.card
    assert set(current.tensors()) == set(load_checkpoint(plan.weights).tensors())
    assert sum(p.numel() for p in current.network.parameters()) > 0
    best = load_checkpoint(RunFolder(plan.run).best)
    assert best.card["scores"]["by_case"][0]["case"] == "case_00"


@pytest.mark.slow
def test_a_run_outlives_a_killed_launcher_and_resumes_after_a_kill(plan, tmp_path):
    script, request = tmp_path / "parent.py", tmp_path / "request.json"
    plan.write(request)
    script.write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        "from smalltumor.training.request import TrainingRequest\n"
        "from smalltumor.training.runs import run_control\n"
        "run_control.NICENESS = 0\n"
        f"request = TrainingRequest.read(Path({str(request)!r}))\n"
        "print(run_control.start(request), flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    wait_until(has_trained(plan.run))
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    before = RunMonitor(plan.run).poll()
    assert before.state is RunState.RUNNING
    wait_until(has_trained(plan.run, before.epoch + 1))
    assert read_lock_holder(RunFolder(plan.run)).pid == pid
    os.kill(pid, signal.SIGKILL)
    monitor = RunMonitor(plan.run)
    wait_until(lambda: monitor.poll().state is RunState.FAILED)
    wait_until(lambda: gone(pid))
    assert "killed" in monitor.poll().message
    resume(plan.run)
    wait_until(lambda: RunMonitor(plan.run).poll().state is RunState.RUNNING)
    assert stop(plan.run)


HOLDS_THE_LOCK = """
import signal, subprocess, sys, time
from pathlib import Path
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.runs.run_lock import hold_run_lock

run, mode = RunFolder(Path(sys.argv[1])), sys.argv[2]
ignore = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
ignore += "print('ignores', flush=True); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", ignore], stdout=subprocess.PIPE)
child.stdout.readline()
if mode == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
with hold_run_lock(run):
    print(child.pid, flush=True)
    while mode == "deaf" or run.read_stop_request() is None:
        time.sleep(0.05)
    (run.path / "saved").write_text(run.read_stop_request().value)
    if mode == "lingers":
        run.append("stop", 7, request=run.read_stop_request().value)
        time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["deaf", "listens", "lingers"])
def test_a_process_saves_if_it_listens_and_ends_with_all_it_has_started(plan, monkeypatch, mode):
    def has_saved() -> bool:
        return any(event["event"] == "stop" for event in RunFolder(plan.run).read_events())

    if mode == "deaf":
        monkeypatch.setattr(run_control, "_GRACE_SECONDS", 1.5)
    if mode == "lingers":
        monkeypatch.setattr(ProcessTree, "wait", lambda tree, seconds: wait_until(has_saved))
    RunFolder(plan.run).create()
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS_THE_LOCK, str(plan.run), mode],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    child = int(process.stdout.readline())
    assert pause(plan.run) is (mode != "deaf")
    process.wait(timeout=PATIENCE)
    assert (plan.run / "saved").exists() is (mode != "deaf")
    wait_until(lambda: gone(child))
    assert RunMonitor(plan.run).poll().state is RunState.PAUSED


@pytest.mark.slow
def test_a_stop_sends_no_signal_to_a_process_that_saves_by_itself(plan, monkeypatch):
    """Windows has no signal that asks: there every signal ends a process at once."""
    sent = []
    for name in ("terminate", "kill", "send_signal"):
        monkeypatch.setattr(psutil.Process, name, lambda self, *a, n=name: sent.append(n))
    monkeypatch.setattr(os, "kill", lambda *arguments: sent.append("os.kill"))
    start(plan)
    wait_until(has_trained(plan.run))
    assert stop(plan.run)
    assert sent == []
    assert current_checkpoint(plan.run).card["step"] > 0


def test_the_log_has_a_part_for_each_process(plan, monkeypatch):
    def launched(command, *, stdout, **options):
        os.write(stdout.fileno(), b"reading the cases\n")
        return SimpleNamespace(pid=os.getpid(), wait=lambda: 0)

    monkeypatch.setattr(subprocess, "Popen", launched)
    monkeypatch.setattr(run_control, "lower_priority", lambda *arguments: None)
    run = RunFolder(plan.run)
    start(plan)
    run.write_config({"data": str(plan.data)})
    resume(plan.run)
    first, *log = run.log.read_text().splitlines()
    assert first.startswith("--- launched ") and log[1].startswith("--- launched ")
    assert log[0] == log[2] == RunMonitor(plan.run).poll().message == "reading the cases"


@pytest.mark.slow
def test_a_run_is_stopped_while_it_starts(plan, launch_when, tmp_path):
    launch_when(tmp_path / "stopped")
    pid = start(plan)
    assert stop(plan.run)
    assert gone(pid)
    assert RunMonitor(plan.run).poll().state is RunState.STOPPED
    RunFolder(plan.run).write_config({"data": str(plan.data)})
    resume(plan.run)
    assert stop(plan.run)
    assert RunMonitor(plan.run).poll().state is RunState.STOPPED
    RunFolder(plan.run).config.unlink()
    (tmp_path / "stopped").touch()
    start(plan)
    wait_until(lambda: RunMonitor(plan.run).poll().state is RunState.RUNNING)


@pytest.mark.slow
def test_an_error_at_the_start_is_reported_in_a_sentence(plan, tmp_path):
    damaged = write_lesion_cases(tmp_path / "damaged", 1)
    (damaged / "case_00" / "case_00_t2.nii.gz").write_bytes(b"no image")
    start(TrainingRequest(damaged, plan.run, "finetune", device="cpu"))
    wait_until(lambda: not RunMonitor(plan.run).poll().state.is_live)
    status = RunMonitor(plan.run).poll()
    assert status.state is RunState.FAILED
    assert "case_00_t2.nii.gz" in status.message
    assert "Traceback" not in RunFolder(plan.run).log.read_text()


@pytest.mark.slow
def test_a_folder_serves_one_run_at_a_time(plan):
    run = RunFolder(plan.run)
    run.write_config({"data": str(plan.data)})
    with pytest.raises(TrainingError, match="holds a run already"):
        start(plan)
    with hold_run_lock(run):
        assert is_locked(run)
        with pytest.raises(TrainingError, match=f"process {os.getpid()}"):
            resume(plan.run)
        with pytest.raises(TrainingError, match=f"process {os.getpid()}"), hold_run_lock(run):
            pass
    assert not is_locked(run)
