r"""Time of inference by number of voxels and threads.

    python tests/benchmarks/inference/scaling.py \
        [--sides 64 96 ...] [--threads 1 2] [--plot FILE.png]

Cubes of random voxels, from array to network output, the fastest of three runs after a warm-up.
Cubes that would take longer than `--limit` seconds per run are not run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from inference import SAMPLE, machine
from networks import Setting
from smalltumor.geometry.array_order import reverse_axes

SIDES = (64, 96, 128, 160, 192, 256)
RUNS = 3

Array = npt.NDArray[np.float32]


def plain() -> Callable[[Array], object]:
    """The network as published, in plain torch."""
    import torch
    from smalltumor.models.checkpoint import random_checkpoint
    from torch.nn import functional

    network = random_checkpoint().network

    def run(array: Array) -> object:
        with torch.inference_mode():
            half = dict(network.steps(torch.from_numpy(array)[None]))["decoder 1"]
            doubled = functional.interpolate(half, scale_factor=2.0, mode="trilinear")
            return network.head(doubled).softmax(1)

    return run


def torch_path() -> Callable[[Array], object]:
    """This project's torch backend."""
    from smalltumor.inference.backends.torch_backend import TorchBackend
    from smalltumor.models.checkpoint import random_checkpoint
    from smalltumor.progress import ProgressReporter

    backend = TorchBackend(random_checkpoint())
    return lambda array: backend(array, ProgressReporter())


def openvino_path() -> Callable[[Array], object]:
    """This project's OpenVINO backend."""
    from smalltumor.inference.backends.openvino_backend import OpenVinoBackend
    from smalltumor.models.checkpoint import random_checkpoint
    from smalltumor.progress import ProgressReporter

    backend = OpenVinoBackend(random_checkpoint(), threads=len(os.sched_getaffinity(0)))
    return lambda array: backend(array, ProgressReporter())


PATHS = {
    "plain torch": plain,
    "smalltumor, torch": torch_path,
    "smalltumor, openvino": openvino_path,
}


def measure(name: str, sides: list[int], limit: float) -> None:
    """Print ``side seconds`` for one path, in this process."""
    run = PATHS[name]()
    last = (0, 0.0)
    for side in sides:
        if last[0] and last[1] * (side / last[0]) ** 3 > limit:
            return
        array = np.random.default_rng(0).standard_normal((4, side, side, side), dtype=np.float32)
        array = reverse_axes(array)  # in Fortran order, as cases are
        run(array)
        times = []
        for _ in range(RUNS):
            start = time.perf_counter()
            run(array)
            times.append(time.perf_counter() - start)
        last = (side, min(times))
        print(side, last[1], flush=True)


def in_process(name: str, sides: list[int], threads: int, limit: float) -> dict[int, float]:
    """Seconds by side, measured in a separate process with a number of threads."""
    cores = sorted(os.sched_getaffinity(0))[:threads]
    done = subprocess.run(
        [sys.executable, __file__, "--path", name, "--limit", str(limit), "--sides"]
        + [str(side) for side in sides],
        env=os.environ | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)},
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    rows = [line.split() for line in done.stdout.splitlines() if line[:1].isdigit()]
    return {int(side): float(seconds) for side, seconds in rows}


def plot(path: Path, results: dict[tuple[str, int], dict[int, float]], threads: int) -> None:
    """Plot seconds against voxels, both logarithmic, for one number of threads."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.add_subplot(xscale="log", yscale="log")
    sides: set[int] = set()
    for (name, count), rows in results.items():
        if count == threads:
            axes.plot([side**3 for side in rows], [*rows.values()], marker="o", label=name)
            sides.update(rows)
    axes.set_xticks([side**3 for side in sorted(sides)], [str(side) for side in sorted(sides)])
    axes.minorticks_off()
    axes.set_xlabel(f"edge of the cube (voxels), {threads} threads")
    axes.set_ylabel("time (s)")
    axes.grid(axis="y", color="0.9")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=200)


def main() -> None:
    """Print the table, and plot it if requested."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sides", type=int, nargs="+", default=list(SIDES))
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--limit", type=float, default=30.0)
    parser.add_argument("--plot", type=Path)
    parser.add_argument(
        "--path", choices=PATHS, help="measure one path in this process, without a table"
    )
    options = parser.parse_args()
    if options.path:
        measure(options.path, options.sides, options.limit)
        return
    print(machine(Setting(SAMPLE, "cpu", max(options.threads), None)))
    print("| path | threads | " + " | ".join(f"{side}^3" for side in options.sides) + " |")
    print("|---|---|" + "---|" * len(options.sides))
    results = {}
    for threads in options.threads:
        for name in PATHS:
            rows = in_process(name, options.sides, threads, options.limit)
            results[name, threads] = rows
            cells = [f"{rows[s]:.2f}" if s in rows else "" for s in options.sides]
            print(f"| {name} | {threads} | " + " | ".join(cells) + " |", flush=True)
    if options.plot:
        plot(options.plot, results, max(options.threads))


if __name__ == "__main__":
    main()
