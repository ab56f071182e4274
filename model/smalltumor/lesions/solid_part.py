"""The solid part of a lesion that encloses a cavity, a cyst or a necrosis.

RANO measures no cavity: enhancement around one is measured only where it forms a nodule (Wen et al.
2010, J Clin Oncol 28:1963). Masks do not tell a necrosis from a cyst or a cavity reliably, so that
all of them are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smalltumor.labels.masks import Mask

CAVITY_MM = 5.0
"""Width from which an enclosed space is a cavity. Narrower gaps in a rim do not open it."""

_SUBSLICE_MM, _EPSILON = 1.0, 1e-6

_IN_SLICES = np.zeros((3, 3, 3), dtype=bool)
"""Neighbours within a slice."""
_IN_SLICES[1, :, 1] = _IN_SLICES[:, 1, 1] = True


def filled_in_slices(mask: Mask) -> Mask:
    """A mask (i, j, slice) without its holes in each slice."""
    from scipy.ndimage import binary_fill_holes

    return np.asarray(binary_fill_holes(mask, _IN_SLICES))


def without_cavities(mask: Mask, spacing: Sequence[float]) -> Mask | None:
    """A lesion without its cavities, but with what else it encloses; None without a cavity.

    Parameters
    ----------
    mask : (i, j, slice) bool array
        A lesion with a margin of one voxel.
    spacing : three float
        In mm.
    """
    from scipy.ndimage import distance_transform_edt

    inner = _inner_cavities(mask, spacing)
    if not inner.any():
        return None
    cavities = distance_transform_edt(~inner, spacing) <= _reach(spacing)
    return np.asarray(mask | (filled_in_slices(mask) & ~cavities))


def solid_part(
    tissue: Mask, spacing: Sequence[float], diameter_mm: float
) -> tuple[Mask, float | None]:
    """The part of a lesion that balls of a diameter reach which fit into it.

    The part is a morphological opening. A ball fits if it leaves the lesion by no more than half a
    voxel, since outlines are jagged. If none fits, the lesion is a rim, and the part is what the
    largest balls reach that do.

    Parameters
    ----------
    tissue : (i, j, slice) bool array
        As of `without_cavities`.
    spacing : three float
        In mm.
    diameter_mm : float

    Returns
    -------
    part : (i, j, slice) bool array
    thickness_mm : float or None
        Of a rim: the diameter of the largest ball. None of another lesion.
    """
    from scipy.ndimage import distance_transform_edt

    parts = max(1, round(spacing[2] / _SUBSLICE_MM))  # a ball may lie between two slices
    space = np.repeat(tissue, parts, axis=2)
    fine = (*spacing[:2], spacing[2] / parts)
    depth = distance_transform_edt(space, fine)  # to the next voxel's centre: half a voxel too long
    thickness = None
    if depth.max() < diameter_mm / 2 - _EPSILON:
        diameter_mm = thickness = 2 * float(depth.max()) - min(spacing[:2]) / 2
    centres = depth >= diameter_mm / 2 - _EPSILON
    reached = space & (distance_transform_edt(~centres, fine) <= diameter_mm / 2 + _EPSILON)
    return np.asarray(reached.reshape(*tissue.shape, parts).any(axis=-1)), thickness


def _inner_cavities(mask: Mask, spacing: Sequence[float]) -> Mask:
    """What is left in slices of the spaces that a lesion encloses if it grows by `_reach`."""
    from scipy.ndimage import distance_transform_edt

    if min(size * mm for size, mm in zip(mask.shape[:2], spacing[:2], strict=True)) < CAVITY_MM:
        return np.zeros_like(mask)  # too small for one
    margin = int(np.ceil(_reach(spacing) / min(spacing[:2])))
    padded = np.pad(mask, ((margin, margin), (margin, margin), (0, 0)))
    apart = 2 * float(np.linalg.norm(np.array(padded.shape[:2]) * spacing[:2]))
    near = distance_transform_edt(~padded, (*spacing[:2], apart)) < _reach(spacing)
    found = filled_in_slices(near) & ~near
    return np.asarray(found[margin:-margin, margin:-margin])


def _reach(spacing: Sequence[float]) -> float:
    """Distance in mm between the centres of the outermost voxels of a lesion and of its cavity."""
    return (CAVITY_MM + min(spacing[:2])) / 2
