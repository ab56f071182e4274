"""Whether a process of this computer runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest
from smalltumor.files.processes import is_running


def test_this_process_runs_and_did_not_before_it_was_started():
    started = psutil.Process().create_time()
    assert is_running(os.getpid())
    assert is_running(os.getpid(), time.time())
    assert is_running(os.getpid(), started - 3600) is False


def test_a_process_that_has_ended_does_not_run_also_while_nobody_has_read_its_exit_code():
    child = subprocess.Popen([sys.executable, "-c", ""])
    limit = time.monotonic() + 30
    while is_running(child.pid) and time.monotonic() < limit:
        time.sleep(0.01)
    assert is_running(child.pid) is False
    child.wait()
    assert is_running(child.pid) is False


@pytest.mark.parametrize("number", [2**31 - 1, 2**70])
def test_a_number_without_a_process_does_not_run(number):
    assert is_running(number) is False


def test_it_is_not_known_of_a_process_that_may_not_be_asked(monkeypatch):
    def deny(process):
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "status", deny)
    assert is_running(os.getpid()) is None
