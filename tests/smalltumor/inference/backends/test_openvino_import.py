"""OpenVINO is imported without its telemetry."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import smalltumor
from smalltumor.inference.devices import has_openvino

WATCHED = """
import sys

processes = []
watched = "os.fork", "os.posix_spawn", "subprocess.Popen"
sys.addaudithook(
    lambda event, arguments: event in watched
    and arguments[:1] != ("uname",)  # platform.processor
    and processes.append(event)
)
{statements}
import openvino

assert "CPU" in openvino.Core().available_devices
assert processes == [], processes
assert sys.modules["openvino_telemetry"] is None
"""


@pytest.mark.skipif(not has_openvino(), reason="the extra openvino is absent")
@pytest.mark.parametrize(
    "statements",
    [
        "from smalltumor.inference.backends.openvino_import import import_openvino\n"
        "import_openvino()",
        "from smalltumor.cohort.workers.worker import _import_libraries\n_import_libraries('auto')",
        "import threading\n"
        "from smalltumor.inference.backends.openvino_import import import_in_background\n"
        "import_in_background('cpu', 'auto')\n"
        "[t.join() for t in threading.enumerate() if t is not threading.current_thread()]",
    ],
    ids=["import_openvino", "a worker", "in the background"],
)
def test_its_import_starts_no_process_and_leaves_nothing_in_the_home_folder(
    statements: str, tmp_path: Path
) -> None:
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    outside_ci = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED.format(statements=statements)],
        capture_output=True,
        text=True,
        env={**outside_ci, **home},  # in CI OpenVINO reports nothing anyway
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "intel").exists()


def test_no_module_imports_it_by_name_past_the_linter() -> None:
    """`ruff` refuses the statement; a text that names the module is not seen by it."""
    package = Path(inspect.getfile(smalltumor)).parent
    texts = {path: path.read_text("utf-8") for path in package.rglob("*.py")}
    assert [str(p) for p, text in texts.items() if re.search("import.*[\"']openvino", text)] == []
