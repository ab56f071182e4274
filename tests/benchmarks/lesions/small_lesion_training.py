"""A small network of its own for small enhancing lesions, and its training.

python tests/benchmarks/lesions/small_lesion_training.py PACK --state FILE [--steps N] [--seed N]
    [--leave-out FOLDER]

PACK has the prepared cases to train on; those in FOLDER are left out. The state is saved every
`SAVED` steps, and the same command goes on from there.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from detector_training import Donor, donors, loss_of, targets, with_transplants
from scipy import ndimage
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.labels.regions import TissueClass
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.models.upsampling import upsample_trilinear
from smalltumor.training.augmentation.augment import CropChanges, augment
from smalltumor.training.augmentation.settings import Augmentation
from smalltumor.training.data.pack import packed_cases
from smalltumor.training.data.training_case import TrainingCase
from torch import Tensor, nn
from torch.nn import functional

WIDTHS = (16, 32, 64)
CROP, BATCH = 64, 2
AT_LESION, AT_BRIGHT, TRANSPLANTED = 0.5, 0.25, 0.25
"""Shares of the crops."""

BRIGHT_SD = 2.0
"""Standard deviations of T1CE minus T1 above the mean of the brain."""

RATE, DECAY, WARMUP, EMA = 2e-3, 1e-4, 0.05, 0.998
SAVED = 100
AUGMENTATION = Augmentation(gamma=0.2, gamma_probability=0.3)


def inputs_of(image: Tensor, channels: Sequence[str]) -> Tensor:
    """T1, T1CE, T1CE minus T1 and FLAIR, in blocks of 2x2x2 voxels: 32 channels, half resolution.

    Parameters
    ----------
    image : (b, channel, i, j, k) tensor
        Even lengths.
    channels : sequence of str
    """
    t1, t1ce, flair = (image[:, channels.index(name)] for name in ("t1", "t1ce", "flair"))
    stacked = torch.stack([t1, t1ce, t1ce - t1, flair], dim=1)
    b, c, *lengths = stacked.shape
    i, j, k = (n // 2 for n in lengths)
    blocks = stacked.reshape(b, c, i, 2, j, 2, k, 2).permute(0, 1, 3, 5, 7, 2, 4, 6)
    return blocks.reshape(b, 8 * c, i, j, k)


def convolution(before: int, after: int, stride: int = 1) -> nn.Sequential:
    """Convolution, normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv3d(before, after, 3, stride, 1, bias=False), nn.BatchNorm3d(after), nn.ReLU()
    )


class SmallLesionNetwork(nn.Module):
    """Logit of a small enhancing lesion at half resolution, from `inputs_of`."""

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = WIDTHS
        self.fine = nn.Sequential(nn.Conv3d(32, fine, 1), convolution(fine, fine))
        self.middle = nn.Sequential(convolution(fine, middle, 2), convolution(middle, middle))
        self.coarse = nn.Sequential(convolution(middle, coarse, 2), convolution(coarse, coarse))
        self.to_middle, self.to_fine = nn.Conv3d(coarse, middle, 1), nn.Conv3d(middle, fine, 1)
        self.join_middle, self.join_fine = convolution(middle, middle), convolution(fine, fine)
        self.last = nn.Conv3d(fine, 1, 1)
        assert self.last.bias is not None
        nn.init.constant_(self.last.bias, -4.0)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits, (b, i, j, k); lengths that four does not divide are padded and cut."""
        lengths = inputs.shape[2:]
        i, j, k = (-n % 4 for n in lengths)
        fine = self.fine(functional.pad(inputs, (0, k, 0, j, 0, i)))
        middle = self.middle(fine)
        middle = self.join_middle(middle + upsample_trilinear(self.to_middle(self.coarse(middle))))
        logits: Tensor = self.last(self.join_fine(fine + upsample_trilinear(self.to_fine(middle))))
        return logits[:, 0, : lengths[0], : lengths[1], : lengths[2]]


@dataclass(frozen=True)
class Example:
    """A case to draw crops from.

    Parameters
    ----------
    image : (channel, i, j, k) float16 array
    classes : (i, j, k) uint8 array
    lesions : list of (n, 3) array
        Voxels, at half resolution, of each small lesion.
    bright, brain : (n, 3) array
        Some voxels of bright spots outside the tumour, and of the brain, at half resolution.
    """

    image: npt.NDArray[np.float16]
    classes: npt.NDArray[np.uint8]
    lesions: list[npt.NDArray[np.int64]]
    bright: npt.NDArray[np.int64]
    brain: npt.NDArray[np.int64]

    @classmethod
    def of(
        cls, image: npt.NDArray[np.float32], classes: npt.NDArray[np.uint8], channels: Sequence[str]
    ) -> Example:
        """Of normalised modalities and tissue classes."""
        x = torch.from_numpy(image)
        target = targets(classes, x)["target"]
        lesions = [np.argwhere(target == n) for n in range(1, int(target.max()) + 1)]
        difference = x[channels.index("t1ce")] - x[channels.index("t1")]
        enhancement = functional.avg_pool3d(difference[None, None], 2)[0, 0].numpy()
        brain = target == 0
        least = enhancement[brain].mean() + BRIGHT_SD * enhancement[brain].std()
        bright = (
            brain & (enhancement > least) & (enhancement == ndimage.maximum_filter(enhancement, 3))
        )
        half = image.astype(np.float16)
        return cls(half, classes, lesions, np.argwhere(bright), np.argwhere(brain)[::50])

    def crop(
        self, centres: npt.NDArray[np.int64], margin: int, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """A crop, with a margin, about a random one of some voxels at half resolution."""
        length = CROP + 2 * margin
        shift = rng.integers(-CROP // 3, CROP // 3, 3)
        start = 2 * centres[rng.integers(len(centres))] + shift - length // 2
        image = np.zeros((len(self.image), length, length, length), np.float32)
        classes = np.full((length, length, length), TissueClass.BACKGROUND, np.uint8)
        stop = np.minimum(start + length, self.classes.shape)
        source = tuple(slice(max(a, 0), b) for a, b in zip(start, stop, strict=True))
        there = tuple(slice(max(-a, 0), b - a) for a, b in zip(start, stop, strict=True))
        image[:, *there], classes[there] = self.image[:, *source], self.classes[source]
        return torch.from_numpy(image), torch.from_numpy(classes)


Pair = tuple[Example, Example]
"""A case, and a mirrored copy with lesions of others."""


def pairs_of(cases: Sequence[TrainingCase], channels: Sequence[str]) -> list[Pair]:
    """The examples of cases."""
    lesions: list[Donor] = [donor for case in cases for donor in donors(case)]
    pairs = []
    for seed, case in enumerate(cases):
        image, classes = case.intensities().numpy(), case.classes.numpy()
        copy = with_transplants(image, classes, lesions, seed)
        pairs.append((Example.of(image, classes, channels), Example.of(*copy, channels)))
    return pairs


def batch_of(
    pairs: Sequence[Pair], channels: Sequence[str], rng: np.random.Generator
) -> tuple[Tensor, list[Tensor]]:
    """Augmented inputs, and the target of each crop."""
    crops, changes = [], []
    for _ in range(BATCH):
        kind, copied = rng.random(), int(rng.random() < TRANSPLANTED)
        examples = [pair[copied] for pair in pairs]
        if kind < AT_LESION:
            examples = [example for example in examples if example.lesions]
        example = examples[rng.integers(len(examples))]
        centres = example.brain
        if kind < AT_LESION:
            centres = example.lesions[rng.integers(len(example.lesions))]
        elif kind < AT_LESION + AT_BRIGHT and len(example.bright):
            centres = example.bright
        change = CropChanges.sample(AUGMENTATION, CROP, len(channels), rng)
        changes.append(change)
        crops.append(example.crop(centres, change.margin, rng))
    image, classes = augment(crops, changes)
    target = [
        torch.from_numpy(targets(c.numpy(), x)["target"])
        for c, x in zip(classes, image, strict=True)
    ]
    return inputs_of(image, channels), target


def train(
    pairs: Sequence[Pair], channels: Sequence[str], state: Path, steps: int, seed: int
) -> SmallLesionNetwork:
    """Train a network, or go on from its state; returns the moving average of its weights."""
    torch.manual_seed(seed)
    network, average = SmallLesionNetwork(), SmallLesionNetwork().eval()
    average.load_state_dict(network.state_dict())
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps, pct_start=WARMUP)
    parts: dict[str, Any] = {
        "network": network,
        "average": average,
        "optimiser": optimiser,
        "schedule": schedule,
    }
    step = resumed(parts, state)
    began, total = time.monotonic(), 0.0
    while step < steps:
        step += 1
        inputs, target = batch_of(pairs, channels, np.random.default_rng([seed, step]))
        logits = network(inputs)
        loss = torch.stack([loss_of(a, b) for a, b in zip(logits, target, strict=True)]).mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        follow(average, network, min(EMA, step / (step + 10)))
        total += float(loss.detach())
        if step % SAVED == 0 or step == steps:
            keep_state(parts, state, step)
            mean, seconds = total / ((step - 1) % SAVED + 1), time.monotonic() - began
            print(f"step {step}: loss {mean:.3f}, {seconds:.0f} s", flush=True)
            total = 0.0
    return average


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move an average towards a network."""
    for mean, value in zip(
        average.state_dict().values(), network.state_dict().values(), strict=True
    ):
        if mean.is_floating_point():
            mean.lerp_(value, 1 - decay)


def resumed(parts: dict[str, Any], path: Path) -> int:
    """Read what `keep_state` has written, if anything; returns the step."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return int(state["step"])


def keep_state(parts: dict[str, Any], path: Path, step: int) -> None:
    """Write the state of a training, whole or not at all."""
    partial = path.with_name(path.name + ".part")
    torch.save({"step": step} | {name: part.state_dict() for name, part in parts.items()}, partial)
    partial.replace(path)


def main() -> None:
    """Train on the cases of a pack."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--leave-out", type=Path)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    left_out = {c.name for c in find_cases(options.leave_out)} if options.leave_out else set()
    preprocessing = load_checkpoint().preprocessing
    cases = [c.load(preprocessing) for c in packed_cases(options.pack) if c.name not in left_out]
    print(f"{len(cases)} cases", flush=True)
    pairs = pairs_of(cases, preprocessing.channels)
    train(pairs, preprocessing.channels, options.state, options.steps, options.seed)


if __name__ == "__main__":
    main()
