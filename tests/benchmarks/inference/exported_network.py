"""Classes of the exported network, and of the network as it was trained, beside `segment`.

    smalltumor export-model x.onnx --format onnx
    python tests/benchmarks/inference/exported_network.py --onnx x.onnx CASE...

CASE is the folder of a case. `segment` computes with torch in float32. The trained network pads a
crop with zeros; it gets crops with two margins. Times are those of the network alone, the variants
in turns, the best of three, divided by that of the exported network.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from agreement import dice, labels_on_grid
from smalltumor import load_checkpoint, read_case
from smalltumor.data.preprocessing import NetworkInput, preprocess
from smalltumor.data.probabilities.network_output import Probabilities
from smalltumor.inference.backends.torch_backend import TorchBackend
from smalltumor.labels.regions import Region
from smalltumor.model_export.exported_network import ExportedNetwork
from smalltumor.progress import ProgressReporter
from torch import Tensor

MARGINS = (4, 20)
ROUNDS = 3
Variant = tuple[str, NetworkInput, Callable[[Tensor], Tensor]]


def main() -> None:
    """Print a row for each case and variant."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", type=Path, nargs="+")
    parser.add_argument("--onnx", type=Path, help="the network as ONNX, run by onnxruntime")
    options = parser.parse_args()
    checkpoint = load_checkpoint()
    exported = ExportedNetwork(checkpoint).eval()
    segmenting = TorchBackend(checkpoint, "cpu", torch.float32)
    print("| case | network | voxels that differ | Dice ET TC WT | time |\n|---|---|---|---|---|")
    for folder in options.cases:
        case = read_case(folder)
        own = preprocess(case, checkpoint.preprocessing)
        ours = labels_on_grid(segmenting(own.array, ProgressReporter()), own)
        variants: list[Variant] = [("exported", own, exported)]
        if options.onnx:
            variants.append(("exported, ONNX", own, onnx_network(options.onnx)))
        for margin in MARGINS:
            crop = preprocess(case, replace(checkpoint.preprocessing, margin=margin))
            variants.append((f"trained, margin {margin}", crop, checkpoint.network))
        outputs, seconds = timed(variants)
        for (name, crop, _), output, best in zip(variants, outputs, seconds, strict=True):
            theirs = labels_on_grid(Probabilities(output.numpy()), crop)
            differ = np.count_nonzero(theirs != ours)
            joined = " ".join(f"{dice(theirs, ours, region):.5f}" for region in Region)
            ratio = best / seconds[0]
            print(f"| {case.name} | {name} | {differ} | {joined} | {ratio:.2f} |", flush=True)


def onnx_network(path: Path) -> Callable[[Tensor], Tensor]:
    """The network in a file, on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda image: torch.from_numpy(session.run(None, {"image": image.numpy()})[0])


@torch.inference_mode()
def timed(variants: list[Variant]) -> tuple[list[Tensor], list[float]]:
    """Output and best seconds of each variant."""
    images = [torch.from_numpy(np.ascontiguousarray(crop.array))[None] for _, crop, _ in variants]
    best = [float("inf")] * len(variants)
    outputs: list[Tensor] = [torch.empty(0)] * len(variants)
    for _ in range(ROUNDS):
        for number, (_, _, network) in enumerate(variants):
            start = time.perf_counter()
            outputs[number] = network(images[number])[0]
            best[number] = min(best[number], time.perf_counter() - start)
    return outputs, best


if __name__ == "__main__":
    main()
