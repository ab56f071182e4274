"""Recognition of swapped modalities by the contrast of the tissues.

Each assignment of the four images to T1, T1CE, T2 and FLAIR gets a score: a weighted sum of
correlations between images and of contrasts, such as that of cerebrospinal fluid, which is dark in
T1, bright in T2 and dark in FLAIR. If an image is missing, the assignments of the others to their
own roles are scored by the terms that do without it. The weights were fitted by conditional
logistic regression (McFadden 1974) to the 24 assignments of 51 patients;
``tests/benchmarks/scans/input_checks.py`` fits and tests them.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

ROLES = ("t1", "t1ce", "t2", "flair")

MARGIN = 1.2
"""Score by which another assignment must exceed the given one; 1.3 times the largest difference of
a patient whose images were in their roles and who was left out of the fit."""

NO_IMAGE_IN_ITS_ROLE = -0.7
"""Score that is added to assignments of four images of which none is the given one: more images
than two are rarely exchanged. With `MARGIN`, 1.26 times the largest difference of a patient with
thick voxels whose images were in their roles."""


@dataclass(frozen=True)
class _Tissues:
    """How bright the tissues are in images, whose intensities are `_scaled`.

    Parameters
    ----------
    bright, dark : mapping of image to float
        The 99th percentile, and the first below zero.
    correlation : mapping of two images to float
    where_dark, where_bright : mapping of two images to float
        Median of the second image where the first is darkest or brightest, in a twentieth of the
        voxels.
    """

    bright: Mapping[str, np.floating]
    dark: Mapping[str, np.floating]
    correlation: Mapping[tuple[str, str], np.floating]
    where_dark: Mapping[tuple[str, str], np.floating]
    where_bright: Mapping[tuple[str, str], np.floating]

    @classmethod
    def of(cls, images: Mapping[str, npt.NDArray[np.generic]]) -> _Tissues:
        """Compare images (n,) of the same voxels."""
        scaled = {m: _scaled(np.asarray(image, dtype=np.float64)) for m, image in images.items()}
        lowest = {m: v <= np.percentile(v, 5) for m, v in scaled.items()}
        highest = {m: v >= np.percentile(v, 95) for m, v in scaled.items()}
        pairs = tuple(permutations(scaled, 2))
        return cls(
            bright={m: np.percentile(v, 99) for m, v in scaled.items()},
            dark={m: -np.percentile(v, 1) for m, v in scaled.items()},
            correlation={(a, b): np.corrcoef(scaled[a], scaled[b])[0, 1] for a, b in pairs},
            where_dark={(a, b): np.median(scaled[b][lowest[a]]) for a, b in pairs},
            where_bright={(a, b): np.median(scaled[b][highest[a]]) for a, b in pairs},
        )

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

    def of(self, tissues: _Tissues, assigned: Mapping[str, str]) -> float:
        """Its value for an assignment of images to roles; 0 if an image is missing."""
        if any(role not in assigned for role in self.roles):
            return 0.0
        return self.value(tissues, *(assigned[role] for role in self.roles))


FEATURES = (
    Feature(
        1.7,
        "bright tail of T1CE against T1",
        ("t1", "t1ce"),
        lambda tissues, t1, t1ce: np.log(tissues.bright[t1ce] / tissues.bright[t1]),
    ),
    Feature(
        2.0,
        "bright tail of T2 against its dark tail",
        ("t2",),
        lambda tissues, t2: np.log(tissues.bright[t2] / tissues.dark[t2]),
    ),
    Feature(
        0.3,
        "fluid dark in T1: T2 against FLAIR",
        ("t1", "t2", "flair"),
        _Tissues.fluid_dark_in,
    ),
    Feature(
        0.9,
        "fluid dark in T1CE: T2 against FLAIR",
        ("t1ce", "t2", "flair"),
        _Tissues.fluid_dark_in,
    ),
    Feature(
        1.5,
        "T1 against T2",
        ("t1", "t2"),
        lambda tissues, t1, t2: -tissues.correlation[t1, t2],
    ),
    Feature(
        1.6,
        "T1CE against T2",
        ("t1ce", "t2"),
        lambda tissues, t1ce, t2: -tissues.correlation[t1ce, t2],
    ),
    Feature(
        2.2,
        "T2 with FLAIR",
        ("t2", "flair"),
        lambda tissues, t2, flair: tissues.correlation[t2, flair],
    ),
    Feature(
        -0.9,
        "bright tail of T2 against FLAIR",
        ("t2", "flair"),
        lambda tissues, t2, flair: np.log(tissues.bright[t2] / tissues.bright[flair]),
    ),
    Feature(
        0.8,
        "bright in T1 is bright in T1CE, not the reverse",
        ("t1", "t1ce"),
        lambda tissues, t1, t1ce: tissues.where_bright[t1, t1ce] - tissues.where_bright[t1ce, t1],
    ),
)
"""The terms of the score."""


def swapped_modalities(images: Mapping[str, npt.NDArray[np.generic]]) -> tuple[str, ...]:
    """Roles whose images belong to other roles, or none.

    Of the assignments whose scores are within `MARGIN` of the highest, the one closest to the given
    one is taken.

    Parameters
    ----------
    images : mapping of modality to (n,) array
        Intensities of the same n voxels within the brain. FLAIR is compared only if there is a T2,
        by which it is told from T1; T2 only if three images are compared.

    Returns
    -------
    tuple of str
        In the order of `ROLES`.
    """
    compared = {m: v for m, v in images.items() if m != "flair" or "t2" in images}
    if len(compared) < 3 and set(compared) != {"t1", "t1ce"}:
        return ()
    differing, scores = _differing(compared), _scores(compared)
    likely = scores >= scores.max() - MARGIN
    best = min(np.flatnonzero(likely), key=lambda n: (len(differing[n]), -scores[n]))
    return differing[best]


def likeliest_exchange(images: Mapping[str, npt.NDArray[np.generic]]) -> tuple[str, ...]:
    """The two roles whose images were exchanged, if only two were.

    Parameters
    ----------
    images
        As of `swapped_modalities`, which has found more than two.
    """
    differing, scores = _differing(images), _scores(images)
    pairs = [n for n, roles in enumerate(differing) if len(roles) == 2]
    return differing[max(pairs, key=lambda n: scores[n])]


def _scores(images: Mapping[str, npt.NDArray[np.generic]]) -> Values:
    """The score of every assignment, (24,)."""
    scores = features(images) @ np.array([feature.weight for feature in FEATURES])
    in_no_role = [len(roles) == len(ROLES) for roles in _differing(images)]
    return np.asarray(scores + NO_IMAGE_IN_ITS_ROLE * np.array(in_no_role))


def _differing(images: Container[str]) -> list[tuple[str, ...]]:
    """The roles that have another image than the given one in every assignment."""
    return [
        tuple(role for role, image in assignment.items() if role != image)
        for assignment in _assignments(images)
    ]


def features(images: Mapping[str, npt.NDArray[np.generic]]) -> Values:
    """Features of every assignment, (24, 9), in the order of `permutations` and `FEATURES`.

    With fewer images there are fewer assignments; a feature that needs a missing one is 0.
    """
    tissues = _Tissues.of(images)
    assignments = _assignments(images)
    return np.array([[feature.of(tissues, each) for feature in FEATURES] for each in assignments])


def _assignments(images: Container[str]) -> list[dict[str, str]]:
    """The image in each role that has one, in every order; the first is the one given."""
    roles = [role for role in ROLES if role in images]
    return [dict(zip(roles, order, strict=True)) for order in permutations(roles)]


def _scaled(values: Values) -> Values:
    """Median 0 and interquartile range 1, clipped at the 0.5th and 99.5th percentile."""
    low, q1, median, q3, high = np.percentile(values, [0.5, 25, 50, 75, 99.5])
    spread = max(q3 - q1, 1e-6 * max(high - low, 1e-30))
    return np.asarray((np.clip(values, low, high) - median) / spread)
