r"""Peak memory of one pass, from which `BYTES_PER_VOXEL` of each backend is set.

    python tests/benchmarks/inference/memory.py \
        {torch,openvino} {float32,bfloat16} [--shape 240 240 160]

The backend first runs on a small array, which loads the network. Prints the peak resident memory of
the process, and the increase by the pass in bytes per voxel. Linux only.
"""

from __future__ import annotations

import argparse
import math
import resource

import numpy as np
from smalltumor.geometry.array_order import Array, Shape, empty_fortran_order
from smalltumor.inference.backends.base import InferenceBackend
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.progress import ProgressReporter


def main() -> None:
    """Print peak memory and bytes per voxel."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("backend", choices=["torch", "openvino"])
    parser.add_argument("precision", choices=["float32", "bfloat16"])
    parser.add_argument("--shape", type=int, nargs=3, default=[240, 240, 160])
    options = parser.parse_args()
    run = load_backend(options.backend, options.precision)
    i, j, k = options.shape
    run(noise((4, 16, 16, 16)), ProgressReporter())
    before = peak()
    run(noise((4, i, j, k)), ProgressReporter())
    added = (peak() - before) / math.prod(options.shape)
    print(f"peak {peak() / 1e9:.2f} GB, of which {added:.0f} bytes for each voxel")


def noise(shape: Shape) -> Array:
    """Random voxels (channel, l, p, s)."""
    array = empty_fortran_order(shape)
    array[...] = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    return array


def load_backend(backend: str, precision: str) -> InferenceBackend:
    """A backend with the starter weights on the CPU."""
    if backend == "openvino":
        from smalltumor.inference.backends.openvino_backend import OpenVinoBackend

        return OpenVinoBackend(load_checkpoint(), {"float32": "f32", "bfloat16": "bf16"}[precision])
    import torch
    from smalltumor.inference.backends.torch_backend import TorchBackend

    return TorchBackend(load_checkpoint(), "cpu", getattr(torch, precision))


def peak() -> int:
    """Peak resident memory of this process in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
