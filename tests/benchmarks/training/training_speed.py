r"""Training throughput: voxels and operations a second of this network and of two of MONAI's.

    python tests/benchmarks/training/training_speed.py \
        [--device cpu] [--precision float32] [--crop 64]
        [--batch-size 2] [--steps 5] [--data FOLDER]

With --data, the time is reported in which crops of these cases are drawn and augmented as in the
preset ``starter``: on a CPU the processor time, which other programs do not change.

The networks are trained on the same crops, one after the other in one process. The fastest step
is reported, because other programs can only slow a step down.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from monai.networks.nets import DynUNet, SegResNet
from smalltumor.models.network import MultiTaskNetwork
from smalltumor.training.config import PRESETS
from smalltumor.training.data.dataloader import batches
from smalltumor.training.data.dataset import labelled_cases, prepare_cases
from smalltumor.training.loop.memory import keep_freed_memory
from smalltumor.training.optimisation.losses import LossWeights, segmentation_loss, training_loss
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--crop", type=int, default=64, help="a multiple of 16")
    parser.add_argument("--batch-size", type=int, default=2)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--data", type=Path, help="cases with segmentations to draw crops from")
    options = parser.parse_args()
    keep_freed_memory()
    torch.manual_seed(0)
    shape = (options.batch_size, 4, *[options.crop] * 3)
    image = torch.randn(shape).to(options.device, memory_format=torch.channels_last_3d)
    classes = torch.randint(0, 4, (options.batch_size, *shape[2:])).to(options.device)
    print(
        f"{options.batch_size} crops of {options.crop} voxels on {options.device}, "
        f"{torch.get_num_threads()} threads, {options.precision}, channels last"
    )
    if options.data:
        report_crops(options)
    for name, network, loss in networks():
        if options.crop % 32 and isinstance(network, DynUNet):
            print(f"{name:<34} not run: it needs crops of a multiple of 32 voxels")
            continue
        network.to(options.device, memory_format=torch.channels_last_3d).train()
        passes = torch.autocast(image.device.type, torch.bfloat16, options.precision != "float32")
        seconds = min(
            step_seconds(network, loss, passes, image, classes) for _ in range(options.steps)
        )
        voxels = classes.numel() / seconds
        operations = step_operations(network, loss, passes, image, classes) / seconds
        size = sum(p.numel() for p in network.parameters()) / 1e6
        print(
            f"{name:<34} {size:6.2f} M parameters {seconds:7.2f} s/step {voxels:10.0f} voxels/s",
            f"{operations / 1e12:8.2f} TFLOP/s",
        )


def report_crops(options: argparse.Namespace) -> None:
    """Time in which a crop is drawn and augmented."""
    config = replace(PRESETS["starter"], crop=options.crop, batch_size=options.batch_size)
    with TemporaryDirectory() as cache:
        files = labelled_cases(options.data)
        cases = prepare_cases(files, config.preprocessing, Path(cache))
        drawn = batches(cases, config, range(1, 20 * options.steps), slice(None))
        next(drawn)
        started, count = time.process_time(), 0
        for batch in drawn:
            count += len(batch.names)
        seconds = (time.process_time() - started) / count
    print(f"{'drawing and augmenting':<34} {1000 * seconds:7.0f} ms/crop")


Loss = Callable[[nn.Module, Tensor, Tensor], Tensor]


def networks() -> list[tuple[str, nn.Module, Loss]]:
    def multi_task(network: nn.Module, image: Tensor, classes: Tensor) -> Tensor:
        return training_loss(network.outputs(image), classes, LossWeights(1, 0.05), "dice_ce")[0]

    def baseline(network: nn.Module, image: Tensor, classes: Tensor) -> Tensor:
        output = network.outputs(image, reconstruction=False)
        return training_loss(output, classes, LossWeights(1, 0.05), "dice_ce")[0]

    def plain(network: nn.Module, image: Tensor, classes: Tensor) -> Tensor:
        return segmentation_loss("dice_ce", network(image), classes)

    kernels = [3, 3, 3, 3, 3, 3]
    strides = [1, 2, 2, 2, 2, 2]
    return [
        ("this network, both U-modules", MultiTaskNetwork(), multi_task),
        ("this network, segmentation only", MultiTaskNetwork(), baseline),
        ("MONAI SegResNet, BraTS bundle", SegResNet(3, 16, 4, 4, dropout_prob=0.2), plain),
        (
            "MONAI DynUNet, nnU-Net's BraTS plan",
            DynUNet(3, 4, 4, kernels, strides, strides[1:]),
            plain,
        ),
    ]


def step_operations(
    network: nn.Module, loss: Loss, passes: torch.autocast, image: Tensor, classes: Tensor
) -> int:
    """Floating-point operations of a step, a multiplication and an addition as two."""
    with FlopCounterMode(display=False) as counter:
        step_seconds(network, loss, passes, image, classes)
    return counter.get_total_flops()


def step_seconds(
    network: nn.Module, loss: Loss, passes: torch.autocast, image: Tensor, classes: Tensor
) -> float:
    if image.is_cuda:
        torch.cuda.synchronize()
    started = time.perf_counter()
    network.zero_grad(set_to_none=True)
    with passes:
        value = loss(network, image, classes)
    value.backward()
    if image.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
