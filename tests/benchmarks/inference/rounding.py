"""Error of the logits in half precision, and the part of it that is a shift.

    python tests/benchmarks/inference/rounding.py CASE [--weights FILE]

Compares logits at half resolution, minus those of the background class, in voxels that are tumour
in float32; on the crop of the case, on the CPU. "All" is the mean absolute error, "shift" the mean
difference of NCR, ED and ET.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from smalltumor.data.preprocessing import preprocess
from smalltumor.data.read_case import read_case
from smalltumor.inference.fused.convs import FixedConv, round_kernels
from smalltumor.inference.fused.network import FusedNetwork
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.models.network import SegmentationNetwork
from torch import Tensor

HALF = torch.bfloat16


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case", type=Path)
    parser.add_argument("--weights", type=Path)
    options = parser.parse_args()
    checkpoint = load_checkpoint(options.weights)
    network = checkpoint.network
    x = torch.from_numpy(preprocess(read_case(options.case), checkpoint.preprocessing).array)[None]
    expected = logits(FusedNetwork(network), x)
    variants = {
        "weights of kernels rounded to nearest, the rest float32": with_kernels(network, nearest),
        "same, with sums preserved": with_kernels(
            network, lambda weight: round_kernels(weight, HALF)
        ),
        "bfloat16": FusedNetwork(network, HALF),
    }
    print("| | all | shift of NCR, ED, ET |\n|---|---|---|")
    for name, variant in variants.items():
        error = (logits(variant, x) - expected)[:, expected.argmax(dim=0) > 0]
        error = error[1:] - error[:1]
        shift = " ".join(f"{value:.3f}" for value in error.mean(dim=1).tolist())
        print(f"| {name} | {error.abs().mean():.4f} | {shift} |", flush=True)


def logits(variant: FusedNetwork, x: Tensor) -> Tensor:
    """Logits (class, i / 2, j / 2, k / 2)."""
    with torch.inference_mode():
        x = x.to(variant.stem.weight.dtype, memory_format=torch.channels_last_3d)
        *_, (_, result) = variant.steps(x)
    return result[0].float()


def with_kernels(network: SegmentationNetwork, rounded: Callable[[Tensor], Tensor]) -> FusedNetwork:
    """The network in float32, with rounded weights of kernels of more than 2x2x2 voxels."""
    variant = FusedNetwork(network)
    for module in variant.modules():
        if isinstance(module, FixedConv) and module.weight[0, 0].numel() > 8:
            module.weight = rounded(module.weight).float()
    return variant


def nearest(weight: Tensor) -> Tensor:
    """Round each weight to nearest."""
    return weight.to(HALF)


if __name__ == "__main__":
    main()
