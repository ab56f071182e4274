"""Interrupts a job repeatedly, each time in a separate process, and checks the files.

``PYTHONPATH=model:tests/support python tests/interruption/trials.py JOB COUNT SEED MEANS...``
prints a JSON line for each of the means: the numbers of trials that finished and were interrupted,
and of files that were old and new afterwards. Other file contents, a hang or a traceback are
errors. The processes are forked from this one, which has imported all modules, so that a trial
takes no longer than the job.

JOB    ``segment`` (command line: mask, regions, table, probabilities, in two folders), ``export``
       (the files the plugin writes) or ``table``
MEANS  ``SIGINT``, ``SIGTERM``, ``SIGKILL`` at COUNT random times; ``steps``, the files as a kill
       before each file operation leaves them; ``full``, a disk that is full at COUNT file sizes
"""

from __future__ import annotations

import itertools
import json
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import scipy.ndimage  # noqa: F401
import skimage.measure
import skimage.morphology  # noqa: F401 - otherwise imported at the first call
import smalltumor.inference.backends.torch_backend  # noqa: F401
import torch
from smalltumor.cli import main
from smalltumor.data.segmentation import Segmentation, write_regions, write_segmentation
from smalltumor.files.transactions.journal import JournalState
from smalltumor.files.transactions.recovery import recover_interrupted_writes
from smalltumor.geometry.grid import Grid
from smalltumor.inference import segment  # noqa: F401 - imported before forking
from smalltumor.lesions import find_lesions, write_csv
from synthetic import write_case, write_weights

OLD = b"old content"
HIDDEN = ".smalltumor-"
REGION = re.compile(r"_(et|tc|wt)\.nii")
TIMEOUT_S = 120
DONE, FAILED, INTERRUPTED = 0, 1, 130

Job = Callable[[Path], int]


def segment_job(folder: Path) -> Job:
    case = write_case(folder / "case")
    weights = write_weights(folder / "narrow.safetensors")
    argv = ("segment", case, "--regions", "--overwrite", "--backend", "torch", "--device", "cpu")

    def run(out: Path) -> int:
        (out / "tables").mkdir(exist_ok=True)
        targets = ("-o", out / "mask.nii.gz", "--lesions", out / "tables" / "table.csv")
        more = ("--probabilities", out / "p.nii.gz", "--weights", weights)
        return main([str(a) for a in (*argv, *targets, *more)])

    return run


def synthetic_segmentation() -> Segmentation:
    shape = (96, 96, 64)
    classes = (np.random.default_rng(1).random(shape) > 0.97).astype(np.uint8) * 3
    return Segmentation("case", classes, Grid(shape, np.diag([-1.0, -1.0, 1.0, 1.0])))


def export_job(folder: Path) -> Job:
    segmentation = synthetic_segmentation()

    def run(out: Path) -> int:
        write_segmentation(segmentation, out / "mask.nii.gz", overwrite=True)
        write_regions(segmentation, out / "regions.nii", overwrite=True)
        return DONE

    return run


def table_job(folder: Path) -> Job:
    lesions = find_lesions(synthetic_segmentation()) * 5

    def run(out: Path) -> int:
        write_csv(lesions, out / "table.csv", overwrite=True)
        return DONE

    return run


JOBS = {"segment": segment_job, "export": export_job, "table": table_job}


def start(job: Job, out: Path, prepare: Callable[[], None] = lambda: None) -> int:
    """Fork a child that runs the job and exits with its code, or 99 after an unexpected error."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 99
        try:
            signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
            torch.set_num_threads(1)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            prepare()
            os.write(writing, b".")
            code = job(out)
        except KeyboardInterrupt:
            code = INTERRUPTED
        except Exception as error:
            if isinstance(error.__cause__, KeyboardInterrupt):  # of a module that was imported
                code = INTERRUPTED
            elif type(error).__module__ == "smalltumor.errors":
                code = FAILED
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
        finally:
            os._exit(code)
    os.read(reading, 1)
    os.close(reading)
    os.close(writing)
    return child


def wait_for_exit(child: int) -> int:
    """The child's exit code, or the negative number of the signal that killed it."""
    limit = time.monotonic() + TIMEOUT_S
    while time.monotonic() < limit:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    raise AssertionError("a trial hung")


class Trials:
    """A job, the files that it writes without interruption, and counts of the trials' results."""

    def __init__(self, job: Job, folder: Path, *, is_one_command: bool) -> None:
        self.job, self.folder, self.is_one_command = job, folder, is_one_command
        self.found: Counter[str] = Counter()
        uninterrupted = folder / "uninterrupted"
        uninterrupted.mkdir()
        started = time.perf_counter()
        assert wait_for_exit(start(job, uninterrupted)) == DONE
        self.seconds = time.perf_counter() - started
        self.new = dict(_files_in(uninterrupted))

    def out(self, number: int) -> Path:
        """Create an output folder: with old files for odd numbers, empty for even ones."""
        folder = self.folder / f"out{number}"
        folder.mkdir()
        if number % 2:
            for name in self.new:
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_bytes(OLD)
        return folder

    def check(self, out: Path, code: int, *, may_leave: bool, allowed: set[int]) -> None:
        assert code in allowed, f"exit code {code}"
        for name, content in _files_in(out):
            if Path(name).name.startswith(HIDDEN):
                assert may_leave, f"{name} was left behind"
                self.found["leftovers"] += 1
                continue
            assert content in (OLD, self.new[name]), f"{name}: {len(content)} bytes"
            self.found["new" if content == self.new[name] else "old"] += 1
        regions = [p for p in out.glob("[!.]*") if REGION.search(p.name)]
        assert len({p.read_bytes() == OLD for p in regions}) < 2, "regions of two runs are mixed"
        if code == DONE:
            assert all((out / name).read_bytes() == new for name, new in self.new.items())
        self.found["interrupted" if code else "finished"] += 1

    def check_recovered(self, out: Path, *, all_were_there: bool) -> None:
        """The next process finds what was there, or all that is new, and no file aside.

        It is enough that it looks into one of the folders.
        """
        before = len(dict(_files_in(out)))
        folders = sorted({(out / name).parent for name in self.new})
        recover_interrupted_writes(folders[before % len(folders)])
        visible = {n: c for n, c in _files_in(out) if not Path(n).name.startswith(HIDDEN)}
        were_there = dict.fromkeys(self.new, OLD) if all_were_there else {}
        if self.is_one_command:
            assert visible in (were_there, self.new), f"{sorted(visible)} are not of one run"
        assert not all_were_there or visible.keys() == self.new.keys(), "files were lost"
        for folder in folders:
            recover_interrupted_writes(folder)
        left = [name for name, _ in _files_in(out) if name.endswith((".kept", *JournalState))]
        assert not left, f"{left} were left aside"


def _files_in(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The files below a folder, by their names in it."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def at_random_times(trials: Trials, number: signal.Signals, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    killed = number is signal.SIGKILL
    allowed = {DONE, -number} if killed else {DONE, INTERRUPTED}
    for trial in range(count):
        out = trials.out(trial)
        child = start(trials.job, out)
        time.sleep(rng.uniform(0, 1.1 * trials.seconds))
        os.kill(child, number)
        code = wait_for_exit(child)
        trials.check(out, code, may_leave=killed, allowed=allowed)
        if code < 0:
            trials.check_recovered(out, all_were_there=bool(trial % 2))


def before_each_step(trials: Trials) -> None:
    """Check the files as a kill before each file operation in turn leaves them.

    A kill loses what the process has not written yet, and nothing else, so the folder is copied
    before each operation of one run instead of killing one run for each operation.
    """
    for first in (0, 1):
        out = trials.out(first)
        copies = trials.folder / f"copies{first}"
        copies.mkdir()

        def copy_before_each(out: Path = out, copies: Path = copies) -> None:
            steps = itertools.count()
            copying = threading.local()

            def hook(event: str, arguments: tuple[object, ...]) -> None:
                if getattr(copying, "now", False) or not event.startswith(("open", "os.")):
                    return
                if any(str(out) in str(argument) for argument in arguments):
                    copying.now = True
                    shutil.copytree(out, copies / str(next(steps)))
                    copying.now = False

            sys.addaudithook(hook)

        code = wait_for_exit(start(trials.job, out, copy_before_each))
        for copy in copies.iterdir():
            trials.check(copy, -signal.SIGKILL, may_leave=True, allowed={-signal.SIGKILL})
            trials.check_recovered(copy, all_were_there=bool(first))
        trials.check(out, code, may_leave=False, allowed={DONE})


def on_a_full_disk(trials: Trials, count: int) -> None:
    largest = max(map(len, trials.new.values()))
    sizes = np.unique(np.geomspace(1, largest, count).astype(int))
    for number, size in enumerate([0, *sizes[:-1], largest]):
        out = trials.out(number)

        def fill(size: int = int(size)) -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        code = wait_for_exit(start(trials.job, out, fill))
        trials.check(out, code, may_leave=False, allowed={DONE, FAILED})


def run(job: str, means: str, count: int, seed: int) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trials = Trials(JOBS[job](folder), folder, is_one_command=job != "export")
        if means == "steps":
            before_each_step(trials)
        elif means == "full":
            on_a_full_disk(trials, count)
        else:
            at_random_times(trials, signal.Signals[means], count, seed)
        return dict(trials.found)


if __name__ == "__main__":
    job, count, seed, *all_means = sys.argv[1:]
    for means in all_means:
        print(json.dumps(run(job, means, int(count), int(seed))), flush=True)
