"""Runs of a training that a test begins and ends, without training."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from smalltumor.training.runs.run_folder import RunFolder
from synthetic import write_weights

HOLDS_RUN_FOLDER = """
import sys, time
from pathlib import Path
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.runs.run_lock import hold_run_lock

run = RunFolder(Path(sys.argv[1]))
with hold_run_lock(run):
    run.append("start", 0, steps=40, device="cpu", training=["a"], validation=["Pat"])
    print("training", flush=True)
    finished = run.path / "finish"
    while run.read_stop_request() is None and not finished.exists():
        time.sleep(0.05)
    if finished.exists():
        run.append("done", 40)
"""


class HeldRun:
    """A run whose process holds the run folder and ends when it is told to."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        folder.create()
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDS_RUN_FOLDER, str(folder.path)],
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"training\n"

    def finish(self) -> None:
        (self.folder.path / "finish").touch()
        self.process.wait()


def finished_run(data: Path, folder: RunFolder) -> Path:
    """A run that was trained on a folder and has written weights."""
    folder.write_config({"data": str(data)})
    folder.append("done", 40)
    write_weights(folder.best)
    return folder.path
