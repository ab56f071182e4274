"""OpenVINO with signals and several threads."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from smalltumor.files.user_dirs import CACHE_VARIABLE
from smalltumor.inference.backends import openvino_network

pytest.importorskip("openvino", reason="the extra openvino is absent")

SIGNALLED = """
import signal
import numpy as np
from smalltumor import random_checkpoint
from smalltumor.models.config import NetworkConfig
from smalltumor.inference.backends.openvino_backend import OpenVinoBackend
from smalltumor.progress import ProgressReporter

config = NetworkConfig(width=8, channels=16, groups=4)
first, second = (OpenVinoBackend(random_checkpoint(seed, config)) for seed in (1, 2))
for backend in (first, second):
    backend(np.ones((4, 16, 16, 16), dtype=np.float32), ProgressReporter())
del backend, first
del second
handled = []
signal.signal(signal.SIGINT, lambda *_: handled.append("SIGINT"))
signal.raise_signal(signal.SIGINT)
print(*handled)
"""


@pytest.mark.slow
def test_a_signal_is_handled_after_networks_were_dropped(tmp_path: Path) -> None:
    environment = os.environ | {CACHE_VARIABLE: str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", SIGNALLED], env=environment, capture_output=True, text=True
    )
    assert (run.returncode, run.stdout.strip()) == (0, "SIGINT"), run.stderr


def test_first_calls_at_the_same_time_create_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    created: list[object] = []

    def slow_core() -> object:
        time.sleep(0.05)
        created.append(object())
        return created[-1]

    monkeypatch.setattr("openvino.Core", slow_core)
    monkeypatch.setattr(openvino_network, "_core", None)
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(openvino_network.shared_core()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(created) == 1
    assert found == created * 4
