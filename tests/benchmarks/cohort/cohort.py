"""Throughput and processor time of a cohort against those of the network alone, and memory.

python tests/benchmarks/cohort/cohort.py [--cases 12] [--workers 0 1 2] [--folder FOLDER]

The cases are the sample case, flipped and shifted. The network alone segments one of them in memory
again and again, before and after the cohorts, whose first rows are left out: they pay for imports
and compilation. Throughput needs a machine of which nothing else makes use; processor time depends
less on it. With 0 workers a cohort runs in one process.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import psutil

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = ROOT / "sample_data" / "BraTS2021_00019"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=12)
    parser.add_argument("--workers", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        data = Path(folder) / "data"
        for number in range(options.cases):
            make_case(data / f"made_{number:03d}", number)
        alone, runs = [network_alone()], []
        for workers in options.workers:
            runs.append(cohort(data, Path(folder) / f"out_{workers}", workers))
            alone.append(network_alone())
    for run in alone:
        print(f"network alone: {run.seconds:.2f} s a case, {run.processor:.2f} s of processor time")
    for workers, run, *around in zip(options.workers, runs, alone, alone[1:], strict=False):
        seconds = statistics.mean(one.seconds for one in around)
        processor = statistics.mean(one.processor for one in around)
        print(
            f"workers {workers or 'none'}: {run.seconds:.2f} s a case, "
            f"{seconds / run.seconds:.2f} of the network's throughput; "
            f"{run.processor:.2f} s of processor time, {run.processor / processor:.2f} of the "
            f"network's; first row after {run.first:.1f} s; "
            f"peak memory {run.memory[0]:.2f} GB in the first half, {run.memory[1]:.2f} GB in the "
            "second"
        )


@dataclass(frozen=True)
class Run:
    """Seconds a case on the wall and of processor time, to the first row, and peak memory in GB."""

    seconds: float
    processor: float
    first: float = 0.0
    memory: tuple[float, float] = (0.0, 0.0)


def make_case(folder: Path, number: int) -> None:
    """Write the sample case, flipped and shifted by the number's digits."""
    folder.mkdir(parents=True)
    for path in SAMPLE.glob("*.nii.gz"):
        modality = path.name.split("_")[-1]
        if modality.startswith("seg"):
            continue
        image = nib.load(path)
        array = np.asarray(image.dataobj)
        if number % 2:
            array = array[::-1]
        array = np.roll(array, number % 5 - 2, axis=1)
        nib.save(nib.Nifti1Image(array, image.affine), folder / f"{folder.name}_{modality}")


def network_alone(repeats: int = 3) -> Run:
    """In a process of its own; the first case, which compiles, is left out."""
    code = (
        "import sys, time\n"
        "from smalltumor import read_case, segment\n"
        "from smalltumor.models.checkpoint import load_checkpoint\n"
        "case, weights, count = read_case(sys.argv[1]), load_checkpoint(), int(sys.argv[2])\n"
        "segment(case, weights)\n"
        "start, used = time.perf_counter(), time.process_time()\n"
        "for _ in range(count): segment(case, weights)\n"
        "print((time.perf_counter() - start) / count, (time.process_time() - used) / count)\n"
    )
    command = [sys.executable, "-c", code, str(SAMPLE), str(repeats)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return Run(*map(float, printed.split()))


def cohort(data: Path, out: Path, workers: int) -> Run:
    """All cases; memory is the peak of their first half and of their second."""
    command = [sys.executable, "-m", "smalltumor.cli", "cohort", str(data), "-o", str(out)]
    command += ["--workers", str(workers)] if workers else []
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        memory: list[tuple[float, float]] = []
        watch = threading.Thread(target=sample_memory, args=(process.pid, memory))
        watch.start()
        assert process.stdout is not None
        rows = (line for line in process.stdout if line.startswith("["))
        ends = [(time.perf_counter(), processor_time(process.pid)) for _ in rows]
        process.wait()
        watch.join()
    assert process.returncode == 0
    skipped = max(2, 2 * workers)
    moments = [moment for moment, _ in ends]
    wall, used = (
        (last - first) / (len(ends) - skipped)
        for first, last in zip(ends[skipped - 1], ends[-1], strict=True)
    )
    middle = moments[len(moments) // 2]
    early = max(used for moment, used in memory if moment < middle)
    late = max(used for moment, used in memory if moment >= middle)
    return Run(wall, used, moments[0] - began, (early, late))


def processor_time(pid: int) -> float:
    """Seconds that a process and its children have used, whichever ended before left out."""
    used = 0.0
    for one in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        with suppress(psutil.Error):
            used += sum(one.cpu_times()[:2])
    return used


def sample_memory(pid: int, samples: list[tuple[float, float]]) -> None:
    """Add (moment, GB) of a process and its children until it ends."""
    process = psutil.Process(pid)
    family: list[psutil.Process] = []
    for tick in itertools.count():
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return
        if tick % 50 == 0:  # looking through all processes costs the cohort a core's few percent
            family = [process, *process.children(recursive=True)]
        used = 0
        for one in family:
            with suppress(psutil.Error):
                used += one.memory_info().rss
        samples.append((time.perf_counter(), used / 1e9))
        time.sleep(0.1)


if __name__ == "__main__":
    main()
