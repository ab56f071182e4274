"""How far half precision takes the logits away, and how much of it is a shift.

    python tests/benchmarks/rounding.py CASE [--weights FILE]

Logits at half resolution, less those of class 0, where float32 finds tumour; on the case's crop, on
the CPU. "All" is the mean error, "shift" the mean difference of NCR, ED and ET.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from smalltumor.data.case import read_case
from smalltumor.data.preprocessing import prepare
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
    x = torch.from_numpy(prepare(read_case(options.case), checkpoint.preprocessing).array)[None]
    expected = logits(FusedNetwork(network), x)
    forms = {
        "kernels' weights rounded each by itself, the rest float32": with_kernels(network, nearest),
        "same, sums kept": with_kernels(network, lambda weight: round_kernels(weight, HALF)),
        "bfloat16": FusedNetwork(network, HALF),
    }
    print("| | all | shift of NCR, ED, ET |\n|---|---|---|")
    for name, form in forms.items():
        error = (logits(form, x) - expected)[:, expected.argmax(dim=0) > 0]
        error = error[1:] - error[:1]
        shift = " ".join(f"{value:.3f}" for value in error.mean(dim=1).tolist())
        print(f"| {name} | {error.abs().mean():.4f} | {shift} |", flush=True)


def logits(form: FusedNetwork, x: Tensor) -> Tensor:
    """Of the classes, (class, i / 2, j / 2, k / 2)."""
    with torch.inference_mode():
        x = x.to(form.stem.weight.dtype, memory_format=torch.channels_last_3d)
        *_, (_, result) = form.steps(x)
    return result[0].float()


def with_kernels(network: SegmentationNetwork, rounded: Callable[[Tensor], Tensor]) -> FusedNetwork:
    """The network in float32, but for the weights of kernels of more than 2x2x2 voxels."""
    form = FusedNetwork(network)
    for module in form.modules():
        if isinstance(module, FixedConv) and module.weight[0, 0].numel() > 8:
            module.weight = rounded(module.weight).float()
    return form


def nearest(weight: Tensor) -> Tensor:
    """Each weight rounded by itself."""
    return weight.to(HALF)


if __name__ == "__main__":
    main()
