"""Training in a process of its own: it outlives who started it, and stops when it is asked to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from smalltumor.errors import TrainingError
from smalltumor.models.checkpoint import Checkpoint, load_checkpoint
from smalltumor.training.request import TrainingRequest
from smalltumor.training.runs import launcher
from smalltumor.training.runs.current_weights import current_checkpoint
from smalltumor.training.runs.launcher import pause, resume, start, stop
from smalltumor.training.runs.monitor import RunMonitor, State
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.runs.run_lock import hold_run_lock, is_locked, read_lock_holder
from training_cases import write_lesion_cases

FAR_TOO_LONG = {"crop": 32, "batch": 2, "epochs": 5000}
PATIENCE = 180


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write_lesion_cases(tmp_path_factory.mktemp("launch") / "cases", 3)


@pytest.fixture
def plan(data, weights_to_tune, tmp_path, monkeypatch):
    """A run that would take hours; whatever is left of it is ended."""
    monkeypatch.setattr(launcher, "NICENESS", 1)  # a busy machine would keep the tests waiting
    monkeypatch.setattr(launcher, "_GRACE_SECONDS", 60.0)
    run = tmp_path / "run"
    yield TrainingRequest(
        data,
        run,
        preset="finetune",
        weights=weights_to_tune,
        validation=data / "made_00",
        cache=data.parent / "cache",
        device="cpu",
        changes=FAR_TOO_LONG,
    )
    if is_locked(RunFolder(run)):
        stop(run)


def wait_until(true: Callable[[], bool]) -> None:
    limit = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.05)


def has_learnt(run: Path, epochs: int = 1) -> Callable[[], bool]:
    monitor = RunMonitor(run)
    return lambda: monitor.poll().epoch >= epochs


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_it_stops_saves_and_goes_on_where_it_was(plan):
    pid = start(plan)
    assert RunMonitor(plan.run).poll().state is State.STARTING
    wait_until(has_learnt(plan.run))
    assert os.getpriority(os.PRIO_PROCESS, pid) == os.getpriority(os.PRIO_PROCESS, 0) + 1
    group = Path(f"/proc/{pid}/autogroup")
    if group.exists():  # there a session's niceness counts, not the process's
        assert group.read_text().endswith("nice 1\n")
    assert os.getsid(pid) == pid
    status = RunMonitor(plan.run).poll()
    assert status.state is State.RUNNING
    assert status.steps == 5000 * 4
    assert stop(plan.run)
    assert gone(pid)
    status = RunMonitor(plan.run).poll()
    assert status.state is State.STOPPED
    assert_learnt_from(plan, current_checkpoint(plan.run))
    assert status.scores["wt"][0][0] == 0.0  # the weights it started from were judged
    resume(plan.run)
    wait_until(has_learnt(plan.run, status.epoch + 2))
    assert pause(plan.run)
    again = RunMonitor(plan.run).poll()
    assert again.state is State.PAUSED
    epochs = again.losses["segmentation"][0]
    assert epochs == [float(n + 1) for n in range(len(epochs))]


def assert_learnt_from(plan: TrainingRequest, current: Checkpoint) -> None:
    """The averaged network of a run that has begun, and the best so far."""
    assert current.card["step"] == RunMonitor(plan.run).poll().step > 0
    assert "limits" not in current.card
    assert set(current.tensors()) == set(load_checkpoint(plan.weights).tensors())
    assert sum(p.numel() for p in current.network.parameters()) > 0
    best = load_checkpoint(RunFolder(plan.run).best)
    assert best.card["scores"]["by_case"][0]["case"] == "made_00"


def test_it_outlives_a_parent_that_is_killed_and_if_killed_itself_can_be_resumed(plan, tmp_path):
    script, request = tmp_path / "parent.py", tmp_path / "request.json"
    plan.write(request)
    script.write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        "from smalltumor.training.request import TrainingRequest\n"
        "from smalltumor.training.runs import launcher\n"
        "launcher.NICENESS = 0\n"
        f"request = TrainingRequest.read(Path({str(request)!r}))\n"
        "print(launcher.start(request), flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    wait_until(has_learnt(plan.run))
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    before = RunMonitor(plan.run).poll()
    assert before.state is State.RUNNING
    wait_until(has_learnt(plan.run, before.epoch + 1))
    assert read_lock_holder(RunFolder(plan.run)).pid == pid
    os.kill(pid, signal.SIGKILL)
    monitor = RunMonitor(plan.run)
    wait_until(lambda: monitor.poll().state is State.FAILED)
    assert gone(pid)
    assert "killed" in monitor.poll().message
    resume(plan.run)
    wait_until(lambda: RunMonitor(plan.run).poll().state is State.RUNNING)
    assert stop(plan.run)


def test_a_process_that_does_not_listen_is_ended_with_all_it_has_started(plan, monkeypatch):
    monkeypatch.setattr(launcher, "_GRACE_SECONDS", 1.5)
    RunFolder(plan.run).create()
    script = (
        "import signal, subprocess, sys, time\n"
        "from pathlib import Path\n"
        "from smalltumor.training.runs.run_lock import hold_run_lock\n"
        "from smalltumor.training.runs.run_folder import RunFolder\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal, time\\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\\ntime.sleep(600)'])\n"
        f"with hold_run_lock(RunFolder(Path({str(plan.run)!r}))):\n"
        "    time.sleep(1)\n"
        "    print(child.pid, flush=True)\n"
        "    time.sleep(600)\n"
    )
    deaf = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    child = int(deaf.stdout.readline())
    assert not stop(plan.run)
    deaf.wait(timeout=PATIENCE)
    wait_until(lambda: gone(child))
    assert RunMonitor(plan.run).poll().state is State.STOPPED


def test_what_goes_wrong_at_once_is_in_words(plan, tmp_path):
    damaged = write_lesion_cases(tmp_path / "damaged", 1)
    (damaged / "made_00" / "made_00_t2.nii.gz").write_bytes(b"no image")
    start(TrainingRequest(damaged, plan.run, "finetune", device="cpu"))
    wait_until(lambda: not RunMonitor(plan.run).poll().state.is_live)
    status = RunMonitor(plan.run).poll()
    assert status.state is State.FAILED
    assert "made_00_t2.nii.gz" in status.message
    assert "Traceback" not in RunFolder(plan.run).log.read_text()


def test_a_folder_serves_one_run_at_a_time(plan):
    run = RunFolder(plan.run)
    run.write_config({"data": str(plan.data)})
    with pytest.raises(TrainingError, match="holds a run already"):
        start(plan)
    with hold_run_lock(run):
        assert is_locked(run)
        with pytest.raises(TrainingError, match="goes on already"):
            resume(plan.run)
        with pytest.raises(TrainingError, match=f"process {os.getpid()}"), hold_run_lock(run):
            pass
    assert not is_locked(run)
