"""Scores of every 26-connected component by itself, including small ones next to large ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smalltumor.evaluation.metrics.voxelwise import dice
from smalltumor.geometry.boxes import bounding_box, padded
from smalltumor.labels.components import connected_components
from smalltumor.labels.masks import Mask

MIN_COMPONENT_VOXELS = 20
"""Components of enhancing tumour with fewer voxels are neither to be found nor false."""


@dataclass(frozen=True)
class TruthComponent:
    """One 26-connected component of the truth.

    Parameters
    ----------
    voxels : int
    covered : float
        Fraction of its voxels that were predicted.
    """

    voxels: int
    covered: float

    @property
    def found(self) -> bool:
        """Whether at least one of its voxels was predicted."""
        return self.covered > 0


def score_components(prediction: Mask, truth: Mask) -> list[TruthComponent]:
    """The components of the truth by ascending size, with the fraction of each that was predicted.

    Parameters
    ----------
    prediction, truth : (i, j, k) bool array
    """
    components = connected_components(truth)
    return [
        TruthComponent(len(voxels), float(prediction[tuple(voxels.T)].mean()))
        for voxels in components.voxels
    ]


def count_false_components(prediction: Mask, truth: Mask, at_least: int) -> int:
    """Count predicted 26-connected components that share no voxel with the truth.

    Parameters
    ----------
    prediction, truth : (i, j, k) bool array
    at_least : int
        Smaller components are not counted.
    """
    components = connected_components(prediction).voxels
    return sum(
        len(voxels) >= at_least and not truth[tuple(voxels.T)].any() for voxels in components
    )


def component_dice(
    prediction: Mask, truth: Mask, below: int, dilation: int = 3
) -> list[tuple[int, float]]:
    """Dice of each small component of the truth.

    The component is compared with the predicted voxels inside the dilated component that are not
    part of another component. Unlike in `score_lesions`, small components next to a large one are
    not merged with it.

    Parameters
    ----------
    prediction, truth : (i, j, k) bool array
    below : int
        Small components have fewer voxels than this.
    dilation : int
        Number of dilation steps, each over faces and edges.

    Returns
    -------
    list of (voxels, Dice)
        By ascending size.
    """
    scores = []
    for voxels in connected_components(truth).voxels:
        if len(voxels) >= below:
            break
        component = np.zeros_like(truth)
        component[tuple(voxels.T)] = True
        box = padded(bounding_box(component), [dilation + 1] * 3, truth.shape)
        component, others = component[box], truth[box] & ~component[box]
        near = _dilated(component, dilation) & ~others
        scores.append((len(voxels), dice(prediction[box] & near, component)))
    return scores


def _dilated(mask: Mask, steps: int) -> Mask:
    from scipy import ndimage

    faces_and_edges = ndimage.generate_binary_structure(3, 2)  # BraTS 2023's neighbourhood
    dilated: Mask = ndimage.binary_dilation(mask, faces_and_edges, iterations=steps)
    return dilated
