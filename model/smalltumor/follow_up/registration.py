"""Rigid registration of a later scan to an earlier one, and whether both show the same head."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import numpy.typing as npt

from smalltumor.data.case import REFERENCE, Case
from smalltumor.data.volume_checks import MAX_INTENSITY, intensity_range_error
from smalltumor.data.volumes.nifti import Volume
from smalltumor.errors import CaseError
from smalltumor.geometry.grid import Affine, Grid
from smalltumor.geometry.resampling import resample
from smalltumor.scanner.preparation.quality import foreground
from smalltumor.scanner.registration.registration import (
    OnIteration,
    coarser_grid,
    register,
    registered_grid,
)

if TYPE_CHECKING:
    from smalltumor.labels.masks import Mask

MIN_SIMILARITY = 0.3
"""Similarity of two scans below which they are not taken for scans of one head."""

_SURE_SIMILARITY = 0.5
"""Similarity from which two scans are not compared with a mirror image. Simulated repeat scans
reached 0.56 to 0.97; seven heads and their own mirror images 0.07 to 0.39."""

_NO_FILE = Path()
_GRID_MM = 2.0
"""Voxel size at which the similarity of registered scans is measured."""

_FINE_MM, _COARSE_MM = 2.0, 6.0


@dataclass(frozen=True)
class ScanRegistration:
    """How a later scan lies to an earlier one.

    Parameters
    ----------
    matrix : (4, 4) float64
        From points of the earlier scan to points of the later one, patient coordinates in mm, RAS.
    similarity : float
        Correlation of the fine structure (gyri, vessels) of T1CE within both brains, -1 to 1; see
        `MIN_SIMILARITY`.
    brain_dice : float
        Dice of both brains.
    """

    matrix: Affine
    similarity: float
    brain_dice: float

    def placed(self, grid: Grid) -> Grid:
        """The grid of the later scan where its voxels lie in the earlier one."""
        return registered_grid(grid, self.matrix)


def register_scans(
    earlier: Case, current: Case, on_iteration: OnIteration | None = None
) -> ScanRegistration:
    """Register the T1CE of a later scan to that of an earlier one.

    Parameters
    ----------
    earlier, current : Case
    on_iteration : callable, optional
        Called at each iteration; an exception that it raises ends the registration.

    Raises
    ------
    MissingPackageError
        If SimpleITK is not installed.
    CaseError
        If both are the same image, they do not show the same head, one of them is mirrored, or a
        grid is sheared.
    """
    registration = measure_registration(earlier, current, on_iteration)
    if not registration.similarity >= _SURE_SIMILARITY:  # which NaN is not either
        _refuse_mirrored(earlier, current, registration, on_iteration)
    if not registration.similarity >= MIN_SIMILARITY:
        raise CaseError(
            f"the earlier scan ({earlier.name}) and the current one ({current.name}) do not seem "
            "to show the same head: after registration, the fine structure of T1CE correlates with "
            f"{registration.similarity:.2f}; scans of one head reach {MIN_SIMILARITY:g} or more"
        )
    return registration


def _refuse_mirrored(
    earlier: Case, current: Case, registration: ScanRegistration, on_iteration: OnIteration | None
) -> None:
    """Refuse a scan whose mirror image is more similar to the other scan than itself."""
    mirror_image = _mirrored(current)
    if earlier.grid.matches(current.grid) and np.array_equal(
        earlier.volumes[REFERENCE], mirror_image.volumes[REFERENCE]
    ):
        similarity = 1.0
    else:
        similarity = measure_registration(earlier, mirror_image, on_iteration).similarity
    if similarity >= MIN_SIMILARITY and not registration.similarity >= similarity:
        raise CaseError(
            f"the earlier scan ({earlier.name}) or the current one ({current.name}) is mirrored: "
            "after registration, the fine structure of T1CE correlates with "
            f"{registration.similarity:.2f}, and with that of the mirror image with "
            f"{similarity:.2f}; check how both images were converted"
        )


def _mirrored(case: Case) -> Case:
    """A case whose T1CE is mirrored along the voxel axis that is nearest to left and right."""
    axis = int(np.argmax(np.abs(case.grid.affine[0, :3])))
    return replace(case, volumes={REFERENCE: np.flip(case.volumes[REFERENCE], axis)})


def measure_registration(
    earlier: Case, current: Case, on_iteration: OnIteration | None = None
) -> ScanRegistration:
    """As `register_scans`, whatever the similarity."""
    fixed, moving = _volume(earlier), _volume(current)
    if fixed.grid.matches(moving.grid) and np.array_equal(fixed.data, moving.data):
        same = earlier.name == current.name
        scans = f"Both scans of {current.name}" if same else f"{earlier.name} and {current.name}"
        raise CaseError(f"{scans} hold the same T1CE image; choose a scan of another day")
    brain, other_brain = _brain(earlier, fixed), _brain(current, moving)
    matrix = register(fixed, moving, brain, on_iteration).matrix
    placed = registered_grid(moving.grid, matrix)
    grid = coarser_grid(fixed.grid, _GRID_MM)
    own = resample(brain, fixed.grid, grid) > 0.5
    other = resample(other_brain, placed, grid) > 0.5
    images = [resample(v.data, g, grid) for v, g in ((fixed, fixed.grid), (moving, placed))]
    both = own & other
    sizes = int(np.count_nonzero(own)) + int(np.count_nonzero(other))
    dice = 2 * int(np.count_nonzero(both)) / max(1, sizes)
    return ScanRegistration(matrix, _similarity(images[0], images[1], both, grid), dice)


def _brain(case: Case, t1ce: Volume) -> Mask:
    """The brain of a scan, where its intensities can be computed with."""
    low, high = float(t1ce.data.min()), float(t1ce.data.max())
    if not max(abs(low), abs(high)) < MAX_INTENSITY:
        raise intensity_range_error(f"T1CE of {case.name}", low, high)
    brain = foreground(t1ce)
    if not brain.any():
        raise CaseError(f"{case.name}: no brain was found in T1CE")
    return brain


def _similarity(
    one: npt.NDArray[np.float32], other: npt.NDArray[np.float32], brain: Mask, grid: Grid
) -> float:
    """Correlation of what is finer than `_COARSE_MM` and coarser than `_FINE_MM`, in the brain."""
    from scipy.ndimage import binary_erosion

    inner = binary_erosion(brain, iterations=2)  # the border of the brain is alike in all heads
    if np.count_nonzero(inner) < 100:
        return 0.0
    fine = [_fine_structure(image, brain, grid)[inner] for image in (one, other)]
    if min(values.std() for values in fine) == 0:
        return 0.0
    return float(np.corrcoef(*fine)[0, 1])


def _fine_structure(
    image: npt.NDArray[np.float32], brain: Mask, grid: Grid
) -> npt.NDArray[np.float32]:
    """The image in the brain less its surroundings, in standard deviations, at most three."""
    from scipy.ndimage import gaussian_filter

    def smooth(mm: float) -> npt.NDArray[np.float32]:
        # Normalised: what is outside the brain does not count.
        sigma = mm / 2 / grid.spacing
        weights = gaussian_filter(brain.astype(np.float32), sigma)
        sums = gaussian_filter(np.where(brain, image, np.float32(0)), sigma)
        return np.asarray(sums / np.maximum(weights, 1e-3), dtype=np.float32)

    difference = smooth(_FINE_MM) - smooth(_COARSE_MM)
    deviation = float(difference[brain].std()) or 1.0
    return np.asarray(np.clip(difference / deviation, -3, 3), dtype=np.float32)


def _volume(case: Case) -> Volume:
    header = case.header or nib.Nifti1Header()
    return Volume(case.volumes[REFERENCE], case.grid, header, case.paths.get(REFERENCE, _NO_FILE))
