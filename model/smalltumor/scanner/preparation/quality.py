"""Figures that tell whether a sequence is registered to T1CE, and the warnings that follow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from smalltumor.data.brain.background import fill_holes
from smalltumor.data.brain.brain_mask import brain_masks
from smalltumor.data.brain.coarse_images import coarse_images
from smalltumor.data.input_checks.checks import MIN_BRAIN_ML
from smalltumor.data.naming.case_files import MODALITY_TITLES
from smalltumor.data.volumes.nifti import Volume
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.resampling import resample
from smalltumor.scanner.preparation.brain_extraction import coarse_brain
from smalltumor.scanner.prepared.preparation_warning import PreparationWarning, WarningKind
from smalltumor.scanner.registration.registration import Registration

if TYPE_CHECKING:
    from smalltumor.labels.masks import Mask

MIN_OVERLAP = 0.85
"""Dice of a sequence's brain with that of T1CE below which a registration is doubtful. The brain
of a sequence is found coarsely; registered ones had .90 or more."""

MAX_ROTATION_DEGREES = 35.0
"""Rotation to T1CE above which a registration is doubtful."""

MIN_COVERAGE = 0.98
"""Share of the brain of T1CE that a sequence shows, below which this is said."""

_DOUBTFUL = "may not be registered to T1CE"


def foreground(volume: Volume) -> Mask:
    """What differs from the background, without holes, (i, j, k) bool."""
    image = volume.data
    coarse = coarse_images({"": image}, volume.grid.spacing)
    (mask,) = brain_masks([image], [*coarse.backgrounds.values()])
    return fill_holes(mask)


def brain_warnings(brain: Mask, grid: Grid) -> list[PreparationWarning]:
    """Reasons to look at the brain mask, (i, j, k) bool on `grid`."""
    volume_ml = float(np.count_nonzero(brain)) * grid.voxel_volume / 1000
    if volume_ml >= MIN_BRAIN_ML:
        return []
    problem = f"the brain mask has {volume_ml:.0f} ml, which is little for a brain"
    text = f"{problem}; look at it, and check the voxel sizes of the images"
    return [PreparationWarning(WarningKind.BRAIN, text)]


def brain_overlap(volume: Volume, stripped: bool, placed: Grid, brain: Mask, grid: Grid) -> float:
    """Dice of the brain of a sequence with that of T1CE.

    Parameters
    ----------
    volume : Volume
        The sequence.
    stripped : bool
        Whether it shows the brain alone.
    placed : Grid
        Its grid where its voxels lie in T1CE.
    brain : (i, j, k) bool array
        Brain of T1CE, on `grid`.
    grid : Grid
        Of T1CE.
    """
    own = foreground(volume) if stripped else coarse_brain(volume.data, volume.grid)
    found = resample(own, placed, grid) > 0.5
    both = int(np.count_nonzero(found & brain))
    sizes = int(np.count_nonzero(found)) + int(np.count_nonzero(brain))
    return 2 * both / max(1, sizes)


def coverage(placed: Grid, brain: Mask, grid: Grid) -> float:
    """Share of the brain of T1CE that lies within the volume of a sequence.

    Parameters
    ----------
    placed, brain, grid
        As of `brain_overlap`.
    """
    inside = resample(np.ones(placed.shape, np.float32), placed, grid) > 0.5
    return float(np.count_nonzero(inside & brain)) / max(1, int(np.count_nonzero(brain)))


def registration_warnings(
    modality: str, overlap: float | None, covered: float, registration: Registration | None
) -> list[PreparationWarning]:
    """Reasons to look at a registration.

    Parameters
    ----------
    modality : str
        Of the sequence.
    overlap : float, optional
        As of `brain_overlap`.
    covered : float
        As of `coverage`.
    registration : Registration, optional
    """
    title, problems = MODALITY_TITLES[modality], []
    if overlap is not None and overlap < MIN_OVERLAP:
        problems.append(f"its brain overlaps with that of T1CE with a Dice of {overlap:.2f}")
    if registration is not None:
        if registration.gain <= 0:
            problems.append("mutual information did not increase")
        cosine = (np.trace(registration.matrix[:3, :3]) - 1) / 2
        degrees = float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
        if degrees > MAX_ROTATION_DEGREES:
            problems.append(f"it was rotated by {degrees:.0f} degrees")
    texts = [f"{title} {_DOUBTFUL}: {text}; look at it" for text in problems]
    if covered < MIN_COVERAGE:
        texts.append(f"{title} shows only {covered:.0%} of the brain")
    return [PreparationWarning(WarningKind.REGISTRATION, text, modality) for text in texts]


def fallen_information(modality: str, before: float, after: float) -> list[PreparationWarning]:
    """A reason to look at a registration that was corrected by hand, if it fits less than before.

    Parameters
    ----------
    modality : str
        Of the sequence.
    before, after : float
        Mutual information with T1CE before and after the correction.
    """
    if after >= before:
        return []
    figures = f"mutual information fell from {before:.2f} to {after:.2f}"
    text = f"{MODALITY_TITLES[modality]} {_DOUBTFUL}: {figures} by the correction; look at it"
    return [PreparationWarning(WarningKind.REGISTRATION_CORRECTION, text, modality)]


def without_registration_warnings(
    warnings: Iterable[PreparationWarning], modality: str, *, fallen: bool = True
) -> list[PreparationWarning]:
    """The warnings that are not about the registration of a sequence.

    Parameters
    ----------
    warnings : iterable of PreparationWarning
    modality : str
        Of the sequence.
    fallen : bool
        Whether to leave out those of `fallen_information`, too.
    """
    kinds = {WarningKind.REGISTRATION}
    if fallen:
        kinds.add(WarningKind.REGISTRATION_CORRECTION)
    return [w for w in warnings if w.modality != modality or w.kind not in kinds]
