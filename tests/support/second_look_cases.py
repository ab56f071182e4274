"""A synthetic brain with enhancing spots, and a network's output for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from smalltumor.data.case import Case
from smalltumor.data.probabilities.cropped import CroppedProbabilities
from smalltumor.data.probabilities.network_output import HalfResolutionLogits
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.network_grid import network_grid_of
from smalltumor.labels.regions import Region
from smalltumor.lesions import LesionList, measure_lesion
from smalltumor.second_look import SecondLook
from synthetic import LPS

SHAPE = (64, 72, 60)
CENTRE = (32, 36, 30)


@dataclass(frozen=True)
class Spot:
    """A ball that enhances, and the network's logit of ET in it (background has 4)."""

    centre: tuple[int, int, int]
    radius: float
    contrast: float = 400.0
    logit: float = -4.0


def ball(centre: tuple[int, int, int], radius: float, shape=SHAPE) -> np.ndarray:
    """A bool ball in an array of this shape."""
    offsets = np.stack(np.indices(shape), -1) - centre
    return np.linalg.norm(offsets, axis=-1) <= radius


def case_with(*spots: Spot, affine: np.ndarray = LPS, modalities="flair t1ce t1 t2") -> Case:
    """A brain whose T1CE is T1 and noise, brighter in the spots."""
    rng = np.random.default_rng(5)
    brain = ball(CENTRE, 27)
    t1 = 500 + 60 * np.sin(np.indices(SHAPE)[0] / 4) + 15 * rng.standard_normal(SHAPE)
    images = {"t1": t1, "t1ce": 1.1 * t1 + 30 + 15 * rng.standard_normal(SHAPE)}
    for name in ("flair", "t2"):
        images[name] = 400 + 30 * rng.standard_normal(SHAPE)
    for spot in spots:
        images["t1ce"][ball(spot.centre, spot.radius)] += spot.contrast
    volumes = {
        name: np.where(brain, np.maximum(images[name], 1), 0).astype(np.int16)
        for name in modalities.split()
    }
    return Case("Pat", volumes, Grid(SHAPE, affine))


def one_candidate(look: SecondLook, mask: np.ndarray, *, first_id: int = 1, **_: object) -> list:
    """Takes the place of `SecondLook.candidates`: a cube of 8 voxels with the score 0.4."""
    voxels = np.argwhere(np.ones((2, 2, 2))) + 9
    lesion = measure_lesion(first_id, voxels, look.case.grid, Region.ET)
    return [replace(lesion, list_name=LesionList.SECOND_LOOK, score=0.4)]


def output_for(case: Case, *spots: Spot) -> CroppedProbabilities:
    """The network's output: background but where a spot has a larger logit of ET."""
    shape = tuple(n // 2 for n in SHAPE)
    logits = np.zeros((4, *shape), dtype=np.float32)
    logits[0], logits[1:] = 4, -6
    for spot in spots:
        centre = tuple(n / 2 for n in spot.centre)
        logits[3][ball(centre, spot.radius / 2 + 0.5, shape)] = spot.logit
    return CroppedProbabilities(HalfResolutionLogits(logits), (0, 0, 0), network_grid_of(case.grid))
