"""Agreement of all backends and precisions with the float32 result on the whole volume.

    python tests/benchmarks/inference/agreement.py CASES [--weights FILE] [--limit N]

CASES is a folder of cases. The reference is the unfused network in float32 on the whole volume,
padded with zeros. A path passes on a case if the Dice of each region is at least 0.999 (0.995 in
half precision) and the number of components of 20 voxels or more is the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from skimage.measure import label
from smalltumor.data.case import Case
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.preprocessing import NetworkInput, preprocess
from smalltumor.data.probabilities.network_output import NetworkOutput, Probabilities
from smalltumor.data.read_case import read_case_files
from smalltumor.inference.backends.base import InferenceBackend
from smalltumor.inference.backends.torch_backend import TorchBackend
from smalltumor.inference.devices import cpu_has_bfloat16, has_openvino
from smalltumor.inference.sliding_window import SlidingWindow
from smalltumor.labels.masks import Classes, region_mask
from smalltumor.labels.regions import Region
from smalltumor.models.checkpoint import Checkpoint, load_checkpoint
from smalltumor.progress import ProgressReporter

MIN_COMPONENT_VOXELS = 20
"""Smaller components are not compared."""


def whole_input(case: Case, checkpoint: Checkpoint) -> NetworkInput:
    """The whole volume, normalised and padded to whole blocks of the crop."""
    cropped = preprocess(case, checkpoint.preprocessing)
    multiple = checkpoint.preprocessing.multiple
    shape = cropped.network_grid.grid.shape
    before = [-(-max(first, 0) // multiple) * multiple for first in cropped.start]
    start = [first - n for first, n in zip(cropped.start, before, strict=True)]
    size = [
        max(-(-(end - first) // multiple) * multiple, n + old)
        for end, first, n, old in zip(shape, start, before, cropped.array.shape[1:], strict=True)
    ]
    array = np.zeros((len(cropped.array), *size), dtype=np.float32)
    box = tuple(slice(n, n + old) for n, old in zip(before, cropped.array.shape[1:], strict=True))
    array[(slice(None), *box)] = cropped.array
    return NetworkInput(array, (start[0], start[1], start[2]), cropped.network_grid)


def labels_on_grid(output: NetworkOutput, prepared: NetworkInput) -> Classes:
    """The most probable classes on the network's grid."""
    classes = np.zeros(prepared.network_grid.grid.shape, dtype=np.uint8)
    in_array, in_volume = prepared.overlap
    classes[in_volume] = output.classes()[in_array]
    return classes


def dice(one: Classes, other: Classes, region: Region) -> float:
    """Dice of a region; 1 where both are empty."""
    a, b = region_mask(one, region), region_mask(other, region)
    both = np.count_nonzero(a) + np.count_nonzero(b)
    return 2 * np.count_nonzero(a & b) / both if both else 1.0


def components(classes: Classes, region: Region) -> int:
    """Number of components of at least `MIN_COMPONENT_VOXELS` voxels of a region."""
    sizes = np.bincount(label(region_mask(classes, region), connectivity=3).ravel())[1:]
    return int(np.count_nonzero(sizes >= MIN_COMPONENT_VOXELS))


def paths(checkpoint: Checkpoint) -> Iterator[tuple[str, float, Callable[[], InferenceBackend]]]:
    """Name, required Dice and backend of each path; all run on the crop of the brain."""
    yield "torch float32", 0.999, lambda: TorchBackend(checkpoint, "cpu", torch.float32)
    if cpu_has_bfloat16():
        yield "torch bfloat16", 0.995, lambda: TorchBackend(checkpoint, "cpu", torch.bfloat16)
    yield (
        "torch float32, windows of 128",
        0.0,
        lambda: SlidingWindow(TorchBackend(checkpoint, "cpu", torch.float32), 128),
    )
    if has_openvino():
        from smalltumor.inference.backends.openvino_backend import OpenVinoBackend

        yield "openvino float32", 0.999, lambda: OpenVinoBackend(checkpoint, "f32")
        if cpu_has_bfloat16():
            yield "openvino bfloat16", 0.995, lambda: OpenVinoBackend(checkpoint, "bf16")
    if torch.cuda.is_available():
        yield "cuda float16", 0.995, lambda: TorchBackend(checkpoint, "cuda:0")


def reference(checkpoint: Checkpoint, prepared: NetworkInput) -> Classes:
    """Labels of the unfused network in float32 on the whole volume."""
    with torch.inference_mode():
        probabilities = checkpoint.network(torch.from_numpy(prepared.array)[None])[0].numpy()
    return labels_on_grid(Probabilities(probabilities), prepared)


def main() -> None:
    """Print one line per path and case, and whether it passes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--only", help="paths whose name contains this text")
    options = parser.parse_args()
    checkpoint = load_checkpoint(options.weights)
    chosen = [p for p in paths(checkpoint) if (options.only or "") in p[0]]
    backends = [(name, required, create()) for name, required, create in chosen]
    print(f"weights: {checkpoint.name}")
    print("case | path | voxels equal % | Dice ET TC WT | components ET TC WT | passes")
    for files in find_cases(options.cases)[: options.limit]:
        case = read_case_files(files)
        expected = reference(checkpoint, whole_input(case, checkpoint))
        prepared = preprocess(case, checkpoint.preprocessing)
        for name, required, backend in backends:
            labels = labels_on_grid(backend(prepared.array, ProgressReporter()), prepared)
            equal = 100 * np.count_nonzero(labels == expected) / labels.size
            scores = [dice(labels, expected, region) for region in Region]
            counts = [(components(labels, r), components(expected, r)) for r in Region]
            passes = min(scores) >= required and all(a == b for a, b in counts)
            print(
                f"{case.name} | {name} | {equal:.4f} | "
                + " ".join(f"{score:.5f}" for score in scores)
                + " | "
                + " ".join(f"{a}/{b}" for a, b in counts)
                + f" | {'yes' if passes else 'NO'}",
                flush=True,
            )


if __name__ == "__main__":
    main()
