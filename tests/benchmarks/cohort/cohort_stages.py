"""Processor time of the stages of a cohort's case, besides the network.

python tests/benchmarks/cohort/cohort_stages.py CASES [--cases 8] [--rounds 3]

The network segments each case of the folder CASES once; its output is kept, and put in its place
when the case is read, prepared, measured and written again. A stage's time is that of the fastest
of the rounds, in the mean over the cases.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from smalltumor.cohort.pipeline import network_stage, writing
from smalltumor.cohort.pipeline.jobs import Job
from smalltumor.cohort.settings import CohortSettings
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.inference import predict
from smalltumor.models.checkpoint import Checkpoint, load_checkpoint

PLANE = import_module("smalltumor.data.midsagittal_plane")
LOOK = import_module("smalltumor.second_look.second_look")
LESIONS = import_module("smalltumor.lesions")

INNER = {
    "  prepared for the network": (predict, "prepare"),
    "  checked": (predict, "check_input"),
    "  midsagittal plane": (PLANE, "midsagittal_plane"),
    "  maps of the second look": (LOOK, "coarse_maps"),
    "  its peaks": (LOOK, "find_peaks"),
    "  their features": (LOOK, "features_of"),
    "  lesions found": (LESIONS, "find_lesions"),
    "  lesion table": (writing, "_write_lesions"),
    "  mask written": (writing, "_write_masks"),
    "  volumes": (writing, "numbers_of"),
}
OUTER = ("read", "segmented, but for the network", "measured and written")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cases", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    jobs = [Job(files) for files in find_cases(options.folder)[: options.cases]]
    weights = load_checkpoint()
    with tempfile.TemporaryDirectory() as folder:
        settings = CohortSettings(output=Path(folder))
        outputs = {job.name: output_of(job, weights, settings) for job in jobs}
        seconds: dict[str, list[list[float]]] = defaultdict(list)
        for _ in range(options.rounds):
            measured = [stages(job, outputs[job.name], weights, settings) for job in jobs]
            for name in measured[0]:
                seconds[name].append([case[name] for case in measured])
    for name, rounds in seconds.items():
        print(f"{name:<32}{np.min(rounds, axis=0).mean():.3f} s")


def output_of(job: Job, weights: Checkpoint, settings: CohortSettings) -> Any:
    """The network's output for a case, which is written once so that libraries are imported."""
    kept = []
    run = predict.run_network

    def keep(*arguments: Any) -> Any:
        kept.append(run(*arguments))
        return kept[-1]

    with replaced(predict, "run_network", keep):
        case = network_stage.read_images(job, settings)
        computed = network_stage.run_network(case, weights, settings, lambda: False)
    writing.write_results(job, computed, settings, 0, lambda: False)
    return kept[0]


def stages(
    job: Job, output: Any, weights: Checkpoint, settings: CohortSettings
) -> dict[str, float]:
    """Seconds of each stage of a case."""
    seconds = dict.fromkeys([*OUTER, *INNER], 0.0)

    def timed(name: str, do: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            started = time.process_time()
            try:
                return do(*arguments, **named)
            finally:
                seconds[name] += time.process_time() - started

        return wrapped

    read = timed("read", network_stage.read_images)
    segmented = timed("segmented, but for the network", network_stage.run_network)
    written = timed("measured and written", writing.write_results)
    before = {name: getattr(module, part) for name, (module, part) in INNER.items()}
    try:
        for name, (module, part) in INNER.items():
            setattr(module, part, timed(name, before[name]))
        with replaced(predict, "run_network", lambda *_: output):
            computed = segmented(read(job, settings), weights, settings, lambda: False)
        written(job, computed, settings, 0)
    finally:
        for name, (module, part) in INNER.items():
            setattr(module, part, before[name])
    return {**seconds, "all": sum(seconds[name] for name in OUTER)}


@contextmanager
def replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    """Another value of a module's attribute within the block."""
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


if __name__ == "__main__":
    main()
