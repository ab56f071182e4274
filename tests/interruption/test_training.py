"""Ten kills in one short training run; every resume works. Run when `SMALLTUMOR_TRIALS` is set."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from smalltumor.files.tensor_file import read_tensors
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.training.runs.run_folder import RunFolder
from training_cases import write_lesion_cases

KILLS = 10
PATHS = [str(Path(__file__).resolve().parents[1] / "support")]
TRAIN = """
import sys, time
from dataclasses import replace
from pathlib import Path
import torch
torch.set_num_threads(1)
from training_cases import QUICK
from smalltumor.training.execution import train as training_run
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.request import TrainingRequest
from smalltumor.training.execution.train import train
training_run.PRESETS["paper"] = replace(QUICK, epochs=24, validation_interval=2)
data, run = map(Path, sys.argv[1:3])
append, is_held = RunFolder.append, sys.argv[3:] == ["held"]

def append_or_wait(self, event, step, **values):
    while event == "done" and is_held:
        time.sleep(0.01)
    append(self, event, step, **values)

RunFolder.append = append_or_wait
resume = RunFolder(run).config.is_file()
held = data / "case_00"
request = TrainingRequest(data, run, validation_folder=held, device="cpu", resume=resume)
done = train(request, lambda line: print(line, flush=True), save_seconds=0)
print("finished" if done else "stopped")
"""


@pytest.mark.skipif("SMALLTUMOR_TRIALS" not in os.environ, reason="takes minutes")
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_ten_kills_and_every_resume_works(tmp_path):
    data = write_lesion_cases(tmp_path / "cases", 3)
    run = RunFolder(tmp_path / "run")
    rng = np.random.default_rng(0)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).resolve().parents[2] / "model"), *PATHS]),
    }
    command = [sys.executable, "-c", TRAIN, str(data), str(run.path)]
    steps = [-1]
    for _ in range(KILLS):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        process = subprocess.Popen([*command, "held"], text=True, env=environment, **pipes)
        limit = time.monotonic() + 300
        while process.poll() is None and time.monotonic() < limit and _sittings(run) < len(steps):
            time.sleep(0.02)
        assert process.poll() is None, process.stdout and process.stdout.read()
        time.sleep(rng.uniform(0, 4))
        process.kill()
        output, _ = process.communicate()
        assert "Traceback" not in output
        steps.append(_check_whole(run))
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, env=environment)
    assert done.returncode == 0, done.stderr
    assert "finished" in done.stdout
    assert [e["event"] for e in run.read_events()][-1] == "done"
    assert not list(run.path.glob("*.part"))
    print(f"steps at which the run was found after each kill: {steps[1:]}")


def _sittings(run: RunFolder) -> int:
    return sum(event["event"] == "start" for event in run.read_events())


def _check_whole(run: RunFolder) -> int:
    """Every file of the run is whole; the last step it told of."""
    json.loads(run.config.read_text())
    if run.last.exists():
        read_tensors(run.last)
    if run.best.exists():
        assert load_checkpoint(run.best).network is not None
    return max((event["step"] for event in run.read_events()), default=0)
