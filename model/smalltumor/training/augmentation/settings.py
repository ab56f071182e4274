"""How strongly training crops are augmented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from smalltumor.errors import TrainingError

_MARGIN = 0.15
"""Margin that rotating and zooming needs, as a fraction of the crop's length."""

Intensities = Literal["paper", "standard", "strong"]


@dataclass(frozen=True)
class Augmentation:
    """Strength of the augmentation; the defaults are the paper's.

    Flips, rotation and zoom move all modalities and the labels together. The changes of
    intensities are drawn for each modality by itself, and act inside the brain only. Each has a
    strength, 0 for never, and the probability with which a modality is changed.

    Parameters
    ----------
    flip_probability : float
        Probability of a flip, for each axis.
    rotate90_probability : float
        Probability of exchanging the first two axes; together with the flips this gives every
        rotation by right angles about the head's long axis.
    rotate : float
        Largest rotation about each axis in degrees (Ngo et al. 2020: 10).
    zoom : float
        Largest relative change of scale (Ngo et al. 2020: 0.1).
    affine_probability : float
        Probability that a crop is rotated and zoomed, which interpolates every voxel.
    intensity_shift, intensity_scale : float
        Largest number added to a modality, in its standard deviations, and largest relative change
        of the factor it is multiplied by.
    contrast : float
        Largest relative change of the distance from the mean, within the former range.
    gamma, inverted_gamma : float
        Largest absolute logarithm of the exponent of a gamma correction, of the intensities or of
        their negatives.
    histogram_shift : float
        Largest absolute logarithm of the relative slope of a random monotone mapping of
        intensities, which is linear between eleven control points.
    bias_field : float
        Largest coefficient of the polynomial of order 3 whose exponential is the field.
    blur : float
        Largest standard deviation of the Gaussian kernel, in voxels; the smallest is half of it.
    low_resolution : float
        Largest factor by which the voxels are longer along one axis, as in thick slices; half of
        the modalities become coarser along all axes, by a factor of at most 2.
    noise : float
        Largest standard deviation of added Gaussian noise, in standard deviations of the modality.
    """

    flip_probability: float = 0.5
    rotate90_probability: float = 0.0
    rotate: float = 10.0
    zoom: float = 0.1
    affine_probability: float = 1.0
    intensity_shift: float = 0.1
    intensity_scale: float = 0.1
    contrast: float = 0.0
    gamma: float = 0.0
    inverted_gamma: float = 0.0
    histogram_shift: float = 0.0
    bias_field: float = 0.0
    blur: float = 0.0
    low_resolution: float = 0.0
    noise: float = 0.0
    intensity_shift_probability: float = 1.0
    intensity_scale_probability: float = 1.0
    contrast_probability: float = 1.0
    gamma_probability: float = 1.0
    inverted_gamma_probability: float = 1.0
    histogram_shift_probability: float = 1.0
    bias_field_probability: float = 1.0
    blur_probability: float = 1.0
    low_resolution_probability: float = 1.0
    noise_probability: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 <= value < float("inf"):
                raise TrainingError(f"{field.name} = {value} should be 0 or more")

    def margin(self, crop: int) -> int:
        """Voxels that `augment` needs on each side of a crop, to rotate and zoom it."""
        return (
            round(_MARGIN * crop) if self.affine_probability and (self.rotate or self.zoom) else 0
        )

    def strength(self, transform: str) -> tuple[float, float]:
        """Strength and probability of a change of intensities, by the name of its field."""
        return getattr(self, transform), getattr(self, f"{transform}_probability")

    def with_intensities(self, name: str) -> Augmentation:
        """The same rotations and flips with other changes of intensities.

        Parameters
        ----------
        name : {"paper", "standard", "strong"}
            ``strong`` changes a modality in as many ways, and as often, as nnU-Net does.

        Raises
        ------
        TrainingError
            If the name is unknown.
        """
        if name not in INTENSITIES:
            known = ", ".join(INTENSITIES)
            raise TrainingError(f"unknown augmentation {name}; known are {known}")
        return replace(self, **{**_NO_INTENSITIES, **INTENSITIES[name]})


_SPATIAL = ("flip_probability", "rotate90_probability", "rotate", "zoom", "affine_probability")

_NO_INTENSITIES: Mapping[str, Any] = {
    field.name: 1.0 if field.name.endswith("_probability") else 0.0
    for field in fields(Augmentation)
    if field.name not in _SPATIAL
}

INTENSITIES: Mapping[str, Mapping[str, float]] = {
    "paper": {"intensity_shift": 0.1, "intensity_scale": 0.1},
    "standard": {"intensity_shift": 0.2, "intensity_scale": 0.2, "gamma": 0.3, "noise": 0.1},
    "strong": {
        "intensity_shift": 0.3,
        "intensity_shift_probability": 0.3,
        "intensity_scale": 0.3,
        "intensity_scale_probability": 0.3,
        "contrast": 0.3,
        "contrast_probability": 0.15,
        "gamma": 0.4,
        "gamma_probability": 0.3,
        "inverted_gamma": 0.4,
        "inverted_gamma_probability": 0.1,
        "histogram_shift": 1.0,
        "histogram_shift_probability": 0.2,
        "bias_field": 0.3,
        "bias_field_probability": 0.15,
        "blur": 1.0,
        "blur_probability": 0.1,
        "low_resolution": 4.0,
        "low_resolution_probability": 0.125,
        "noise": 0.3,
        "noise_probability": 0.15,
    },
}
"""Changes of intensities by name. Probabilities and ranges of ``strong`` are those of nnU-Net
where it has the transform: its probability for a crop times that for a channel."""

assert set(INTENSITIES) == set(get_args(Intensities))
