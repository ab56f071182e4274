"""What the search for candidates looks at: maps of a case with voxels of 2 mm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from smalltumor.data.brain.background_removal import remove_background
from smalltumor.data.probabilities.network_output import HalfResolutionLogits, softmax
from smalltumor.geometry.boxes import bounding_box, overlap
from smalltumor.geometry.network_grid import NetworkGrid, network_grid_of
from smalltumor.labels.regions import TissueClass
from smalltumor.second_look.et_of_mask import et_of_mask

if TYPE_CHECKING:
    from smalltumor.data.case import Case
    from smalltumor.data.probabilities.cropped import CroppedProbabilities
    from smalltumor.labels.masks import Classes, Mask

Map = npt.NDArray[np.float32]

VOXEL_MM = 2.0
"""Voxel size of the maps: twice that of the network's grid."""

REQUIRED = ("t1ce", "t1")
"""Modalities without which enhancement cannot be told from bright tissue."""

_NORMAL = 0.95
"""Least probability of background, and least part of brain, of normal-appearing brain."""

_OUTLIER = 2.5
"""Residuals beyond this many standard deviations do not count in the second fit."""

_MIN_SHARE, _MIN_VOXELS = 0.1, 100
"""Least part of the brain, and least number of voxels of the maps, that are normal."""


@dataclass(frozen=True)
class CoarseMaps:
    """Maps (l, p, s) of the crop around the brain, at half the resolution of the network's grid.

    Parameters
    ----------
    enhancement : float32 array
        T1CE minus the T1CE that T1 predicts, ``t1ce - (slope * t1 + offset)``, in standard
        deviations of normal-appearing brain; 0 outside the brain.
    slope : float
        T1CE per T1 in normal-appearing brain.
    deviation : float
        The standard deviation that `enhancement` is in units of, in units of T1CE.
    t1, flair : float32 array
        In standard deviations from the mean of normal-appearing brain; 0 outside the brain, and
        everywhere in a modality that the case lacks.
    brain : float32 array
        Part of each voxel that is in the brain, 0 to 1.
    probabilities : (class, l, p, s) float32 array
        Of a mask without probabilities, the part of each voxel that each class has.
    et : bool array
        Enhancing tumour of the mask.
    start : (3,) int
        First voxel of the crop on the network's grid; may be negative.
    network_grid : NetworkGrid
    """

    enhancement: Map
    slope: float
    deviation: float
    t1: Map
    flair: Map
    brain: Map
    probabilities: Map
    et: Mask
    start: tuple[int, int, int]
    network_grid: NetworkGrid

    def to_network(self, voxels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Indices of map voxels (n, 3) on the network's grid; those of their centres."""
        return np.asarray(2.0 * voxels + 0.5 + np.array(self.start))

    def to_source(self, voxels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Indices of map voxels (n, 3) on the case's grid, not rounded."""
        transform = self.network_grid.network_to_source
        return np.asarray(self.to_network(voxels) @ transform[:3, :3].T + transform[:3, 3])

    def from_source(self, voxels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """The inverse of `to_source`."""
        transform = self.network_grid.source_to_network
        on_network = voxels @ transform[:3, :3].T + transform[:3, 3]
        return np.asarray((on_network - np.array(self.start) - 0.5) / 2)


def coarse_maps(case: Case, cropped: CroppedProbabilities) -> CoarseMaps | None:
    """Compute the maps of a case from its images and the network's output.

    Parameters
    ----------
    case : Case
    cropped : CroppedProbabilities
        Of the same case.

    Returns
    -------
    CoarseMaps or None
        None if T1CE or T1 is missing, or there is too little brain.
    """
    if not _has_images(case):
        return None
    probabilities = _probabilities(cropped)
    et = et_of_mask(probabilities, cropped.output)
    return _maps(case, cropped.network_grid, cropped.start, probabilities, et)


def maps_beside(case: Case, classes: Classes) -> CoarseMaps | None:
    """Compute the maps of a case from its images and a mask, where no probabilities are known.

    Parameters
    ----------
    case : Case
    classes : (i, j, k) uint8 array
        Tissue classes on the case's grid.

    Returns
    -------
    CoarseMaps or None
        As for `coarse_maps`.
    """
    if not _has_images(case):
        return None
    network_grid = network_grid_of(case.grid)
    box = bounding_box(network_grid.volume_to_network(case.volumes["t1ce"]) != 0)
    start = (box[0].start, box[1].start, box[2].start)
    shape = tuple(span.stop - span.start + (span.stop - span.start) % 2 for span in box)
    labels = network_grid.labels_to_network(classes)
    parts = [halve(_crop(labels == int(tissue), start, shape)) for tissue in TissueClass]
    return _maps(case, network_grid, start, np.stack(parts), parts[TissueClass.ET] > 0)


def _has_images(case: Case) -> bool:
    present = set(REQUIRED) <= case.volumes.keys()
    return present and set(REQUIRED) <= set(case.finite)


def _maps(
    case: Case,
    network_grid: NetworkGrid,
    start: tuple[int, int, int],
    probabilities: Map,
    et: Mask,
) -> CoarseMaps | None:
    """The maps of a crop that begins at a voxel of the network's grid."""
    coarse, brain = _coarse_images(case, network_grid, start, probabilities.shape[1:])
    normal = _normal_brain(brain, probabilities)
    if normal is None:
        return None
    fit = _regression(coarse["t1"][normal], coarse["t1ce"][normal])
    if fit is None:
        return None
    slope, offset, deviation = fit
    enhancement = coarse["t1ce"] - slope * coarse["t1"] - offset * brain
    return CoarseMaps(
        enhancement=_within(enhancement / deviation, brain),
        slope=slope,
        deviation=deviation,
        t1=_standardised(coarse["t1"], brain, normal),
        flair=_standardised(coarse["flair"], brain, normal)
        if "flair" in coarse
        else np.zeros_like(brain),
        brain=brain,
        probabilities=probabilities,
        et=et,
        start=start,
        network_grid=network_grid,
    )


def _coarse_images(
    case: Case, network_grid: NetworkGrid, start: tuple[int, int, int], shape: tuple[int, ...]
) -> tuple[dict[str, Map], Map]:
    """The images of a crop with maps of a shape, by modality, and the part that is brain."""
    names = [name for name in ("t1ce", "t1", "flair") if name in case.finite]
    images = remove_background({name: case.volumes[name] for name in names}, case.coarse.of(names))
    coarse: dict[str, Map] = {}
    inside = np.zeros([2 * n for n in shape], dtype=bool, order="F")
    for name, image in zip(names, images, strict=True):
        volume = _crop(network_grid.volume_to_network(image), start, inside.shape)
        inside |= volume > 0
        coarse[name] = halve(volume)
    return coarse, halve(inside)


def _normal_brain(brain: Map, probabilities: Map) -> Mask | None:
    """Voxels of normal-appearing brain; None if there are too few."""
    whole = brain > _NORMAL
    normal = whole & (probabilities[0] > _NORMAL)
    if np.count_nonzero(normal) < _MIN_SHARE * np.count_nonzero(whole):
        normal = whole  # an untrained network, or one that is lost
    return normal if np.count_nonzero(normal) >= _MIN_VOXELS else None


def halve(volume: npt.NDArray[Any]) -> Map:
    """Mean over cubes of 2 x 2 x 2 voxels of a volume (l, p, s) of an even shape, float32."""
    total = _sums_of_integers(volume) if _is_small_integer(volume) else _sums(volume)
    total /= 8
    return np.ascontiguousarray(total)


def _sums(volume: npt.NDArray[Any]) -> Map:
    total = np.zeros([n // 2 for n in volume.shape], dtype=np.float32, order="F")
    for i, j, k in np.ndindex(2, 2, 2):
        total += volume[i::2, j::2, k::2]
    return total


def _sums_of_integers(volume: npt.NDArray[Any]) -> Map:
    """The same sums, which are exact in float32 and so the same in any order.

    Two planes at a time stay in the processor's cache. Images are in Fortran order, so that every
    other voxel is taken only of their sum, in which rows were added before.
    """
    total = np.zeros([n // 2 for n in volume.shape], dtype=np.float32, order="F")
    for k in range(total.shape[2]):
        plane = volume[:, :, 2 * k].astype(np.float32)
        plane += volume[:, :, 2 * k + 1]
        rows = plane[:, ::2] + plane[:, 1::2]
        np.add(rows[::2], rows[1::2], out=total[:, :, k])
    return total


def _is_small_integer(volume: npt.NDArray[Any]) -> bool:
    return volume.dtype.kind in "biu" and volume.dtype.itemsize <= 2


def _probabilities(cropped: CroppedProbabilities) -> Map:
    """Class probabilities at half resolution."""
    output = cropped.output
    if isinstance(output, HalfResolutionLogits):
        logits = np.array(output.logits, dtype=np.float32, order="C")
        return softmax(logits)
    values = output.probabilities()
    shape = tuple(-(-n // 2) for n in values.shape[1:])
    padded = [_crop(v, (0, 0, 0), tuple(2 * n for n in shape)) for v in values]
    return np.stack([halve(v) for v in padded])


def _crop(
    volume: npt.NDArray[Any], start: tuple[int, ...], shape: tuple[int, ...]
) -> npt.NDArray[Any]:
    """A box of a volume, filled with zeros beyond it.

    float32 in Fortran order as images; a view of small integers if it lies within the volume.
    """
    in_box, in_volume = overlap(start, shape, volume.shape)
    part, integers = volume[in_volume], _is_small_integer(volume)
    if integers and part.shape == tuple(shape):
        return part
    result = np.zeros(shape, dtype=volume.dtype if integers else np.float32, order="F")
    result[in_box] = part
    return result


def _regression(x: Map, y: Map) -> tuple[float, float, float] | None:
    """Slope, intercept and standard deviation of y over x, fitted twice, without outliers."""
    keep = np.ones(x.shape, dtype=bool)
    slope = offset = deviation = 0.0
    for _ in range(2):
        kept_x, kept_y = x[keep], y[keep]
        mean_x, mean_y = float(kept_x.mean()), float(kept_y.mean())
        variance = float(np.mean((kept_x - mean_x) ** 2))
        if variance <= 0:
            return None
        slope = float(np.mean((kept_x - mean_x) * (kept_y - mean_y))) / variance
        offset = mean_y - slope * mean_x
        residual = y - slope * x - offset
        deviation = float(residual[keep].std())
        if deviation <= 0:
            return None
        keep = np.abs(residual) < _OUTLIER * deviation
    return slope, offset, deviation


def _standardised(image: Map, brain: Map, normal: Mask) -> Map:
    values = image[normal]
    deviation = float(values.std()) or 1.0
    scaled = (image - np.float32(values.mean()) * brain) / np.float32(deviation)
    return _within(scaled.astype(np.float32, copy=False), brain)


def _within(image: Map, brain: Map) -> Map:
    return np.where(brain > 0, image, np.float32(0)).astype(np.float32, copy=False)
