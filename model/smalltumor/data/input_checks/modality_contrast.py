"""Recognition of swapped modalities by the contrast of the tissues.

Each assignment of the four images to T1, T1CE, T2 and FLAIR gets a score: a weighted sum of
correlations between images and of contrasts, such as that of cerebrospinal fluid, which is dark in
T1, bright in T2 and dark in FLAIR. If an image is missing, the assignments of the others to their
own roles are scored by the terms that do without it. The weights were fitted by conditional
logistic regression (McFadden 1974) to the 24 assignments of 51 patients;
``tests/benchmarks/scans/input_checks.py`` fits and tests them.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from itertools import permutations

import numpy as np
import numpy.typing as npt

from smalltumor.data.input_checks.contrast_features import FEATURES, Tissues

Values = npt.NDArray[np.float64]

ROLES = ("t1", "t1ce", "t2", "flair")

MARGIN = 1.0
"""Score by which another assignment must exceed the given one; 2.7 times the largest difference of
a patient whose images were in their roles and who was left out of the fit."""

NO_IMAGE_IN_ITS_ROLE = -0.7
"""Score that is added to assignments of four images of which none is the given one: more images
than two are rarely exchanged."""


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
    tissues = Tissues.of(images)
    assignments = _assignments(images)
    return np.array([[feature.of(tissues, each) for feature in FEATURES] for each in assignments])


def _assignments(images: Container[str]) -> list[dict[str, str]]:
    """The image in each role that has one, in every order; the first is the one given."""
    roles = [role for role in ROLES if role in images]
    return [dict(zip(roles, order, strict=True)) for order in permutations(roles)]
