"""Work that is interrupted again and again, each time in a process of its own.

``PYTHONPATH=model:tests python tests/interruption/trials.py JOB COUNT SEED MEANS...`` prints a
JSON line for each of the means: how many trials there were, and how often each file was found old
and how often new. Anything else on the disk, a hang or a traceback is an error. The processes are
forked from this one, which has loaded everything and run nothing, so that a trial takes as long
as its work.

JOB    ``segment`` (command line: mask, regions, table, probabilities), ``export`` (the files the
       plugin writes) or ``table``
MEANS  ``SIGINT``, ``SIGTERM``, ``SIGKILL`` at COUNT random moments; ``steps``, a SIGKILL before
       each file operation in turn; ``full``, a disk that takes COUNT different numbers of bytes
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.ndimage  # noqa: F401
import skimage.measure
import skimage.morphology  # noqa: F401 - scikit-image loads it at the first call
import smalltumor.inference.backends.torch_backend  # noqa: F401
import torch
from smalltumor.cli import main
from smalltumor.data.segmentation import Segmentation, write_regions, write_segmentation
from smalltumor.files.atomic import TEMPORARY_FILES
from smalltumor.geometry.grid import Grid
from smalltumor.inference import segment  # noqa: F401 - loaded before the processes part
from smalltumor.lesions import find_lesions, write_csv
from synthetic import write_case, write_weights

OLD = b"what was there before"
PATIENCE_S = 120
DONE, FAILED, INTERRUPTED = 0, 1, 130

Job = Callable[[Path], int]


def segment_job(folder: Path) -> Job:
    case = write_case(folder / "made")
    weights = write_weights(folder / "narrow.safetensors")
    words = ("segment", case, "--regions", "--overwrite", "--backend", "torch", "--device", "cpu")

    def run(out: Path) -> int:
        targets = ("-o", out / "mask.nii.gz", "--lesions", out / "table.csv")
        more = ("--probabilities", out / "p.nii.gz", "--weights", weights)
        return main([str(word) for word in (*words, *targets, *more)])

    return run


def made_segmentation() -> Segmentation:
    shape = (96, 96, 64)
    classes = (np.random.default_rng(1).random(shape) > 0.97).astype(np.uint8) * 3
    return Segmentation("made", classes, Grid(shape, np.diag([-1.0, -1.0, 1.0, 1.0])))


def export_job(folder: Path) -> Job:
    made = made_segmentation()

    def run(out: Path) -> int:
        write_segmentation(made, out / "mask.nii.gz", overwrite=True)
        write_regions(made, out / "regions.nii", overwrite=True)
        return DONE

    return run


def table_job(folder: Path) -> Job:
    lesions = find_lesions(made_segmentation()) * 5

    def run(out: Path) -> int:
        write_csv(lesions, out / "table.csv", overwrite=True)
        return DONE

    return run


JOBS = {"segment": segment_job, "export": export_job, "table": table_job}


def start(job: Job, out: Path, prepare: Callable[[], None] = lambda: None) -> int:
    """Fork; the child does the job and exits with its code, 99 after an unforeseen error."""
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        code = 99
        try:
            signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
            torch.set_num_threads(1)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            prepare()
            os.write(tell, b".")
            code = job(out)
        except KeyboardInterrupt:
            code = INTERRUPTED
        except Exception as error:
            code = FAILED if type(error).__module__ == "smalltumor.errors" else 99
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
        finally:
            os._exit(code)
    os.read(ready, 1)
    os.close(ready)
    os.close(tell)
    return child


def end(child: int) -> int:
    """The child's exit code, or minus the signal that ended it."""
    limit = time.monotonic() + PATIENCE_S
    while time.monotonic() < limit:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    raise AssertionError("a trial hung")


class Trials:
    """A job, what it writes when nobody disturbs it, and what was found after each trial."""

    def __init__(self, job: Job, folder: Path) -> None:
        self.job, self.folder = job, folder
        self.found: Counter[str] = Counter()
        whole = folder / "whole"
        whole.mkdir()
        began = time.perf_counter()
        assert end(start(job, whole)) == DONE
        self.seconds = time.perf_counter() - began
        self.new = {path.name: path.read_bytes() for path in whole.iterdir()}

    def out(self, number: int) -> Path:
        """A folder of old files; every other one is empty instead."""
        folder = self.folder / f"out{number}"
        folder.mkdir()
        if number % 2:
            for name in self.new:
                (folder / name).write_bytes(OLD)
        return folder

    def check(self, out: Path, code: int, *, may_leave: bool, allowed: set[int]) -> None:
        assert code in allowed, f"exit code {code}"
        for path in out.iterdir():
            if path.match(TEMPORARY_FILES):
                assert may_leave, f"{path.name} was left behind"
                self.found["leftovers"] += 1
                continue
            content = path.read_bytes()
            assert content in (OLD, self.new[path.name]), f"{path.name}: {len(content)} bytes"
            self.found["new" if content == self.new[path.name] else "old"] += 1
        if code == DONE:
            assert all((out / name).read_bytes() == new for name, new in self.new.items())
        self.found["interrupted" if code else "finished"] += 1


def at_random_moments(trials: Trials, number: signal.Signals, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    killed = number is signal.SIGKILL
    allowed = {DONE, -number} if killed else {DONE, INTERRUPTED}
    for trial in range(count):
        out = trials.out(trial)
        child = start(trials.job, out)
        time.sleep(rng.uniform(0, 1.1 * trials.seconds))
        os.kill(child, number)
        trials.check(out, end(child), may_leave=killed, allowed=allowed)


def before_each_step(trials: Trials) -> int:
    """Kill before the first file operation, before the second, and so on until it finishes."""
    for step in range(10_000):
        out = trials.out(step)

        def strike(out: Path = out, step: int = step) -> None:
            left = [step]

            def hook(event: str, arguments: tuple[object, ...]) -> None:
                if event.startswith(("open", "os.")) and any(str(out) in str(a) for a in arguments):
                    if left[0] == 0:
                        os.kill(os.getpid(), signal.SIGKILL)
                    left[0] -= 1

            sys.addaudithook(hook)

        code = end(start(trials.job, out, strike))
        trials.check(out, code, may_leave=True, allowed={DONE, -signal.SIGKILL})
        if code == DONE:
            return step
    raise AssertionError("it never finishes")


def on_a_full_disk(trials: Trials, count: int) -> None:
    largest = max(map(len, trials.new.values()))
    sizes = np.unique(np.geomspace(1, largest, count).astype(int))
    for number, size in enumerate([0, *sizes[:-1], largest]):
        out = trials.out(number)

        def fill(size: int = int(size)) -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        code = end(start(trials.job, out, fill))
        trials.check(out, code, may_leave=False, allowed={DONE, FAILED})


def run(job: str, means: str, count: int, seed: int) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trials = Trials(JOBS[job](folder), folder)
        if means == "steps":
            before_each_step(trials)
        elif means == "full":
            on_a_full_disk(trials, count)
        else:
            at_random_moments(trials, signal.Signals[means], count, seed)
        return dict(trials.found)


if __name__ == "__main__":
    job, count, seed, *all_means = sys.argv[1:]
    for means in all_means:
        print(json.dumps(run(job, means, int(count), int(seed))), flush=True)
