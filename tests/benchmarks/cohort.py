"""Throughput of a cohort against that of the network alone, and memory over its cases.

python tests/benchmarks/cohort.py [--cases 12] [--workers 1 2] [--folder FOLDER]

The cases are the sample case, flipped and shifted. The network alone segments one of them in memory
again and again, before and after the cohorts, whose first rows are left out: they pay for imports
and compilation.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import psutil

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "sample_data" / "BraTS2021_00019"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=12)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        data = Path(folder) / "data"
        for number in range(options.cases):
            make_case(data / f"made_{number:03d}", number)
        alone = [network_alone()]
        runs = {}
        for workers in [None, *options.workers]:
            runs[workers] = cohort(data, Path(folder) / f"out_{workers}", workers)
            alone.append(network_alone())
    print(f"network alone: {', '.join(f'{seconds:.2f}' for seconds in alone)} s a case")
    for position, (workers, run) in enumerate(runs.items()):
        seconds, first, early, late = run
        reference = statistics.mean(alone[position : position + 2])
        print(
            f"workers {workers or 'none'}: {seconds:.2f} s a case, {reference / seconds:.2f} of "
            f"the network's throughput; first row after {first:.1f} s; "
            f"peak memory {early:.2f} GB in the first half, {late:.2f} GB in the second"
        )


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


def network_alone(repeats: int = 3) -> float:
    """Seconds a case, in a process of its own; the first, which compiles, is left out."""
    code = (
        "import sys, time\n"
        "from smalltumor import read_case, segment\n"
        "from smalltumor.models.checkpoint import load_checkpoint\n"
        "case, weights = read_case(sys.argv[1]), load_checkpoint()\n"
        "segment(case, weights)\n"
        "start = time.perf_counter()\n"
        "for _ in range(int(sys.argv[2])): segment(case, weights)\n"
        "print((time.perf_counter() - start) / int(sys.argv[2]))\n"
    )
    command = [sys.executable, "-c", code, str(SAMPLE), str(repeats)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def cohort(data: Path, out: Path, workers: int | None) -> tuple[float, ...]:
    """Seconds a case, seconds to the first row, memory.

    Memory is the peak of the first half of the cases, and of the second, in GB.
    """
    command = [sys.executable, "-m", "smalltumor.cli", "cohort", str(data), "-o", str(out)]
    command += [] if workers is None else ["--workers", str(workers)]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        memory: list[tuple[float, float]] = []
        watch = threading.Thread(target=sample_memory, args=(process.pid, memory))
        watch.start()
        assert process.stdout is not None
        ends = [time.perf_counter() for line in process.stdout if line.startswith("[")]
        process.wait()
        watch.join()
    assert process.returncode == 0
    skipped = max(2, 2 * (workers or 1))
    seconds = (ends[-1] - ends[skipped - 1]) / (len(ends) - skipped)
    middle = ends[len(ends) // 2]
    early = max(used for moment, used in memory if moment < middle)
    late = max(used for moment, used in memory if moment >= middle)
    return seconds, ends[0] - began, early, late


def sample_memory(pid: int, samples: list[tuple[float, float]]) -> None:
    """Add (moment, GB) of a process and its children until it ends."""
    process = psutil.Process(pid)
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        used = 0
        for one in [process, *process.children(recursive=True)]:
            try:
                used += one.memory_info().rss
            except psutil.Error:
                continue
        samples.append((time.perf_counter(), used / 1e9))
        time.sleep(0.1)


if __name__ == "__main__":
    main()
