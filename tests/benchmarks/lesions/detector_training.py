"""A light output for small enhancing lesions on a frozen network's features, and its training.

Used by detector_output.py, which says what is trained and judges it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from smalltumor.geometry.boxes import bounding_box, padded
from smalltumor.labels.components import connected_components
from smalltumor.labels.regions import TissueClass
from smalltumor.labels.small_lesions import SMALL_LESION_VOXELS
from smalltumor.models.checkpoint import Checkpoint
from smalltumor.models.network import SegmentationNetwork
from smalltumor.models.upsampling import upsample_trilinear
from smalltumor.training.data.training_case import TrainingCase
from torch import Tensor, nn
from torch.nn import functional

MIN_VOXELS = 3
"""Smaller components of ET are ignored, as are those of `SMALL_LESION_VOXELS` and more."""

TRANSPLANTS, TRIES = 8, 60
FADE = 1.0
"""Standard deviation, in voxels, of the Gaussian that fades a transplanted lesion out."""

CROP, BATCH, HARDEST = 32, 2, 100
"""Edge of a crop at half resolution; crops of a step; background voxels of a crop that count."""

RATE, DECAY, WARMUP = 3e-3, 1e-4, 0.1

Volume = npt.NDArray[np.float32]
Voxels = npt.NDArray[np.int64]


class Head(nn.Module):
    """Logit of a small enhancing lesion at half resolution.

    Parameters
    ----------
    fine : int
        Channels of the input at half resolution.
    coarse : int
        Channels of the output of encoder 1.
    width : int
    """

    def __init__(self, fine: int, coarse: int = 128, width: int = 16) -> None:
        super().__init__()
        self.fine = nn.Sequential(nn.BatchNorm3d(fine), nn.Conv3d(fine, width, 1))
        self.coarse = nn.Sequential(
            nn.BatchNorm3d(coarse), nn.ReLU(), nn.Conv3d(coarse, width, 1, bias=False)
        )
        self.joined = nn.Sequential(
            *(nn.BatchNorm3d(2 * width), nn.ReLU(), nn.Conv3d(2 * width, width, 3, padding=1)),
            *(nn.BatchNorm3d(width), nn.ReLU(), nn.Conv3d(width, width, 3, padding=1)),
            *(nn.BatchNorm3d(width), nn.ReLU(), nn.Conv3d(width, 1, 1)),
        )
        last = self.joined[-1]
        assert isinstance(last, nn.Conv3d) and last.bias is not None
        nn.init.constant_(last.bias, -4.0)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Logits, (b, i, j, k)."""
        features = torch.cat([self.fine(fine), upsample_trilinear(self.coarse(coarse))], dim=1)
        logits: Tensor = self.joined(features)
        return logits[:, 0]


@torch.no_grad()
def features(
    network: SegmentationNetwork, image: Tensor, channels: Sequence[str], decoder: bool
) -> dict[str, npt.NDArray[np.float16]]:
    """The input of the head: the network's features, and T1CE minus T1.

    Parameters
    ----------
    network : SegmentationNetwork
        In evaluation mode.
    image : (channel, i, j, k) float32 tensor
        Normalised modalities.
    channels : sequence of str
        Their names.
    decoder : bool
        Whether the output of the last decoder is added.
    """
    last = "decoder 1" if decoder else "encoder 1"
    stages: dict[str, Tensor] = {}
    for name, output in network.steps(image[None]):
        stages[name] = output
        if name == last:
            break
    difference = image[channels.index("t1ce")] - image[channels.index("t1")]
    enhancement = functional.avg_pool3d(difference[None, None], 2)
    fine = [stages["stem"], enhancement, *([stages[last]] if decoder else [])]
    return {
        "fine": torch.cat(fine, dim=1)[0].to(torch.float16).numpy(),
        "coarse": stages["encoder 1"][0].to(torch.float16).numpy(),
    }


def targets(classes: npt.NDArray[np.uint8], image: Tensor) -> dict[str, npt.NDArray[np.int16]]:
    """The target at half resolution.

    Number of the lesion from 1; 0 in the rest of the brain; -1 outside it, at larger and smaller
    components of ET, and next to any.
    """
    brain = functional.max_pool3d((image != 0).any(0)[None, None].float(), 2)[0, 0] > 0
    target = np.where(brain.numpy(), np.int16(0), np.int16(-1))
    components = connected_components(classes == TissueClass.ET).voxels
    any_et = np.zeros(target.shape, bool)
    for voxels in components:
        any_et[tuple((voxels // 2).T)] = True
    target[ndimage.binary_dilation(any_et, np.ones((3, 3, 3)))] = -1
    number = 0
    for voxels in components:
        if MIN_VOXELS <= len(voxels) < SMALL_LESION_VOXELS:
            number += 1
            target[tuple((voxels // 2).T)] = number
    return {"target": target}


@dataclass(frozen=True)
class Donor:
    """A small lesion with its surroundings.

    Parameters
    ----------
    image : (channel, i, j, k) float32 array
        Intensities less the mean of the surroundings.
    lesion : (i, j, k) bool array
    """

    image: Volume
    lesion: npt.NDArray[np.bool_]


def donors(case: TrainingCase) -> list[Donor]:
    """The small lesions of a case; those at the edge of the brain are left out."""
    image, et = case.intensities().numpy(), case.classes.numpy() == TissueClass.ET
    found = []
    for voxels in connected_components(et).voxels:
        if not MIN_VOXELS <= len(voxels) < SMALL_LESION_VOXELS:
            continue
        lesion = np.zeros(et.shape, bool)
        lesion[tuple(voxels.T)] = True
        box = padded(bounding_box(lesion), [4, 4, 4], et.shape)
        part, around = image[:, *box], ~et[box]
        if (part == 0).all(axis=0).any():
            continue
        found.append(Donor(part - part[:, around].mean(axis=1)[:, None, None, None], lesion[box]))
    return found


def with_transplants(
    image: Volume, classes: npt.NDArray[np.uint8], lesions: Sequence[Donor], seed: int
) -> tuple[Volume, npt.NDArray[np.uint8]]:
    """A mirrored copy of a case with lesions of others in its brain outside the tumour."""
    rng = np.random.default_rng(seed)
    axes = tuple(axis for axis in range(3) if rng.random() < 0.5)
    image = np.ascontiguousarray(np.flip(image, tuple(axis + 1 for axis in axes)))
    classes = np.ascontiguousarray(np.flip(classes, axes))
    free = (image != 0).all(axis=0) & (classes == TissueClass.BACKGROUND)
    places = np.argwhere(free)
    placed = 0
    for _ in range(TRIES):
        donor = mirrored(lesions[int(rng.integers(len(lesions)))], rng)
        start = places[rng.integers(len(places))]
        box = tuple(slice(a, a + n) for a, n in zip(start, donor.lesion.shape, strict=True))
        if free[box].shape != donor.lesion.shape or not free[box].all():
            continue
        insert(image[:, *box], donor, rng.uniform(0.6, 1.1))
        classes[box][donor.lesion] = TissueClass.ET
        free[box] = False
        placed += 1
        if placed == TRANSPLANTS:
            break
    return image, classes


def mirrored(donor: Donor, rng: np.random.Generator) -> Donor:
    """A donor, mirrored along random axes."""
    axes = tuple(axis for axis in range(3) if rng.random() < 0.5)
    return Donor(
        np.flip(donor.image, tuple(axis + 1 for axis in axes)), np.flip(donor.lesion, axes)
    )


def insert(part: Volume, donor: Donor, contrast: float) -> None:
    """Blend a lesion into a box of an image, in place."""
    weight = ndimage.gaussian_filter(ndimage.binary_dilation(donor.lesion).astype(np.float32), FADE)
    level = part.mean(axis=(1, 2, 3), keepdims=True)
    part += weight * (level + contrast * donor.image - part)


@dataclass(frozen=True)
class Example:
    """What the head is trained on, memory-mapped from files.

    Parameters
    ----------
    fine, coarse : (channel, i, j, k) float16 array
    target : (i, j, k) int16 array
    lesions : list of (n, 3) array
        Voxels of each lesion.
    brain : (n, 3) array
        Some voxels of the brain.
    """

    fine: npt.NDArray[np.float16]
    coarse: npt.NDArray[np.float16]
    target: npt.NDArray[np.int16]
    lesions: list[Voxels]
    brain: Voxels

    @classmethod
    def read(cls, path: Path) -> Example:
        """Open what `keep` has written."""
        fine, coarse, target = (
            np.load(path / f"{name}.npy", mmap_mode="r") for name in ("fine", "coarse", "target")
        )
        target = np.asarray(target)
        lesions = [np.argwhere(target == n) for n in range(1, int(target.max()) + 1)]
        return cls(fine, coarse, target, lesions, np.argwhere(target == 0)[::50])


def keep(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays into a folder, which is there only when it is complete."""
    partial = path.with_name(path.name + ".part")
    partial.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        np.save(partial / f"{name}.npy", array)
    partial.rename(path)


def examples(
    names: Sequence[str],
    load: Callable[[str], TrainingCase],
    checkpoint: Checkpoint,
    cache: Path,
    *,
    decoder: bool,
    transplants: bool,
) -> list[list[Example]]:
    """The examples of each patient: as it is and, on request, mirrored with transplants."""
    network, channels = checkpoint.network, checkpoint.preprocessing.channels
    lesions = [d for name in names for d in donors(load(name))] if transplants else []
    result = []
    for seed, name in enumerate(names):
        paths = [cache / name, *([cache / f"{name}-transplants"] if transplants else [])]
        for path in paths:
            if not path.exists():
                case = load(name)
                image, classes = case.intensities().numpy(), case.classes.numpy()
                if path != paths[0]:
                    image, classes = with_transplants(image, classes, lesions, seed)
                x = torch.from_numpy(image)
                keep(path, {**features(network, x, channels, decoder), **targets(classes, x)})
        result.append([Example.read(path) for path in paths])
    return result


def drawn(example: Example, rng: np.random.Generator, at_lesion: bool) -> tuple[Tensor, ...]:
    """A random crop: input and target."""
    if at_lesion and example.lesions:
        voxels = example.lesions[rng.integers(len(example.lesions))]
    else:
        voxels = example.brain
    centre = voxels[rng.integers(len(voxels))] + rng.integers(-CROP // 3, CROP // 3, 3)
    shape = np.array(example.target.shape)
    start = np.clip(centre - CROP // 2, 0, np.maximum(shape - CROP, 0)) // 2 * 2
    box = tuple(slice(a, a + CROP) for a in start)
    half = tuple(slice(a // 2, (a + CROP) // 2) for a in start)
    arrays = (example.fine[:, *box], example.coarse[:, *half], example.target[box])
    return tuple(torch.from_numpy(np.ascontiguousarray(a, np.float32)) for a in arrays)


def loss_of(logits: Tensor, target: Tensor) -> Tensor:
    """Mean over the lesions, whatever their sizes, and over the hardest background voxels."""
    background = functional.softplus(logits[target == 0])
    loss = background.topk(min(HARDEST, len(background))).values.mean()
    numbers = [n for n in np.unique(target.numpy()) if n > 0]
    if numbers:
        misses = functional.softplus(-logits)
        loss = loss + torch.stack([misses[target == n].mean() for n in numbers]).mean()
    return loss


def trained(patients: Sequence[Sequence[Example]], steps: int, seed: int = 0) -> Head:
    """Train a head; of the crops of a step, all but the last are at lesions."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    first = patients[0][0]
    head = Head(first.fine.shape[0], first.coarse.shape[0])
    optimiser = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps, pct_start=WARMUP)
    with_lesions = [p for p in patients if any(example.lesions for example in p)]
    total = 0.0
    for step in range(1, steps + 1):
        crops = [
            one_crop(with_lesions if n < BATCH - 1 else patients, rng, n < BATCH - 1)
            for n in range(BATCH)
        ]
        fine, coarse, target = (torch.stack(each) for each in zip(*crops, strict=True))
        logits = head(fine, coarse)
        loss = torch.stack([loss_of(a, b) for a, b in zip(logits, target, strict=True)]).mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        total += float(loss.detach())
        if step % 50 == 0:
            print(f"  step {step}: loss {total / 50:.3f}", flush=True)
            total = 0.0
    return head.eval()


def one_crop(
    patients: Sequence[Sequence[Example]], rng: np.random.Generator, at_lesion: bool
) -> tuple[Tensor, ...]:
    """A crop of a random patient, at a lesion of theirs or anywhere in the brain."""
    examples = patients[int(rng.integers(len(patients)))]
    if at_lesion:
        examples = [example for example in examples if example.lesions]
    return drawn(examples[int(rng.integers(len(examples)))], rng, at_lesion)
