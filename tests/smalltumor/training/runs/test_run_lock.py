"""Who trains in a folder, on systems that tell it in different ways."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from smalltumor.errors import TrainingError
from smalltumor.training.request import TrainingRequest
from smalltumor.training.runs import launcher, run_lock
from smalltumor.training.runs.launcher import resume, start, stop
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.runs.run_lock import (
    hold_run_lock,
    is_locked,
    is_process_running,
    write_lock_holder,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="locks and signals of POSIX")


@pytest.fixture
def run(tmp_path) -> RunFolder:
    run = RunFolder(tmp_path / "run")
    run.create()
    return run


def failing(number: int):
    def fail(*arguments, **options):
        raise OSError(number, os.strerror(number))

    return fail


def test_a_process_of_somebody_else_runs_as_well(monkeypatch):
    assert is_process_running(os.getpid())
    monkeypatch.setattr(os, "kill", failing(errno.EPERM))
    assert is_process_running(1)
    monkeypatch.setattr(os, "kill", failing(errno.ESRCH))
    assert not is_process_running(1)


def test_a_process_that_has_ended_does_not_run_though_nobody_asked_how():
    child = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    child.stdout.read()  # closed when it ends
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert sys.platform != "linux" or not is_process_running(child.pid)
    child.communicate()
    assert not is_process_running(child.pid)


def test_without_proc_a_process_that_answers_runs(monkeypatch):
    monkeypatch.setattr(Path, "read_text", failing(errno.ENOENT))
    assert is_process_running(os.getpid())


def test_a_file_system_without_locks_trusts_the_heartbeat(run, monkeypatch):
    import fcntl

    monkeypatch.setattr(fcntl, "flock", failing(errno.ENOTSUP))
    with hold_run_lock(run):
        assert is_locked(run)
    assert not is_locked(run)


def test_a_folder_whose_process_file_goes_meanwhile_is_free(run, monkeypatch):
    write_lock_holder(run, os.getpid())
    assert is_locked(run)
    found = run_lock.read_lock_holder(run)
    run.process.unlink()
    monkeypatch.setattr(run_lock, "read_lock_holder", lambda run: found)
    assert not is_locked(run)


def test_a_run_elsewhere_or_in_this_process_is_asked_and_not_killed(run, monkeypatch):
    killed = []
    monkeypatch.setattr(launcher, "_kill", lambda *arguments: killed.append(arguments))
    with hold_run_lock(run):
        assert not stop(run.path)
        assert run.stop_request_file.read_text() == "stop"
    write_lock_holder(run, os.getpid())
    monkeypatch.setattr(run_lock.socket, "gethostname", lambda: "another")
    assert not stop(run.path)
    assert killed == []
    monkeypatch.undo()
    run.process.unlink()
    assert stop(run.path)  # nobody is there


def test_no_process_to_be_had_and_no_data_to_go_on_with_are_told(run, tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", failing(errno.EAGAIN))
    with pytest.raises(TrainingError, match="training cannot be started: Resource"):
        start(TrainingRequest(tmp_path, run.path))
    run.write_config({"data": 3})
    with pytest.raises(TrainingError, match="does not name the folder of cases"):
        resume(run.path)


def test_a_process_that_has_gone_leads_no_group():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert not launcher._leads_group(child.pid)
    launcher._signal(child.pid, False, 0)
