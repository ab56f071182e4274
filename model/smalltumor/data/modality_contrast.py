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
from itertools import permutations
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

ROLES = ("t1", "t1ce", "t2", "flair")

WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "bright tail of T1CE against T1": 1.7,
        "bright tail of T2 against its dark tail": 2.0,
        "fluid dark in T1: T2 against FLAIR": 0.3,
        "fluid dark in T1CE: T2 against FLAIR": 0.9,
        "T1 against T2": 1.5,
        "T1CE against T2": 1.6,
        "T2 with FLAIR": 2.2,
        "bright tail of T2 against FLAIR": -0.9,
        "bright in T1 is bright in T1CE, not the reverse": 0.8,
    }
)

MARGIN = 1.2
"""Score by which another assignment must exceed the given one; 1.3 times the largest difference of
a patient whose images were in their roles and who was left out of the fit."""

NO_IMAGE_IN_ITS_ROLE = -0.7
"""Score that is added to assignments of four images of which none is the given one: more images
than two are rarely exchanged. With `MARGIN`, 1.26 times the largest difference of a patient with
thick voxels whose images were in their roles."""


def swapped_modalities(images: Mapping[str, npt.NDArray[np.generic]]) -> tuple[str, ...]:
    """Roles whose images belong to other roles, or none.

    Of the assignments whose scores are within `MARGIN` of the highest, the one closest to the given
    one is taken.

    Parameters
    ----------
    images : mapping of modality to (n,) array
        Intensities of the same n voxels within the brain. FLAIR is compared only if there is a T2,
        by which it is told from T1; T2 only if three images are compared. An image without
        contrast, such as one of a single intensity, is not compared.

    Returns
    -------
    tuple of str
        In the order of `ROLES`.
    """
    compared = _compared(images)
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
    compared = _compared(images)
    differing, scores = _differing(compared), _scores(compared)
    pairs = [n for n, roles in enumerate(differing) if len(roles) == 2]
    return differing[max(pairs, key=lambda n: scores[n])]


def _compared(
    images: Mapping[str, npt.NDArray[np.generic]],
) -> dict[str, npt.NDArray[np.generic]]:
    """The images that are told apart by their contrast."""
    found = {m: image for m, image in images.items() if _has_contrast(image)}
    return {m: image for m, image in found.items() if m != "flair" or "t2" in found}


def _has_contrast(image: npt.NDArray[np.generic]) -> bool:
    """Whether an image has a dark and a bright tail, without which no feature is finite."""
    if not image.size:
        return False
    dark, median, bright = np.percentile(image.astype(np.float64), [1, 50, 99])
    return bool(dark < median < bright)


def _scores(images: Mapping[str, npt.NDArray[np.generic]]) -> Values:
    """The score of every assignment, (24,)."""
    scores = features(images) @ np.array(list(WEIGHTS.values()))
    in_no_role = [len(roles) == len(ROLES) for roles in _differing(images)]
    return np.asarray(scores + NO_IMAGE_IN_ITS_ROLE * np.array(in_no_role))


def _differing(images: Container[str]) -> list[tuple[str, ...]]:
    """The roles that have another image than the given one in every assignment."""
    return [
        tuple(role for role, image in assignment.items() if role != image)
        for assignment in _assignments(images)
    ]


def features(images: Mapping[str, npt.NDArray[np.generic]]) -> Values:
    """Features of every assignment, (24, 9), in the order of `permutations` and `WEIGHTS`.

    With fewer images there are fewer assignments; a feature that needs a missing one is 0.
    """
    scaled = {m: _scaled(np.asarray(image, dtype=np.float64)) for m, image in images.items()}
    bright = {m: np.percentile(v, 99) for m, v in scaled.items()}
    dark = {m: -np.percentile(v, 1) for m, v in scaled.items()}
    lowest = {m: v <= np.percentile(v, 5) for m, v in scaled.items()}
    highest = {m: v >= np.percentile(v, 95) for m, v in scaled.items()}
    pairs = tuple(permutations(scaled, 2))
    correlation = {(a, b): np.corrcoef(scaled[a], scaled[b])[0, 1] for a, b in pairs}
    where_dark = {(a, b): np.median(scaled[b][lowest[a]]) for a, b in pairs}
    where_bright = {(a, b): np.median(scaled[b][highest[a]]) for a, b in pairs}

    def fluid_dark_in(image: str, t2: str, flair: str) -> float:
        return float(np.clip(where_dark[image, t2] - where_dark[image, flair], -3, 6))

    of_roles: list[tuple[str, Callable[..., float]]] = [
        ("t1 t1ce", lambda t1, t1ce: np.log(bright[t1ce] / bright[t1])),
        ("t2", lambda t2: np.log(bright[t2] / dark[t2])),
        ("t1 t2 flair", fluid_dark_in),
        ("t1ce t2 flair", fluid_dark_in),
        ("t1 t2", lambda t1, t2: -correlation[t1, t2]),
        ("t1ce t2", lambda t1ce, t2: -correlation[t1ce, t2]),
        ("t2 flair", lambda t2, flair: correlation[t2, flair]),
        ("t2 flair", lambda t2, flair: np.log(bright[t2] / bright[flair])),
        ("t1 t1ce", lambda t1, t1ce: where_bright[t1, t1ce] - where_bright[t1ce, t1]),
    ]

    def value(roles: str, feature: Callable[..., float], assigned: Mapping[str, str]) -> float:
        present = all(role in assigned for role in roles.split())
        return feature(*(assigned[role] for role in roles.split())) if present else 0.0

    return np.array([[value(*f, assigned) for f in of_roles] for assigned in _assignments(images)])


def _assignments(images: Container[str]) -> list[dict[str, str]]:
    """The image in each role that has one, in every order; the first is the one given."""
    roles = [role for role in ROLES if role in images]
    return [dict(zip(roles, order, strict=True)) for order in permutations(roles)]


def _scaled(values: Values) -> Values:
    """Median 0 and interquartile range 1, clipped at the 0.5th and 99.5th percentile."""
    low, q1, median, q3, high = np.percentile(values, [0.5, 25, 50, 75, 99.5])
    spread = max(q3 - q1, 1e-6 * max(high - low, 1e-30))
    return np.asarray((np.clip(values, low, high) - median) / spread)
