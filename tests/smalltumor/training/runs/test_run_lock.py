"""Which process trains in a folder, on systems that tell it in different ways."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import threading
import time

import psutil
import pytest
from filelock import FileLock
from smalltumor.errors import TrainingError
from smalltumor.training.request import TrainingRequest
from smalltumor.training.runs import run_control, run_lock
from smalltumor.training.runs.process_tree import is_process_running
from smalltumor.training.runs.run_control import resume, start, stop
from smalltumor.training.runs.run_folder import RunFolder, StopRequest
from smalltumor.training.runs.run_lock import (
    hold_run_lock,
    is_locked,
    write_lock_holder,
)


@pytest.fixture
def run(tmp_path) -> RunFolder:
    run = RunFolder(tmp_path / "run")
    run.create()
    return run


def failing(error: Exception):
    def fail(*arguments, **options):
        raise error

    return fail


def test_a_process_of_another_user_counts_as_running(monkeypatch):
    assert is_process_running(os.getpid())
    monkeypatch.setattr(psutil.Process, "status", failing(psutil.AccessDenied()))
    assert is_process_running(os.getpid())


def test_a_process_that_has_ended_does_not_run_though_its_exit_code_was_not_read():
    child = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    child.stdout.read()  # closed when it ends
    if hasattr(os, "waitid"):
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not is_process_running(child.pid)
    child.communicate()
    assert not is_process_running(child.pid)


def test_a_file_system_without_locks_relies_on_the_heartbeat(run, monkeypatch):
    monkeypatch.setattr(FileLock, "acquire", failing(OSError(errno.ENOTSUP, "no locks")))
    with hold_run_lock(run):
        assert is_locked(run)
        monkeypatch.setattr(os, "getpid", lambda: 1)
        with pytest.raises(TrainingError, match="trains in"), hold_run_lock(run):
            pass
        monkeypatch.undo()
    assert not is_locked(run)


def test_a_folder_whose_process_file_disappears_meanwhile_is_free(run, monkeypatch):
    write_lock_holder(run, os.getpid())
    assert is_locked(run)
    found = run_lock.read_lock_holder(run)
    run.process.unlink()
    monkeypatch.setattr(run_lock, "read_lock_holder", lambda run: found)
    assert not is_locked(run)


def test_a_run_on_another_machine_keeps_its_folder_while_its_heart_beats(run, monkeypatch):
    monkeypatch.setattr(run_lock.socket, "gethostname", lambda: "cluster7")
    write_lock_holder(run, os.getpid())
    monkeypatch.undo()
    with pytest.raises(TrainingError, match="on cluster7 trains in"), hold_run_lock(run):
        pass
    os.utime(run.process, (1.0, 1.0))
    with hold_run_lock(run):
        assert run_lock.read_lock_holder(run).host == socket.gethostname()


def test_a_run_elsewhere_or_in_this_process_is_asked_and_not_ended(run, monkeypatch):
    monkeypatch.setattr(run_control, "ProcessTree", failing(AssertionError("ended")))
    with hold_run_lock(run):
        assert not stop(run.path)
        assert run.stop_request_file.read_text() == "stop"
    write_lock_holder(run, os.getpid())
    monkeypatch.setattr(run_lock.socket, "gethostname", lambda: "another")
    assert not stop(run.path)
    monkeypatch.undo()
    run.process.unlink()
    assert stop(run.path)  # no process is there


def test_a_request_left_over_from_an_earlier_process_is_removed(run):
    run.request_stop(StopRequest.PAUSE)
    with hold_run_lock(run):
        assert run.read_stop_request() is None


def test_a_request_made_while_a_launched_process_starts_reaches_it(run):
    write_lock_holder(run, os.getpid())  # as the launcher does
    run.request_stop(StopRequest.PAUSE)
    with hold_run_lock(run):
        assert run.read_stop_request() is StopRequest.PAUSE
    assert run.read_stop_request() is None


def test_no_process_to_be_had_and_no_data_to_resume_with_are_reported(run, tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", failing(OSError(errno.EAGAIN, "Resource")))
    with pytest.raises(TrainingError, match="training cannot be started: Resource"):
        start(TrainingRequest(tmp_path, run.path))
    run.write_config({"data": 3})
    with pytest.raises(TrainingError, match="does not name the folder of cases"):
        resume(run.path)


def test_of_two_launches_at_once_one_is_refused(run, tmp_path, monkeypatch):
    launched, errors, both = [], [], threading.Barrier(2)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])

    class Started:
        pid = child.pid
        wait = staticmethod(lambda: None)

        def __init__(self, *arguments, **options):
            launched.append(self)
            time.sleep(0.2)

    def launch() -> None:
        both.wait()
        try:
            start(TrainingRequest(tmp_path, run.path))
        except TrainingError as error:
            errors.append(str(error))

    monkeypatch.setattr(run_control.subprocess, "Popen", Started)
    monkeypatch.setattr(run_lock, "_WAIT_SECONDS", 60.0)  # however slow the first launch is
    threads = [threading.Thread(target=launch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    child.kill()
    child.wait()
    assert len(launched) == 1
    assert len(errors) == 1
    assert f"process {child.pid} " in errors[0]
