"""After an interruption, every file is either the old one or the complete new one.

`SMALLTUMOR_TRIALS` sets the number of signals sent to each job, and of file sizes at which the disk
is full. Without it there are few, and the job `table` is not run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked")

MANY = "SMALLTUMOR_TRIALS" in os.environ
COUNT = int(os.environ.get("SMALLTUMOR_TRIALS", "6"))
SIGNALS = ("SIGINT", "SIGTERM", "SIGKILL")
TRIALS = Path(__file__).with_name("trials.py")
PATHS = [str(TRIALS.parents[2] / "model"), str(TRIALS.parents[1] / "support")]


@pytest.mark.slow
@pytest.mark.parametrize("job", ["segment", "export", "table"] if MANY else ["segment", "export"])
def test_every_file_is_the_old_one_or_the_complete_new_one(job, record_property):
    """Signals at random times, a kill before each file operation, and full disks."""
    means = (*SIGNALS, "steps", "full")
    command = [sys.executable, str(TRIALS), job, str(COUNT), "0", *means]
    # Coverage would be interrupted as well, and print errors.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COV")}
    environment["PYTHONPATH"] = os.pathsep.join(PATHS)
    done = subprocess.run(command, capture_output=True, text=True, timeout=7200, env=environment)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    found = dict(zip(means, map(json.loads, done.stdout.splitlines()), strict=True))
    record_property("found", found)
    print(json.dumps({job: found}))
    for number in SIGNALS:
        assert found[number].get("interrupted", 0) + found[number].get("finished", 0) == COUNT
    assert found["steps"]["finished"] == 2
    assert found["steps"]["interrupted"] >= 3
    assert found["full"]["interrupted"] >= COUNT // 2
    assert found["full"]["finished"] >= 1
