"""The background of an image: the values of its voxels outside the brain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.errors import CaseError
from smalltumor.geometry.boxes import Box, bounding_box

if TYPE_CHECKING:
    from smalltumor.labels.masks import Mask

Image = npt.NDArray[np.generic]

_CONSTANT_SHARE = 0.25
"""Share of the outermost voxels that have one value, if this value is background."""

_FACE_SAMPLES = 48
"""Voxels on a face that are looked at, along each axis; up to twice as many if it has them."""

_MAX_LEVELS = 3
"""Constants one around another that are looked for."""

_NOISE_DEVIATIONS = 6.0
"""Deviations of up to this many standard deviations of the background are noise; by chance, less
than one voxel of a volume exceeds them."""

_FAINT = 0.1
"""Share of a high deviation from the background that voxels of the brain exceed."""

_ONE_SIDED = 0.1
"""Sum of the deviations below the background, as a share of the sum above it, up to which they are
ringing and the brain is above the background."""


class NonfiniteImageError(CaseError):
    """An image has NaN or infinite voxels in the brain."""


@dataclass(frozen=True)
class Background:
    """The background of one image.

    Parameters
    ----------
    levels : tuple of float
        Values outside the brain: that next to it, then those of padding; empty if the brain fills
        the volume.
    noise : float
        Largest deviation from the level that is noise; 0 if the levels are constants.
    contrast : float
        Median deviation of the brain from the first level.
    one_sided : bool
        Whether the brain is above the first level.
    """

    levels: tuple[float, ...]
    noise: float = 0.0
    contrast: float = 0.0
    one_sided: bool = True

    def differs(self, image: Image) -> Mask:
        """Voxels (i, j, k) that differ from the background by more than its noise."""
        if not self.levels:
            return np.ones(image.shape, dtype=bool)
        if self.noise:
            return np.asarray(np.abs(_deviation(image, self.levels[0])) > self.noise)
        differs = image != image.dtype.type(self.levels[0])
        for level in self.levels[1:]:
            differs &= image != image.dtype.type(level)
        return np.asarray(differs)

    def exceeds(self, image: Image, share: float) -> Mask:
        """Voxels (i, j, k) that differ by more than noise and a share of the brain's contrast."""
        if not self.levels:
            return np.ones(image.shape, dtype=bool)
        with np.errstate(over="ignore"):
            threshold = np.float32(max(share * self.contrast, self.noise))
        deviation = _deviation(image, self.levels[0])
        exceeds = (deviation if self.one_sided else np.abs(deviation)) > threshold
        for level in self.levels[1:]:
            exceeds &= image != image.dtype.type(level)
        return np.asarray(exceeds)


@dataclass(frozen=True)
class Surroundings:
    """The constants around what an image shows, and the box of what they enclose.

    Parameters
    ----------
    levels : tuple of float
        Those on the faces of the box first, then those of padding; empty if the outermost voxels
        have no constant.
    box : three slices
        The smallest that contains every voxel of another value: the whole volume if there are no
        levels, empty if all voxels have one of them.
    """

    levels: tuple[float, ...]
    box: Box


def surroundings(image: Image) -> Surroundings:
    """Find the constants of the outermost voxels of an image, and what they enclose.

    Padding around a background of another constant is recognised as well: what it encloses has
    outermost voxels of its own. However many planes of such constants are added or cropped, the
    box has the same voxels.

    Parameters
    ----------
    image : (i, j, k) array
        Finite values.
    """
    levels: tuple[float, ...] = ()
    start, part = np.zeros(3, dtype=int), image
    for _ in range(_MAX_LEVELS):
        inner = _constants(_faces(part, _FACE_SAMPLES)) if part.size else ()
        if not inner or set(inner) <= set(levels):
            levels = inner + tuple(level for level in levels if level not in inner)
            break
        levels = inner + tuple(level for level in levels if level not in inner)
        box = bounding_box(Background(levels).differs(part))
        start += [span.start for span in box]
        part = part[box]
    i, j, k = (slice(int(n), int(n) + size) for n, size in zip(start, part.shape, strict=True))
    return Surroundings(levels, (i, j, k))


def estimate_background(image: Image, levels: tuple[float, ...], coarse: Image) -> Background:
    """Estimate the background of an image.

    Parameters
    ----------
    image : (i, j, k) array
        Finite values.
    levels : tuple of float
        Its constants, see `surroundings`. Without any, the outermost voxels are noise or brain.
    coarse : (i, j, k) array
        Every n-th voxel of the image, or of a box that contains what the levels enclose.
    """
    noise = 0.0
    if not levels:
        values = _faces(image, _FACE_SAMPLES).astype(np.float64)
        centre = float(np.median(values))
        noise = _NOISE_DEVIATIONS * 1.4826 * float(np.median(np.abs(values - centre)))
        if not noise < np.percentile(coarse.astype(np.float64), 95) - centre:
            return Background(())
        levels = (centre,)
    unpadded = coarse[Background(levels[1:]).differs(coarse)] if levels[1:] else coarse
    deviation = unpadded.astype(np.float64) - levels[0]
    size = np.abs(deviation)
    large = size > _FAINT * np.percentile(size, 98) if size.size else size > 0
    contrast = float(np.median(size[large])) if large.any() else 0.0
    above, below = deviation[deviation > noise].sum(), -deviation[deviation < -noise].sum()
    return Background(levels, noise, contrast, bool(below <= _ONE_SIDED * above))


def replace_nonfinite(image: Image, name: str) -> Image:
    """Replace NaN and infinite voxels outside the brain by the background.

    Parameters
    ----------
    image : (i, j, k) array
    name : str
        What an error calls the image.

    Returns
    -------
    (i, j, k) array
        The image itself if all its values are finite.

    Raises
    ------
    NonfiniteImageError
        If the brain encloses such voxels, or there are no others.
    """
    if is_finite(image):
        return image
    finite = np.isfinite(image)
    outermost = _faces(image)
    outermost = outermost[np.isfinite(outermost)]
    constants = _constants(outermost) if outermost.size else ()
    if constants:
        brain = finite & Background(constants).differs(image)
        level = constants[0]
    else:
        brain = finite
        level = float(image[finite].min()) if finite.any() else np.nan
    if not brain.any() or (fill_holes(brain) & ~finite).any():
        raise NonfiniteImageError(f"{name} has NaN or infinite voxels; replace them first")
    return np.where(finite, image, image.dtype.type(level))


def is_finite(image: Image) -> bool:
    """Whether no voxel is NaN or infinite."""
    return image.dtype.kind != "f" or bool(np.isfinite(image.min()) and np.isfinite(image.max()))


def fill_holes(mask: Mask) -> Mask:
    """A mask (i, j, k) with what it encloses; voxels are neighbours if they share a face."""
    from scipy import ndimage

    if not mask.any():
        return mask.copy()
    box = bounding_box(mask)
    labels, _ = ndimage.label(~mask[box])
    outside = np.unique(_faces(labels)).astype(int)
    filled = np.zeros_like(mask)
    filled[box] = ~np.isin(labels, outside[outside > 0])
    return filled


def _deviation(image: Image, level: float) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):  # what float32 cannot hold is refused when normalising
        return image.astype(np.float32) - np.float32(level)


def _faces(image: Image, samples: int | None = None) -> Image:
    """Voxels on the six faces of a volume; about `samples` of them along each axis."""
    steps = [slice(None, None, max(1, n // (samples or n or 1))) for n in image.shape]
    faces = []
    for axis in range(3):
        for end in (0, -1):
            index: list[slice | int] = list(steps)
            index[axis] = end
            faces.append(image[tuple(index)].ravel())
    return np.concatenate(faces)


def _constants(values: Image) -> tuple[float, ...]:
    """Values of at least `_CONSTANT_SHARE` of all, the most frequent first."""
    found, counts = np.unique(values, return_counts=True)
    frequent = np.flatnonzero(counts >= _CONSTANT_SHARE * values.size)
    return tuple(float(found[n]) for n in frequent[np.argsort(-counts[frequent])])
