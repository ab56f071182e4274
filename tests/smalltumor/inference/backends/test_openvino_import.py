"""OpenVINO is imported without its telemetry."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from smalltumor.inference.devices import has_openvino

IMPORT = """
import sys

processes = []
watched = "os.fork", "os.posix_spawn", "subprocess.Popen"
sys.addaudithook(lambda event, _: event in watched and processes.append(event))
from smalltumor.inference.backends.openvino_import import import_openvino

core = import_openvino().Core()
assert "CPU" in core.available_devices
assert processes == [], processes
assert sys.modules["openvino_telemetry"] is None
"""


@pytest.mark.skipif(not has_openvino(), reason="the extra openvino is absent")
def test_its_import_starts_no_process_and_leaves_nothing_in_the_home_folder(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    outside_ci = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT],
        capture_output=True,
        text=True,
        env={**outside_ci, **home},  # in CI OpenVINO reports nothing anyway
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "intel").exists()
