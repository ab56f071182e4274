"""Changes of a modality's intensities, as another scanner, coil or sequence would give them.

Each function takes one normalised modality of a crop, an (i, j, k) float32 tensor that is 0 outside
the brain, and returns a changed one; what it returns outside the brain does not matter. Nothing
waits for the device: every number that depends on the voxels stays a tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from smalltumor.training.augmentation.settings import Augmentation

_SMALL = 1e-6
_CONTROL_POINTS = 10
_BIAS_ORDER = 3


def change_intensities(
    modality: Tensor, brain: Tensor, settings: Augmentation, rng: np.random.Generator
) -> Tensor:
    """Apply each transform with its probability, in the order in which scanning causes them.

    Parameters
    ----------
    modality : (i, j, k) float32 tensor
    brain : (i, j, k) bool tensor
    settings : Augmentation
    rng : numpy.random.Generator

    Returns
    -------
    (i, j, k) float32 tensor
        0 outside the brain.
    """
    for name, transform in _TRANSFORMS.items():
        strength, probability = settings.strength(name)
        if strength and rng.random() < probability:
            modality = torch.where(brain, transform(modality, brain, strength, rng), 0)
    return modality


def _shift_histogram(
    modality: Tensor, brain: Tensor, strength: float, rng: np.random.Generator
) -> Tensor:
    """A random monotone mapping, linear between control points at equal distances."""
    slopes = np.exp(rng.uniform(-strength, strength, _CONTROL_POINTS))
    heights = np.concatenate([[0], np.cumsum(slopes)]) / slopes.sum()
    points = _tensor(heights).to(modality.device)
    low, high = _range(modality, brain)
    position = (modality - low).mul_(_CONTROL_POINTS / (high - low + _SMALL))
    position.clamp_(0, _CONTROL_POINTS)
    segment = position.int().clamp(0, _CONTROL_POINTS - 1)  # also without any brain
    start, rise = (_look_up(values, segment) for values in (points[:-1], points.diff()))
    mapped = position.sub_(segment).mul_(rise).add_(start)
    return _with_statistics_of(modality, mapped, brain)


def _look_up(values: Tensor, index: Tensor) -> Tensor:
    return values.index_select(0, index.flatten()).view(index.shape)  # faster than values[index]


def _correct_gamma(
    modality: Tensor, brain: Tensor, strength: float, rng: np.random.Generator
) -> Tensor:
    low, high = _range(modality, brain)
    exponent = float(np.exp(rng.uniform(-strength, strength)))
    # Faster than a power, and as exact as intensities are.
    changed = (modality - low).div_(high - low + _SMALL).clamp_(min=_SMALL)
    changed.log_().mul_(exponent).exp_()
    return _with_statistics_of(modality, changed, brain)


def _correct_inverted_gamma(
    modality: Tensor, brain: Tensor, strength: float, rng: np.random.Generator
) -> Tensor:
    return -_correct_gamma(-modality, brain, strength, rng)


def _apply_bias_field(
    modality: Tensor, brain: Tensor, strength: float, rng: np.random.Generator
) -> Tensor:
    """Multiply what lies above the darkest voxel by a smooth field (Van Leemput et al. 1999)."""
    field = _bias_field(modality.shape, strength, rng).to(modality.device)
    low, _ = _range(modality, brain)
    return _with_statistics_of(modality, field.mul_(modality - low), brain)


def _bias_field(shape: torch.Size, strength: float, rng: np.random.Generator) -> Tensor:
    """The exponential of a polynomial in coordinates from -1 to 1, without a constant term."""
    orders = np.indices((_BIAS_ORDER + 1,) * 3).sum(axis=0)
    coefficients = rng.uniform(-strength, strength, orders.shape)
    coefficients[(orders == 0) | (orders > _BIAS_ORDER)] = 0
    powers = (np.vander(np.linspace(-1, 1, n), _BIAS_ORDER + 1, increasing=True) for n in shape)
    return _along_axes(_tensor(coefficients), [_tensor(matrix) for matrix in powers]).exp_()


def _change_contrast(
    modality: Tensor, brain: Tensor, strength: float, rng: np.random.Generator
) -> Tensor:
    low, high = _range(modality, brain)
    mean, _ = _mean_and_std(modality, brain)
    factor = 1 + rng.uniform(-strength, strength)
    return (modality * factor + mean * (1 - factor)).clamp_(low, high)


def _scale(modality: Tensor, brain: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    return modality * (1 + rng.uniform(-strength, strength))


def _shift(modality: Tensor, brain: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    return modality + rng.uniform(-strength, strength)


def _blur(modality: Tensor, brain: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Gaussian blur; the background counts as brain of mean intensity."""
    sigma = rng.uniform(strength / 2, strength)
    kernels = []
    for length in modality.shape:
        distance = np.subtract.outer(np.arange(length), np.arange(length))
        kernel = np.exp(-0.5 * (distance / sigma) ** 2)
        kernel[kernel < _SMALL] = 0  # arithmetic with subnormal numbers is slow
        kernels.append(_tensor(kernel / kernel.sum(axis=1, keepdims=True)))
    return _along_axes(modality, kernels)


def _lower_resolution(
    modality: Tensor, brain: Tensor, strength: float, rng: np.random.Generator
) -> Tensor:
    """Average over longer voxels, along one axis or along all, and interpolate back."""
    if rng.random() < 0.5:
        factors = np.ones(3)
        factors[rng.integers(3)] = rng.uniform(1, strength)
    else:
        factors = np.full(3, rng.uniform(1, min(2, strength)))
    lengths = zip(modality.shape, factors, strict=True)
    return _along_axes(modality, [_averaged(length, factor) for length, factor in lengths])


def _averaged(length: int, factor: float) -> Tensor:
    """The matrix that averages over `factor` voxels and interpolates back."""
    coarse = max(1, round(length / factor))
    voxels = torch.eye(length)[None]
    averaged = functional.interpolate(voxels, coarse, mode="area")
    return functional.interpolate(averaged, length, mode="linear", align_corners=False)[0].T


def _along_axes(volume: Tensor, matrices: Sequence[Tensor]) -> Tensor:
    """Multiply each axis of a volume by a matrix (new length, length)."""
    i, j, k = (matrix.to(volume.device) for matrix in matrices)
    moved = j @ (volume @ k.T)
    return (i @ moved.flatten(1)).view(len(i), len(j), len(k))


def _tensor(values: npt.NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))


def _add_noise(
    modality: Tensor, brain: Tensor, strength: float, rng: np.random.Generator
) -> Tensor:
    generator = torch.Generator(modality.device).manual_seed(int(rng.integers(2**63)))
    noise = torch.empty_like(modality).normal_(generator=generator)
    return noise.mul_(rng.uniform(0, strength)).add_(modality)


def _range(modality: Tensor, brain: Tensor) -> tuple[Tensor, Tensor]:
    """Lowest and highest intensity inside the brain; infinite if there is none."""
    low = torch.where(brain, modality, torch.inf).amin()
    high = torch.where(brain, modality, -torch.inf).amax()
    return low, high


def _mean_and_std(modality: Tensor, brain: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation inside the brain of a modality that is 0 outside it."""
    count = brain.sum().clamp(min=1)
    mean = modality.sum() / count
    values = modality.flatten()
    variance = values.dot(values) / count - mean.square()
    return mean, variance.clamp(min=0).sqrt()


def _with_statistics_of(modality: Tensor, changed: Tensor, brain: Tensor) -> Tensor:
    """Changed intensities with the mean and standard deviation of the original ones.

    `changed` may have any values outside the brain.
    """
    changed = torch.where(brain, changed, 0)
    mean, std = _mean_and_std(modality, brain)
    changed_mean, changed_std = _mean_and_std(changed, brain)
    scale = std / (changed_std + _SMALL)
    return changed.mul_(scale).add_(mean - changed_mean * scale)


_Transform = Callable[[Tensor, Tensor, float, np.random.Generator], Tensor]

_TRANSFORMS: dict[str, _Transform] = {
    "histogram_shift": _shift_histogram,
    "gamma": _correct_gamma,
    "inverted_gamma": _correct_inverted_gamma,
    "bias_field": _apply_bias_field,
    "contrast": _change_contrast,
    "scale": _scale,
    "shift": _shift,
    "blur": _blur,
    "low_resolution": _lower_resolution,
    "noise": _add_noise,
}
"""By the name of the field of `Augmentation` that gives its strength."""
