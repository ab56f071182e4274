"""Changes of intensities, as another scanner, coil or sequence would give them.

Each transform draws its parameters for one volume, and is applied to all volumes of a batch for
which it was drawn, because a GPU needs longer to start a small operation than to carry it out. Its
volumes are an (n, i, j, k) float32 tensor, each a normalised modality of a crop and 0 outside the
brain; what a transform returns outside the brain does not matter. Nothing waits for the device:
every number that depends on the voxels stays a tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from smalltumor.training.augmentation.settings import Augmentation

_SMALL = 1e-6
_CONTROL_POINTS = 10
_BIAS_ORDER = 3

Changes = Mapping[str, Any]
"""Parameters of the transforms that were drawn for a volume, by the transform's name."""


class Transform(NamedTuple):
    """A change of intensities.

    Parameters
    ----------
    sample : callable
        Takes the strength and a generator; returns a volume's parameters, a number or an array of
        a fixed shape.
    apply : callable
        Takes volumes, their brains, (n, i, j, k) bool, and their parameters, one for each.
    """

    sample: Callable[[float, np.random.Generator], Any]
    apply: Callable[[Tensor, Tensor, Sequence[Any]], Tensor]


def sample_changes(settings: Augmentation, rng: np.random.Generator) -> Changes:
    """Draw which transforms change a volume, and their parameters."""
    sampled = {}
    for name, transform in TRANSFORMS.items():
        strength, probability = settings.strength(name)
        if strength and rng.random() < probability:
            sampled[name] = transform.sample(strength, rng)
    return sampled


def change_intensities(volumes: Tensor, brain: Tensor, changes: Sequence[Changes]) -> Tensor:
    """Apply the transforms that were drawn, in the order in which scanning causes them.

    Parameters
    ----------
    volumes : (n, i, j, k) float32 tensor
        Changed in place.
    brain : (b, i, j, k) bool tensor
        Of b crops with n / b volumes each.
    changes : sequence of `Changes`
        For each volume.

    Returns
    -------
    (n, i, j, k) float32 tensor
        `volumes`, 0 outside the brain.
    """
    of_crop = len(volumes) // len(brain)
    for name, transform in TRANSFORMS.items():
        chosen = [number for number, drawn in enumerate(changes) if name in drawn]
        if not chosen:
            continue
        inside = _select(brain, [number // of_crop for number in chosen])
        parameters = [changes[number][name] for number in chosen]
        changed = transform.apply(_select(volumes, chosen), inside, parameters)
        changed = torch.where(inside, changed, 0)
        for number, volume in zip(chosen, changed, strict=True):
            volumes[number] = volume
    return volumes


def _select(volumes: Tensor, numbers: Sequence[int]) -> Tensor:
    return torch.stack([volumes[number] for number in numbers])


def _sample_heights(strength: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Heights of the control points, from 0 to 1."""
    slopes = np.exp(rng.uniform(-strength, strength, _CONTROL_POINTS))
    heights: npt.NDArray[np.float64] = np.concatenate([[0], np.cumsum(slopes)]) / slopes.sum()
    return heights


def _shift_histogram(volumes: Tensor, brain: Tensor, heights: Sequence[Any]) -> Tensor:
    """A random monotone mapping, linear between control points at equal distances."""
    points = _tensor(heights, volumes)
    low, high = _range(volumes, brain)
    position = (volumes - low).mul_(_CONTROL_POINTS / (high - low + _SMALL))
    position.clamp_(0, _CONTROL_POINTS)
    segment = position.int().clamp(0, _CONTROL_POINTS - 1)  # also without any brain
    first = _CONTROL_POINTS * torch.arange(len(volumes), device=volumes.device)
    index = segment + _each(first.int())
    start, rise = (_look_up(values, index) for values in (points[:, :-1], points.diff(dim=1)))
    return _with_statistics_of(volumes, position.sub_(segment).mul_(rise).add_(start), brain)


def _look_up(values: Tensor, index: Tensor) -> Tensor:
    """Faster than ``values[index]``."""
    return values.reshape(-1).index_select(0, index.flatten()).view(index.shape)


def _sample_exponent(strength: float, rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(-strength, strength)))


def _correct_gamma(volumes: Tensor, brain: Tensor, exponents: Sequence[Any]) -> Tensor:
    low, high = _range(volumes, brain)
    # Faster than a power, and as exact as intensities are.
    changed = (volumes - low).div_(high - low + _SMALL).clamp_(min=_SMALL)
    changed.log_().mul_(_each(_tensor(exponents, volumes))).exp_()
    return _with_statistics_of(volumes, changed, brain)


def _correct_inverted_gamma(volumes: Tensor, brain: Tensor, exponents: Sequence[Any]) -> Tensor:
    return -_correct_gamma(-volumes, brain, exponents)


def _sample_coefficients(strength: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Coefficients of a polynomial in i, j and k without a constant term."""
    orders = np.indices((_BIAS_ORDER + 1,) * 3).sum(axis=0)
    coefficients: npt.NDArray[np.float64] = rng.uniform(-strength, strength, orders.shape)
    coefficients[(orders == 0) | (orders > _BIAS_ORDER)] = 0
    return coefficients


def _apply_bias_field(volumes: Tensor, brain: Tensor, coefficients: Sequence[Any]) -> Tensor:
    """Multiply what lies above the darkest voxel by a smooth field (Van Leemput et al. 1999).

    The field is the exponential of a polynomial in coordinates from -1 to 1.
    """
    powers = []
    for length in volumes.shape[1:]:
        matrix = np.vander(np.linspace(-1, 1, length), _BIAS_ORDER + 1, increasing=True)
        powers.append(_tensor(matrix, volumes).expand(len(volumes), -1, -1))
    field = _along_axes(_tensor(coefficients, volumes), powers).exp_()
    low, _ = _range(volumes, brain)
    return _with_statistics_of(volumes, field.mul_(volumes - low), brain)


def _sample_factor(strength: float, rng: np.random.Generator) -> float:
    return 1 + rng.uniform(-strength, strength)


def _change_contrast(volumes: Tensor, brain: Tensor, factors: Sequence[Any]) -> Tensor:
    low, high = _range(volumes, brain)
    mean, _ = _mean_and_std(volumes, brain)
    factor = _each(_tensor(factors, volumes))
    return torch.clamp(volumes * factor + mean * (1 - factor), low, high)


def _scale(volumes: Tensor, brain: Tensor, factors: Sequence[Any]) -> Tensor:
    return volumes * _each(_tensor(factors, volumes))


def _sample_shift(strength: float, rng: np.random.Generator) -> float:
    return rng.uniform(-strength, strength)


def _shift(volumes: Tensor, brain: Tensor, shifts: Sequence[Any]) -> Tensor:
    return volumes + _each(_tensor(shifts, volumes))


def _sample_width(strength: float, rng: np.random.Generator) -> float:
    """Standard deviation of a Gaussian kernel, in voxels."""
    return rng.uniform(strength / 2, strength)


def _blur(volumes: Tensor, brain: Tensor, widths: Sequence[Any]) -> Tensor:
    """Gaussian blur; the background counts as brain of mean intensity."""
    width = _tensor(widths, volumes).view(-1, 1, 1)
    kernels = []
    for length in volumes.shape[1:]:
        voxels = torch.arange(length, device=volumes.device)
        distance = (voxels[:, None] - voxels) / width
        kernel = (-0.5 * distance.square()).exp_()
        kernel[kernel < _SMALL] = 0  # arithmetic with subnormal numbers is slow
        kernels.append(kernel / kernel.sum(dim=2, keepdim=True))
    return _along_axes(volumes, kernels)


def _sample_voxel_lengths(strength: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """How many times as long the voxels are, along one axis or along all."""
    if rng.random() < 0.5:
        lengths = np.ones(3)
        lengths[rng.integers(3)] = rng.uniform(1, strength)
        return lengths
    return np.full(3, rng.uniform(1, min(2, strength)))


def _lower_resolution(volumes: Tensor, brain: Tensor, lengths: Sequence[Any]) -> Tensor:
    """Average over longer voxels and interpolate back."""
    matrices = [
        torch.stack([_averaging(size, factors[axis]) for factors in lengths])
        for axis, size in enumerate(volumes.shape[1:])
    ]
    return _along_axes(volumes, [matrix.to(volumes.device) for matrix in matrices])


def _averaging(length: int, factor: float) -> Tensor:
    """The matrix that averages over `factor` voxels and interpolates back."""
    coarse = max(1, round(length / factor))
    voxels = torch.eye(length)[None]
    averaged = functional.interpolate(voxels, coarse, mode="area")
    return functional.interpolate(averaged, length, mode="linear", align_corners=False)[0].T


def _along_axes(volumes: Tensor, matrices: Sequence[Tensor]) -> Tensor:
    """Multiply each axis of each volume by its matrix, (n, new length, length)."""
    i, j, k = matrices
    n, rows, columns, slices = volumes.shape
    moved = (volumes.reshape(n, rows * columns, slices) @ k.mT).view(n, rows, columns, -1)
    moved = j[:, None] @ moved
    return (i @ moved.flatten(2)).view(n, i.shape[1], j.shape[1], k.shape[1])


def _sample_noise(strength: float, rng: np.random.Generator) -> tuple[int, float]:
    """Seed and standard deviation."""
    return int(rng.integers(2**63)), rng.uniform(0, strength)


def _add_noise(volumes: Tensor, brain: Tensor, parameters: Sequence[Any]) -> Tensor:
    noise = torch.empty_like(volumes)
    for volume, (seed, deviation) in zip(noise, parameters, strict=True):
        generator = torch.Generator(volumes.device).manual_seed(seed)
        volume.normal_(std=deviation, generator=generator)
    return noise.add_(volumes)


def _tensor(values: Sequence[Any] | npt.NDArray[np.float64], like: Tensor) -> Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float32)).to(like.device)


def _each(values: Tensor) -> Tensor:
    """A number for each volume, as a tensor that broadcasts over its voxels."""
    return values.view(-1, 1, 1, 1)


def _range(volumes: Tensor, brain: Tensor) -> tuple[Tensor, Tensor]:
    """Lowest and highest intensity inside the brain; infinite if there is none."""
    low = torch.where(brain, volumes, torch.inf).flatten(1).amin(dim=1)
    high = torch.where(brain, volumes, -torch.inf).flatten(1).amax(dim=1)
    return _each(low), _each(high)


def _mean_and_std(volumes: Tensor, brain: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation inside the brain of volumes that are 0 outside it."""
    count = brain.flatten(1).sum(dim=1).clamp(min=1)
    values = volumes.flatten(1)
    mean = values.sum(dim=1) / count
    variance = values.square().sum(dim=1) / count - mean.square()
    return _each(mean), _each(variance.clamp(min=0).sqrt())


def _with_statistics_of(volumes: Tensor, changed: Tensor, brain: Tensor) -> Tensor:
    """Changed intensities with the mean and standard deviation of the original ones.

    `changed` may have any values outside the brain.
    """
    changed = torch.where(brain, changed, 0)
    mean, std = _mean_and_std(volumes, brain)
    changed_mean, changed_std = _mean_and_std(changed, brain)
    scale = std / (changed_std + _SMALL)
    return changed.mul_(scale).add_(mean - changed_mean * scale)


TRANSFORMS: Mapping[str, Transform] = {
    "histogram_shift": Transform(_sample_heights, _shift_histogram),
    "gamma": Transform(_sample_exponent, _correct_gamma),
    "inverted_gamma": Transform(_sample_exponent, _correct_inverted_gamma),
    "bias_field": Transform(_sample_coefficients, _apply_bias_field),
    "contrast": Transform(_sample_factor, _change_contrast),
    "intensity_scale": Transform(_sample_factor, _scale),
    "intensity_shift": Transform(_sample_shift, _shift),
    "blur": Transform(_sample_width, _blur),
    "low_resolution": Transform(_sample_voxel_lengths, _lower_resolution),
    "noise": Transform(_sample_noise, _add_noise),
}
"""By the name of the field of `Augmentation` that gives its strength."""
