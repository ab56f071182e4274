"""Rigid registration of a sequence to T1CE.

Mattes mutual information (Mattes et al. 2003, doi 10.1109/TMI.2003.809072), maximised by gradient
descent with SimpleITK: of the head at first, then of the brain at finer resolution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from smalltumor.data.volumes.nifti import Volume
from smalltumor.geometry.grid import Affine, Grid
from smalltumor.geometry.resampling import resample
from smalltumor.scanner.registration.sitk_images import matrix_of, simpleitk, to_sitk, transform_of

if TYPE_CHECKING:
    from smalltumor.labels.masks import Mask

HEAD_LEVELS_MM = (8.0, 4.0)
BRAIN_LEVELS_MM = (4.0, 2.0)
"""Smallest voxel sizes of the resolutions at which head and brain are registered."""

MIN_DISPLACEMENT_MM = 0.5
"""Displacement of the brain below which images on one grid are left as they are."""

_BRAIN_MARGIN_MM = 6.0
"""Distance to the brain up to which voxels count in its registration."""

_BINS = 32
"""Bins of the histograms of Mattes mutual information."""

_SEED = 20
_MAX_SAMPLES = 100_000
"""Voxels of a level from which mutual information is computed, at most."""

_ITERATIONS = 80

OnIteration = Callable[[], None]


@dataclass(frozen=True)
class Registration:
    """How a sequence lies to T1CE.

    Parameters
    ----------
    matrix : (4, 4) float64
        From points of T1CE to points of the sequence, patient coordinates in mm, RAS.
    displacement_mm : float
        Largest displacement within the brain.
    information_before, information_after : float
        Mattes mutual information within the brain.
    """

    matrix: Affine
    displacement_mm: float
    information_before: float
    information_after: float

    @property
    def gain(self) -> float:
        """Gain of mutual information."""
        return self.information_after - self.information_before


def registered_grid(grid: Grid, matrix: Affine) -> Grid:
    """The grid of a sequence where its voxels lie in T1CE: the voxels are not resampled."""
    return Grid(grid.shape, np.linalg.inv(matrix) @ grid.affine)


def on_grid(volume: Volume, placed: Grid, grid: Grid) -> npt.NDArray[np.generic]:
    """The voxels of a sequence on the grid of T1CE, resampled unless they lie on it.

    Parameters
    ----------
    volume : Volume
    placed : Grid
        Its grid where its voxels lie in T1CE, see `registered_grid`.
    grid : Grid
        Of T1CE.
    """
    return volume.data if placed.matches(grid) else resample(volume.data, placed, grid)


def register(
    fixed: Volume, moving: Volume, brain: Mask, on_iteration: OnIteration | None = None
) -> Registration:
    """Register a sequence to T1CE.

    Parameters
    ----------
    fixed : Volume
        T1CE.
    moving : Volume
        The sequence.
    brain : (i, j, k) bool array
        Brain of T1CE, on its grid.
    on_iteration : callable, optional
        Called at each iteration; an exception that it raises ends the registration.

    Returns
    -------
    Registration

    Raises
    ------
    MissingPackageError
        If SimpleITK is not installed.
    CaseError
        If a grid is sheared.
    """
    transform = simpleitk().Euler3DTransform()
    transform.SetCenter([float(x) for x in _centre(brain, fixed.grid) * (-1, -1, 1)])
    head = [_Level(fixed, moving, size, None) for size in HEAD_LEVELS_MM]
    in_brain = [_Level(fixed, moving, size, brain) for size in BRAIN_LEVELS_MM]
    start = _best_start(head[0], transform)
    before = in_brain[-1].information(transform)
    for level in (*head, *in_brain):
        start = level.optimise(start, on_iteration)
    matrix = matrix_of(start)
    after = in_brain[-1].information(start)
    if after < before:  # the descent left the better pose, which was the original one
        matrix, after = np.eye(4), before
    return Registration(matrix, displacement(matrix, brain, fixed.grid), before, after)


def mutual_information(fixed: Volume, moving: Volume, brain: Mask, matrix: Affine) -> float:
    """Mattes mutual information within the brain, at the finest resolution of `register`.

    Parameters and errors as for `register`; `matrix` is that of a `Registration`.
    """
    level = _Level(fixed, moving, BRAIN_LEVELS_MM[-1], brain)
    return level.information(transform_of(matrix))


def displacement(matrix: Affine, brain: Mask, grid: Grid) -> float:
    """Largest displacement by a transform in mm, at the corners of the brain's box.

    Parameters
    ----------
    matrix : (4, 4) float64
        Of patient coordinates in mm.
    brain : (i, j, k) bool array on `grid`
    grid : Grid
    """
    from scipy import ndimage

    (box,) = ndimage.find_objects(brain.astype(np.uint8))
    ends = np.array([(span.start, span.stop - 1) for span in box])
    corners = grid.to_patient(np.stack(np.meshgrid(*ends), axis=-1).reshape(-1, 3))
    moved = corners @ matrix[:3, :3].T + matrix[:3, 3]
    return float(np.linalg.norm(moved - corners, axis=1).max())


class _Level:
    """Both images at one resolution, and the metric between them."""

    def __init__(self, fixed: Volume, moving: Volume, size_mm: float, brain: Mask | None) -> None:
        self._sitk = simpleitk()
        grid = coarser_grid(fixed.grid, size_mm)
        self.fixed = to_sitk(resample(fixed.data, fixed.grid, grid), grid)
        coarse = coarser_grid(moving.grid, size_mm)
        self.moving = to_sitk(resample(moving.data, moving.grid, coarse), coarse)
        self._count = int(np.prod(grid.shape))
        self._mask = None
        if brain is not None:
            mask = _dilated(resample(brain, fixed.grid, grid) > 0.5, grid)
            self._mask, self._count = to_sitk(mask, grid), int(np.count_nonzero(mask))

    def information(self, transform: Any) -> float:
        """Mattes mutual information of both images; 0 where they do not overlap."""
        method = self._method()
        method.SetInitialTransform(transform, inPlace=False)
        try:
            return -float(method.MetricEvaluate(self.fixed, self.moving))
        except RuntimeError:  # too few of the samples lie in the other image
            return 0.0

    def optimise(self, start: Any, on_iteration: OnIteration | None) -> Any:
        """The rigid transform at a maximum of the mutual information."""
        sitk = self._sitk
        method = self._method()
        method.SetOptimizerAsRegularStepGradientDescent(
            learningRate=1.0,
            minStep=0.005,
            numberOfIterations=_ITERATIONS,
            relaxationFactor=0.6,
            gradientMagnitudeTolerance=1e-5,
        )
        method.SetOptimizerScalesFromPhysicalShift()
        transform = sitk.Euler3DTransform(start)
        method.SetInitialTransform(transform, inPlace=True)
        failure: list[BaseException] = []

        def check() -> None:
            try:
                if on_iteration is not None:
                    on_iteration()
            except BaseException as error:  # SimpleITK would make a RuntimeError of it
                failure.append(error)
                method.StopRegistration()

        method.AddCommand(sitk.sitkIterationEvent, check)
        try:
            method.Execute(self.fixed, self.moving)
        except RuntimeError:
            if not failure:
                return start  # the images do not overlap enough: the caller's figures tell
        if failure:
            raise failure[0]
        return transform

    def _method(self) -> Any:
        sitk = self._sitk
        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=_BINS)
        method.SetInterpolator(sitk.sitkLinear)
        # By default gradients are smoothed over the thickness of a slice: the descent then ends
        # 2 mm beside the maximum.
        method.MetricUseFixedImageGradientFilterOff()
        method.MetricUseMovingImageGradientFilterOff()
        if self._mask is not None:
            method.SetMetricFixedMask(self._mask)
        if self._count > _MAX_SAMPLES:
            method.SetMetricSamplingStrategy(method.RANDOM)
            size = self.fixed.GetNumberOfPixels()
            inside = self._count / size
            method.SetMetricSamplingPercentage(min(1.0, _MAX_SAMPLES / size / inside), _SEED)
        return method


def _best_start(level: _Level, identity: Any) -> Any:
    """The scanner's own coordinates, or the centres of both heads one upon the other."""
    sitk = simpleitk()
    starts: Sequence[Any] = [identity]
    for kind in (
        sitk.CenteredTransformInitializerFilter.MOMENTS,
        sitk.CenteredTransformInitializerFilter.GEOMETRY,
    ):
        centred = sitk.CenteredTransformInitializer(
            level.fixed, level.moving, sitk.Euler3DTransform(), kind
        )
        start = sitk.Euler3DTransform(identity)
        start.SetTranslation(centred.GetTranslation())
        starts = [*starts, start]
    return max(starts, key=level.information)


def coarser_grid(grid: Grid, size_mm: float) -> Grid:
    """A grid along the same axes whose voxels have at least this size."""
    factors = np.maximum(1.0, size_mm / grid.spacing)
    shape = [max(1, int(np.floor(n / f))) for n, f in zip(grid.shape, factors, strict=True)]
    factors = np.array(grid.shape) / shape
    scale = np.diag([*factors, 1.0])
    scale[:3, 3] = (factors - 1) / 2  # the outer faces stay in place
    return Grid((shape[0], shape[1], shape[2]), grid.affine @ scale)


def _dilated(mask: Mask, grid: Grid) -> Mask:
    from scipy import ndimage

    distance = ndimage.distance_transform_edt(~mask, sampling=grid.spacing)
    return np.asarray(distance <= _BRAIN_MARGIN_MM)


def _centre(brain: Mask, grid: Grid) -> Affine:
    return grid.to_patient(np.argwhere(brain).mean(axis=0))
