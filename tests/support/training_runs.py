"""Short training runs on synthetic lesions, in this process or in a separate one."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file
from smalltumor.training.request import TrainingRequest
from smalltumor.training.runs.run_folder import RunFolder

SUPPORT = Path(__file__).resolve().parent
COMMAND = """
import sys, time
sys.path[:0] = {path!r}
from pathlib import Path
from training_cases import QUICK
from smalltumor.training.execution import train
from smalltumor.training.runs.run_folder import RunFolder
from dataclasses import replace

append, until = RunFolder.append, {until!r}

def append_or_wait(self, event, step, **values):
    while event == "done" and until is not None and not Path(until).exists():
        time.sleep(0.01)
    append(self, event, step, **values)

RunFolder.append = append_or_wait
train.PRESETS = {{"paper": replace(QUICK, **{settings!r})}}
data = Path({data!r})
request = train.TrainingRequest(
    data, Path({run!r}), validation_folder=Path({validation!r}), cache=data.parent / "cache",
    device="cpu", resume=True,
)
print("finished" if train.train(request, save_seconds=0) else "stopped", flush=True)
"""


def request_for(data: Path, run: Path, **changed: Any) -> TrainingRequest:
    """Request to train on all cases of a folder except the first, which is for validation."""
    settings = {"validation_folder": data / "case_00", "cache": data.parent / "cache"}
    return TrainingRequest(data, run, **(settings | {"device": "cpu"} | changed))


def start_run(
    data: Path,
    run: Path,
    settings: dict[str, Any],
    *launcher: str,
    validation: Path | None = None,
    until: Path | None = None,
) -> subprocess.Popen[str]:
    """Start the same request in a separate process, which saves its state after every step.

    It does not end before the file `until` exists, however fast the machine is.
    """
    validation = validation or data / "case_00"
    path = [str(SUPPORT.parents[1] / "model"), str(SUPPORT)]
    script = run.parent / f"{secrets.token_hex(4)}.py"  # no other process is reading it
    values = {"data": str(data), "run": str(run), "validation": str(validation)}
    values["until"] = None if until is None else str(until)
    script.write_text(COMMAND.format(path=path, settings=settings, **values))
    command = [sys.executable, *launcher, str(script)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_step(run: Path, process: subprocess.Popen[str], step: int) -> None:
    limit = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < limit:
        if any(event["step"] >= step for event in RunFolder(run).read_events()):
            return
        time.sleep(0.02)


def silent(line: str) -> None:
    pass


def events(run: Path, kind: str) -> list[dict[str, Any]]:
    return [event for event in RunFolder(run).read_events() if event["event"] == kind]


def weights(run: Path) -> dict[str, np.ndarray]:
    """The last saved state, by tensor name."""
    return load_file(run / "last.safetensors")


def assert_same_state(run: Path, other: Path) -> None:
    """Check that the last states of both runs are equal bit by bit."""
    one, two = weights(run), weights(other)
    assert one.keys() == two.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, two[name], err_msg=name)


class StopAfter:
    """Takes the place of a `StopListener`: stops when the next answer says so."""

    stop_request = None

    def __init__(self, answers: Iterator[bool]) -> None:
        self.answers = answers

    def __call__(self):
        return next(self.answers, False)

    def abort_step(self):
        return False
