"""OpenVINO inside a process that does other things as well."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from smalltumor.files.user_dirs import CACHE_VARIABLE

pytest.importorskip("openvino", reason="the extra openvino is absent")

SIGNALLED = """
import signal
import numpy as np
from smalltumor import random_checkpoint
from smalltumor.models.config import NetworkConfig
from smalltumor.inference.backends.openvino_backend import OpenVinoBackend
from smalltumor.inference.progress import ProgressReporter

config = NetworkConfig(width=8, channels=16, groups=4)
first, second = (OpenVinoBackend(random_checkpoint(seed, config)) for seed in (1, 2))
for backend in (first, second):
    backend(np.ones((4, 16, 16, 16), dtype=np.float32), ProgressReporter())
    backend._idle.cancel()
del backend, first
del second
heard = []
signal.signal(signal.SIGINT, lambda *_: heard.append("SIGINT"))
signal.raise_signal(signal.SIGINT)
print(*heard)
"""


def test_a_signal_is_heard_after_networks_were_dropped(tmp_path: Path) -> None:
    environment = os.environ | {CACHE_VARIABLE: str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", SIGNALLED], env=environment, capture_output=True, text=True
    )
    assert (run.returncode, run.stdout.strip()) == (0, "SIGINT"), run.stderr
