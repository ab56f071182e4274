"""Features of an assignment of images to modalities: contrasts of the tissues and correlations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

_VOXELS = 40_000
"""Voxels that are compared, at most twice as many; more take longer and tell no more."""

_GROUPS = 32
"""Groups of voxels of similar intensity."""

_LEAST_TAIL = 1e-3
"""Least percentile, in interquartile ranges, of which the logarithm is taken."""


@dataclass(frozen=True)
class Tissues:
    """How bright the tissues are in each image, and in one image where another is dark or bright.

    Intensities have the median 0 and the interquartile range 1.

    Parameters
    ----------
    bright, dark : mapping of image to float
        The 99th percentile, and minus the first.
    correlation : mapping of two images to float
    where_dark : mapping of two images to float
        Median of the second image where the first is darkest, in a twentieth of the voxels.
    unexplained : mapping of two images to float
        The second image less its median in voxels that are alike in the first: logarithm of the
        99th percentile over minus the first.
    """

    bright: Mapping[str, np.floating]
    dark: Mapping[str, np.floating]
    correlation: Mapping[tuple[str, str], np.floating]
    where_dark: Mapping[tuple[str, str], np.floating]
    unexplained: Mapping[tuple[str, str], float]

    @classmethod
    def of(cls, images: Mapping[str, npt.NDArray[np.generic]]) -> Tissues:
        """Compare images (n,) of the same voxels, of which some are enough."""
        step = max(1, max(image.size for image in images.values()) // _VOXELS)
        scaled = {m: _scaled(np.asarray(image[::step], np.float64)) for m, image in images.items()}
        lowest = {m: v <= np.percentile(v, 5) for m, v in scaled.items()}
        alike = {m: _groups_of_alike_voxels(v) for m, v in scaled.items()}
        pairs = tuple(permutations(scaled, 2))
        return cls(
            bright={m: np.percentile(v, 99) for m, v in scaled.items()},
            dark={m: -np.percentile(v, 1) for m, v in scaled.items()},
            correlation={(a, b): np.corrcoef(scaled[a], scaled[b])[0, 1] for a, b in pairs},
            where_dark={(a, b): np.median(scaled[b][lowest[a]]) for a, b in pairs},
            unexplained={(a, b): _skewness(scaled[b][alike[a]]) for a, b in pairs},
        )

    def enhancement(self, t1: str, t1ce: str) -> float:
        """How much more of T1CE is brighter than T1 tells than the reverse, as vessels are."""
        return float(np.clip(self.unexplained[t1, t1ce] - self.unexplained[t1ce, t1], -1, 1))

    def fluid_dark_in(self, image: str, t2: str, flair: str) -> float:
        """How much brighter the darkest voxels of an image are in T2 than in FLAIR, as fluid is."""
        return float(np.clip(self.where_dark[image, t2] - self.where_dark[image, flair], -3, 6))


@dataclass(frozen=True)
class Feature:
    """A term of the score of an assignment.

    Parameters
    ----------
    weight : float
    name : str
    roles : tuple of str
        Whose images it compares.
    value : callable
        Of the tissues and the images that are assigned to the roles.
    """

    weight: float
    name: str
    roles: tuple[str, ...]
    value: Callable[..., float]

    def of(self, tissues: Tissues, assigned: Mapping[str, str]) -> float:
        """Its value for an assignment of images to roles; 0 if an image is missing."""
        if any(role not in assigned for role in self.roles):
            return 0.0
        return self.value(tissues, *(assigned[role] for role in self.roles))


FEATURES = (
    Feature(
        2.5,
        "brighter in T1CE than T1 tells, not the reverse",
        ("t1", "t1ce"),
        Tissues.enhancement,
    ),
    Feature(
        1.5,
        "bright tail of T2 against its dark tail",
        ("t2",),
        lambda tissues, t2: np.log(tissues.bright[t2] / tissues.dark[t2]),
    ),
    Feature(
        0.1,
        "fluid dark in T1: T2 against FLAIR",
        ("t1", "t2", "flair"),
        Tissues.fluid_dark_in,
    ),
    Feature(
        0.9,
        "fluid dark in T1CE: T2 against FLAIR",
        ("t1ce", "t2", "flair"),
        Tissues.fluid_dark_in,
    ),
    Feature(
        1.6,
        "T1 against T2",
        ("t1", "t2"),
        lambda tissues, t1, t2: -tissues.correlation[t1, t2],
    ),
    Feature(
        1.5,
        "T1CE against T2",
        ("t1ce", "t2"),
        lambda tissues, t1ce, t2: -tissues.correlation[t1ce, t2],
    ),
    Feature(
        2.4,
        "T2 with FLAIR",
        ("t2", "flair"),
        lambda tissues, t2, flair: tissues.correlation[t2, flair],
    ),
    Feature(
        -0.3,
        "bright tail of T2 against FLAIR",
        ("t2", "flair"),
        lambda tissues, t2, flair: np.log(tissues.bright[t2] / tissues.bright[flair]),
    ),
)
"""The terms of the score."""


def _scaled(values: Values) -> Values:
    """Median 0 and interquartile range 1, clipped at the 0.5th and 99.5th percentile."""
    low, q1, median, q3, high = np.percentile(values, [0.5, 25, 50, 75, 99.5])
    spread = max(q3 - q1, 1e-6 * max(high - low, 1e-30))
    return np.asarray((np.clip(values, low, high) - median) / spread)


def _groups_of_alike_voxels(values: Values) -> npt.NDArray[np.intp]:
    """Indices of voxels of similar intensity, (group, voxel); fewer than a group are left out."""
    groups = min(_GROUPS, values.size)
    each = values.size // groups
    return np.argsort(values)[: groups * each].reshape(groups, each)


def _skewness(groups: Values) -> float:
    """Logarithm of the bright over the dark tail of values (group, voxel) less their median."""
    low, high = np.percentile(groups - np.median(groups, axis=1, keepdims=True), [1, 99])
    return math.log(max(high, _LEAST_TAIL) / max(-low, _LEAST_TAIL))
