r"""Speed of inference compared with plain torch and with networks of MONAI.

    python tests/benchmarks/inference/inference.py \
        [--threads 2] [--rounds 3] [--device cuda] [--only TEXT]

Each path is set up and warmed up in a separate process. Then baseline and path run alternately,
`--rounds` times; the ratio is the median over these pairs, because load on the machine slows both.
Of two consecutive runs the second is timed: virtual machines reclaim the memory of idle processes,
and the first run allocates it again. The paths of this project are timed from volumes in memory to
classes on the case's grid, the others from a normalised array to classes. Peak is the resident
memory of the process.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
from pathlib import Path
from statistics import median

from networks import BASELINE, PATHS, Setting
from worker import Worker

SAMPLE = Path(__file__).resolve().parents[3] / "sample_data" / "BraTS2021_00019"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", type=Path, default=SAMPLE)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--weights",
        type=Path,
        help="this project's weights (default: the starter weights)",
    )
    parser.add_argument("--only", default="", help="paths whose name matches this expression")
    options = parser.parse_args()
    setting = Setting(options.case, options.device, options.threads, options.weights)
    print(machine(setting))
    print("| path | seconds | times faster than the first | peak GB | parameters |")
    print("|---|---|---|---|---|")
    names = [n for n in PATHS if n != BASELINE and re.search(options.only, n)]
    baseline = Worker(BASELINE, setting)
    baseline_seconds: list[float] = []
    for name in names:
        baseline_seconds += _row(name, setting, baseline, options.rounds)
    parameters = f"{baseline.parameters:,}"
    seconds, peak = median(baseline_seconds), baseline.finish()
    print(f"| {BASELINE} | {seconds:.2f} | 1 | {peak:.2f} | {parameters} |")


def _row(name: str, setting: Setting, baseline: Worker, rounds: int) -> list[float]:
    """Time a path and print its row; return the seconds of the baseline."""
    worker = Worker(name, setting)
    if "openvino" in name and not worker.failure:
        worker.finish()  # converted and cached: the next process starts without torch
        worker = Worker(name, setting)
    if worker.failure:
        print(f"| {name} | failed: {worker.failure} | | | |", flush=True)
        return []
    pairs = [(_second_run(baseline), _second_run(worker)) for _ in range(rounds)]
    ratio = median(slow / fast for slow, fast in pairs)
    seconds = median(fast for _, fast in pairs)
    peak = worker.finish()
    print(
        f"| {name} | {seconds:.2f} | {ratio:.1f} | {peak:.2f} | {worker.parameters:,} |", flush=True
    )
    return [slow for slow, _ in pairs]


def _second_run(worker: Worker) -> float:
    worker.seconds()
    return worker.seconds()


def machine(setting: Setting) -> str:
    """One line with processor or GPU, threads and versions."""
    import torch
    from smalltumor.inference.devices import cpu_has_bfloat16, has_openvino

    processor = platform.processor() or platform.machine()
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
            break
    backend = "no OpenVINO"
    if has_openvino():
        from smalltumor.inference.backends.openvino_import import import_openvino

        backend = f"OpenVINO {import_openvino().get_version().partition('-')[0]}"
    device = torch.cuda.get_device_name() if setting.device.startswith("cuda") else processor
    return (
        f"{device}, {setting.threads} threads, {torch.backends.cpu.get_cpu_capability()}, "
        f"bfloat16 {'yes' if cpu_has_bfloat16() else 'no'}; torch {torch.__version__}, {backend}\n"
    )


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


if __name__ == "__main__":
    main()
