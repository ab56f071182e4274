"""Preprocessing: from the images of a case to the network's input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from smalltumor.data.brain.background import Image, replace_nonfinite
from smalltumor.data.brain.background_removal import remove_background
from smalltumor.data.brain.brain_crop import central_voxel, crop_around
from smalltumor.data.naming.case_files import MODALITIES, OPTIONAL_MODALITIES, modality_titles
from smalltumor.data.volume_checks import MAX_INTENSITY, intensity_range_error
from smalltumor.errors import Action, CaseError, CheckpointError, Remedy
from smalltumor.geometry.array_order import empty_fortran_order
from smalltumor.geometry.boxes import Box, overlap

if TYPE_CHECKING:
    from smalltumor.data.case import Case
    from smalltumor.geometry.network_grid import NetworkGrid
    from smalltumor.labels.masks import Mask

PREPROCESSING_VERSION = 5
"""Raised when `preprocess` gives other values for the same images and settings: caches, packs and
scores that come from other values are then recognised."""

_MAX_LEVELS = 2**16
"""Integers that span fewer intensities than this are counted."""

_MAX_VOXELS = 128
"""Limit of `multiple` and `margin`, in voxels."""

_MIN_RELATIVE_STD = 1e-6
"""Smallest standard deviation relative to the largest intensity; less is a constant image."""

_MIN_STD = 1e-30
"""Well within float32, so that squares and reciprocals stay finite."""


@dataclass(frozen=True)
class Preprocessing:
    """How a network's input is prepared, in training and inference; stored in checkpoints.

    Parameters
    ----------
    channels : tuple of str
        Modalities in the network's channel order.
    lower, upper : float
        Percentiles inside the brain that each modality is clipped to. The brain is where any
        modality is above the background.
    multiple : int
        Blocks of this many voxels along each axis divide the volume, so that the centre of
        the brain is in the middle of one; the crop consists of whole blocks.
    margin : int
        Smallest margin around the brain, in voxels; also beyond the end of the image.

    Notes
    -----
    After clipping, each modality has mean 0 and standard deviation 1 inside the brain. Outside it
    is exactly 0, as is the padding.
    """

    channels: tuple[str, ...] = ("flair", "t1ce", "t1", "t2")
    lower: float = 0.2
    upper: float = 99.8
    multiple: int = 16
    margin: int = 4

    def __post_init__(self) -> None:
        if not 0 <= self.lower < self.upper <= 100:
            raise CheckpointError(f"{self.lower} to {self.upper} is not a range of percentiles")
        if any(
            type(n) is not int or not 0 <= n <= _MAX_VOXELS for n in (self.multiple, self.margin)
        ):
            raise CheckpointError(
                f"multiple {self.multiple} and margin {self.margin} are not both whole numbers of "
                f"voxels, at most {_MAX_VOXELS}"
            )
        if self.multiple < 1:
            raise CheckpointError("the multiple of a crop is at least 1 voxel")
        known = set(self.channels) <= set(MODALITIES)
        if not known or not self.channels or len(set(self.channels)) < len(self.channels):
            raise CheckpointError(f"{self.channels} are not distinct modalities")

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values for JSON."""
        return asdict(self) | {"channels": list(self.channels)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocessing:
        """Create from the result of `to_dict`; an unknown or missing field is an error."""
        known = {field.name for field in fields(cls)}
        if set(values) != known:
            raise CheckpointError(
                f"preprocessing has fields {sorted(values)}, but should have {sorted(known)}"
            )
        return cls(**(dict(values) | {"channels": tuple(values["channels"])}))


@dataclass(frozen=True)
class NetworkInput:
    """The network's input of a case: normalised, cropped to the brain, padded.

    Parameters
    ----------
    array : (channel, l, p, s) float32 array
        The size along each axis is a multiple of ``Preprocessing.multiple``.
    start : (3,) int
        First voxel of the array on the network's grid; may be negative.
    network_grid : NetworkGrid
        The array may extend beyond its ends, where it is 0.
    """

    array: npt.NDArray[np.float32]
    start: tuple[int, int, int]
    network_grid: NetworkGrid

    @property
    def overlap(self) -> tuple[Box, Box]:
        """The voxels of the array that are on the network's grid, in the array and on the grid."""
        return overlap(self.start, self.array.shape[1:], self.network_grid.grid.shape)

    def crop(self, volume: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Crop a volume (l, p, s) on the network's grid to the array's voxels, padded with 0."""
        result = np.zeros(self.array.shape[1:], dtype=volume.dtype)
        target, source = self.overlap
        result[target] = volume[source]
        return result


def preprocess(
    case: Case, preprocessing: Preprocessing, *, allow_missing: bool = False
) -> NetworkInput:
    """Transform a case to the network's grid, normalise it, and crop it to the brain.

    Parameters
    ----------
    case : Case
    preprocessing : Preprocessing
    allow_missing : bool
        Whether the case may lack `OPTIONAL_MODALITIES`. The channel of a missing modality is 0
        everywhere, as in training with modality dropout.

    Returns
    -------
    NetworkInput

    Raises
    ------
    CaseError
        If a modality is missing, empty or constant, or has NaN or infinite voxels in the brain; if
        the field of view cannot be that of a head.
    """
    from smalltumor.geometry.field_of_view import check_field_of_view

    _check_modalities(case, preprocessing, allow_missing)
    check_field_of_view(case.grid)
    present = [m for m in preprocessing.channels if m in case.volumes]
    names = {m: str(case.paths.get(m, f"{case.name} {m}")) for m in present}
    with ThreadPoolExecutor(len(preprocessing.channels)) as pool:
        usable = pool.map(_usable, (case.volumes[m] for m in present), names.values())
        images = remove_background(dict(zip(present, usable, strict=True)), case.coarse.of(present))
        network_grid = _network_grid(case, images)
        volumes = dict(zip(present, map(network_grid.volume_to_network, images), strict=True))
        brain = _united(pool.map(_brain_mask, volumes.values()))
        start, shape = crop_around(brain, preprocessing.multiple, preprocessing.margin)
        array = empty_fortran_order((len(preprocessing.channels), *shape))
        ready = NetworkInput(array, start, network_grid)
        target, source = ready.overlap
        brain = brain[source]

        def fill(channel: int, modality: str) -> None:
            array[channel] = 0
            if modality in volumes:
                image, result = volumes[modality][source], array[(channel, *target)]
                _normalise(image, brain, result, preprocessing, names[modality])

        list(pool.map(fill, range(len(array)), preprocessing.channels))
    return ready


def _check_modalities(case: Case, preprocessing: Preprocessing, allow_missing: bool) -> None:
    channels = preprocessing.channels
    missing = tuple(m for m in channels if m not in case.volumes)
    indispensable = [m for m in missing if m not in OPTIONAL_MODALITIES]
    if indispensable or len(missing) == len(channels):
        raise CaseError(f"{case.name} has no {modality_titles(indispensable or missing)}")
    if missing and not allow_missing:
        raise CaseError(
            f"{case.name} has no {modality_titles(missing)}, which these weights need",
            Remedy(Action.CHOOSE_WEIGHTS, modalities=missing),
        )


def _network_grid(case: Case, images: Iterable[Image]) -> NetworkGrid:
    """The network's grid of a case; a resampled one is anchored in the centre of the brain."""
    from smalltumor.geometry.network_grid import network_grid_of

    network_grid = network_grid_of(case.grid)
    if network_grid.lossless:
        return network_grid
    return network_grid_of(case.grid, central_voxel(_united(map(_brain_mask, images))))


def _usable(image: Image, name: str) -> Image:
    """The image without NaN and infinite voxels in its background; an error if it is constant."""
    image = replace_nonfinite(image, name)
    lowest, highest = image.min(), image.max()
    if lowest == highest:
        what = "is empty: every voxel is zero" if lowest == 0 else "is the same in every voxel"
        raise CaseError(f"{name} {what}")
    return image


def _brain_mask(volume: Image) -> Mask:
    return np.asarray(np.greater(volume, 0))


def _united(masks: Iterable[Mask]) -> Mask:
    # One by one: np.any over the stacked masks takes twenty times as long.
    first, *others = masks
    for mask in others:
        first |= mask
    return first


def _normalise(
    image: Image,
    brain: Mask,
    result: npt.NDArray[np.float32],
    preprocessing: Preprocessing,
    name: str,
) -> None:
    """Clip and standardise the image inside the brain, into `result`; the rest is unchanged."""
    # The first axis is contiguous in memory, so indexing the transposed array is four times as
    # fast.
    brain_values = image.T[brain.T]
    with np.errstate(over="ignore"):  # overflowing percentiles are refused below
        low, high, mean, std = _statistics(brain_values, preprocessing)
        values = brain_values.astype(np.float32)
    if std <= _MIN_RELATIVE_STD * max(abs(low), abs(high)):
        raise CaseError(f"{name} is the same in (almost) every voxel of the brain")
    if not (std > _MIN_STD and max(abs(low), abs(high)) < MAX_INTENSITY):
        raise intensity_range_error(name, low, high)
    np.clip(values, np.float32(low), np.float32(high), out=values)
    values -= np.float32(mean)
    values *= np.float32(1 / std)
    result.T[brain.T] = values


def _statistics(values: Image, preprocessing: Preprocessing) -> tuple[float, float, float, float]:
    """Lower and upper percentile, and mean and standard deviation of the values clipped at them.

    Integers are counted first, because 1.5 million voxels have only a few thousand levels.
    """
    ranks = np.array([preprocessing.lower, preprocessing.upper]) / 100 * (len(values) - 1)
    levels, counts = _levels(values)
    if counts is None:
        needed = np.unique([np.floor(ranks), np.ceil(ranks)]).astype(np.intp)
        partitioned = np.partition(levels, needed)
        low, high = _interpolate(ranks, lambda rank: partitioned[rank])
        clipped = np.clip(levels, low, high)
        return low, high, float(clipped.mean()), float(clipped.std())
    cumulative = counts.cumsum()
    low, high = _interpolate(
        ranks, lambda rank: levels[np.searchsorted(cumulative, rank, side="right")]
    )
    clipped = np.clip(levels, low, high)
    mean = float(np.average(clipped, weights=counts))
    return low, high, mean, float(np.sqrt(np.average((clipped - mean) ** 2, weights=counts)))


def _levels(values: Image) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp] | None]:
    """Distinct values with their counts, or all values and None if they cannot be counted."""
    if values.dtype.kind in "iu":
        lowest = int(values.min())
        if int(values.max()) - lowest < _MAX_LEVELS:
            if 0 <= lowest < _MAX_LEVELS and values.dtype.itemsize < 8:  # without a copy
                counts = np.bincount(values)[lowest:]
            else:
                counts = np.bincount(values.astype(np.intp) - lowest)
            return np.arange(lowest, lowest + len(counts), dtype=np.float64), counts
    return values.astype(np.float64), None


def _interpolate(
    ranks: npt.NDArray[np.float64],
    value_at: Callable[[npt.NDArray[np.intp]], npt.NDArray[np.float64]],
) -> tuple[float, float]:
    """The values at two fractional ranks, as `numpy.percentile` interpolates them."""
    floor = np.floor(ranks).astype(np.intp)
    below, above = value_at(floor), value_at(np.ceil(ranks).astype(np.intp))
    low, high = below + (above - below) * (ranks - floor)
    return float(low), float(high)
