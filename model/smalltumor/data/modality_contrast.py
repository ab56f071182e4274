"""Recognition of exchanged modalities by the contrast of the tissues.

Each assignment of the four images to T1, T1CE, T2 and FLAIR gets a score: a weighted sum of
correlations between images and of contrasts, such as that of cerebrospinal fluid, which is dark in
T1, bright in T2 and dark in FLAIR. The weights were fitted by conditional logistic regression
(McFadden 1974) to the 24 assignments of 51 patients; ``tests/benchmarks/input_checks.py`` fits and
tests them.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

ROLES = ("t1", "t1ce", "t2", "flair")
ASSIGNMENTS = tuple(permutations(ROLES))
"""The image in the roles of T1, T1CE, T2 and FLAIR; the first is the one given."""

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


def exchanged_modalities(images: Mapping[str, npt.NDArray[np.generic]]) -> tuple[str, ...]:
    """Roles whose images belong to other roles, or none.

    Of the assignments whose scores are within `MARGIN` of the highest, the one closest to the given
    one is taken.

    Parameters
    ----------
    images : mapping of modality to (n,) array
        Intensities of the same n voxels within the brain.

    Returns
    -------
    tuple of str
        In the order of `ROLES`.
    """
    scores = features(images) @ np.array(list(WEIGHTS.values()))
    likely = scores >= scores.max() - MARGIN
    differing = [
        tuple(role for role, image in zip(ROLES, assignment, strict=True) if role != image)
        for assignment in ASSIGNMENTS
    ]
    best = min(np.flatnonzero(likely), key=lambda n: (len(differing[n]), -scores[n]))
    return differing[best]


def features(images: Mapping[str, npt.NDArray[np.generic]]) -> Values:
    """Features of every assignment, (24, 9), in the order of `ASSIGNMENTS` and `WEIGHTS`."""
    scaled = {m: _scaled(np.asarray(images[m], dtype=np.float64)) for m in ROLES}
    bright = {m: np.percentile(v, 99) for m, v in scaled.items()}
    dark = {m: -np.percentile(v, 1) for m, v in scaled.items()}
    lowest = {m: v <= np.percentile(v, 5) for m, v in scaled.items()}
    highest = {m: v >= np.percentile(v, 95) for m, v in scaled.items()}
    pairs = tuple(permutations(ROLES, 2))
    correlation = {(a, b): np.corrcoef(scaled[a], scaled[b])[0, 1] for a, b in pairs}
    where_dark = {(a, b): np.median(scaled[b][lowest[a]]) for a, b in pairs}
    where_bright = {(a, b): np.median(scaled[b][highest[a]]) for a, b in pairs}

    def of(t1: str, t1ce: str, t2: str, flair: str) -> list[float]:
        return [
            np.log(bright[t1ce] / bright[t1]),
            np.log(bright[t2] / dark[t2]),
            np.clip(where_dark[t1, t2] - where_dark[t1, flair], -3, 6),
            np.clip(where_dark[t1ce, t2] - where_dark[t1ce, flair], -3, 6),
            -correlation[t1, t2],
            -correlation[t1ce, t2],
            correlation[t2, flair],
            np.log(bright[t2] / bright[flair]),
            where_bright[t1, t1ce] - where_bright[t1ce, t1],
        ]

    return np.array([of(*assignment) for assignment in ASSIGNMENTS])


def _scaled(values: Values) -> Values:
    """Median 0 and interquartile range 1, clipped at the 0.5th and 99.5th percentile."""
    low, q1, median, q3, high = np.percentile(values, [0.5, 25, 50, 75, 99.5])
    spread = max(q3 - q1, 1e-6 * max(high - low, 1e-30))
    return np.asarray((np.clip(values, low, high) - median) / spread)
