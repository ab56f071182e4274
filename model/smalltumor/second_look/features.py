"""What is measured at a candidate, for its score."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from smalltumor.labels.regions import TissueClass
from smalltumor.second_look.coarse_maps import VOXEL_MM, CoarseMaps, Map
from smalltumor.second_look.peaks import Peaks, log_odds

Floats = npt.NDArray[np.float64]

FEATURES = (
    "blob",
    "scale",
    "enhancement",
    "enhancement_around",
    "t1",
    "t1_contrast",
    "flair",
    "flair_around",
    "log_odds_et",
    "log_odds_tumour",
    "log_odds_tumour_around",
    "log_odds_core",
    "brain_around",
    "mm_to_tumour",
    "mm_to_et",
    "tube",
    "sheet",
    "mirrored",
    "off_midline",
    "height",
    "depth",
)
"""Names of the features, in their order."""

REACH = 3
"""Half the edge of the cube around a candidate that is looked at, in map voxels."""

MAX_DISTANCE_MM = 40.0
"""A larger distance to the tumour, or no tumour, counts as this."""

_MIRROR_REACH = 2
_EPSILON = 1e-6


def features_of(maps: CoarseMaps, peaks: Peaks) -> Floats:
    """Measure the features at each peak.

    Parameters
    ----------
    maps : CoarseMaps
    peaks : Peaks

    Returns
    -------
    (n, feature) float64 array
        In the order of `FEATURES`.
    """
    cubes = _Cubes(maps.brain, peaks.voxels)
    enhancement = cubes.values(maps.enhancement)
    t1, flair = cubes.values(maps.t1), cubes.values(maps.flair)
    probabilities = np.stack([cubes.stored(values) for values in maps.probabilities])
    in_tumour = _log_odds(1 - probabilities[TissueClass.BACKGROUND])
    in_core = _log_odds(probabilities[TissueClass.NCR] + probabilities[TissueClass.ET])
    at = tuple(peaks.voxels.T)
    columns = [
        peaks.blob[at],
        peaks.scale[at],
        cubes.centre(enhancement),
        cubes.around(enhancement),
        cubes.centre(t1),
        cubes.centre(t1) - cubes.around(t1),
        cubes.centre(flair),
        cubes.around(flair),
        cubes.highest(log_odds(probabilities)),
        cubes.centre(in_tumour),
        cubes.around(in_tumour),
        cubes.highest(in_core),
        peaks.surroundings[at],
        _distance(peaks.voxels, maps.probabilities[TissueClass.BACKGROUND] < 0.5),
        _distance(peaks.voxels, maps.et),
        *cubes.shape(enhancement),
        _mirrored(maps.brain, peaks),
        *_position(maps.brain, peaks.voxels),
    ]
    return np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)


class _Cubes:
    """The cubes around voxels of the maps.

    Parameters
    ----------
    brain : (l, p, s) float32 array
    voxels : (n, 3) int array
    """

    def __init__(self, brain: Map, voxels: npt.NDArray[np.int64]) -> None:
        span = np.arange(-REACH, REACH + 1)
        self._offsets = np.stack(np.meshgrid(span, span, span, indexing="ij"), -1).reshape(-1, 3)
        distance = np.linalg.norm(self._offsets, axis=1)
        places = voxels[:, None] + self._offsets
        limit = np.array(brain.shape) - 1
        self._inside = np.all((places >= 0) & (places <= limit), axis=2)
        self._places = np.ravel_multi_index(np.moveaxis(places, 2, 0), brain.shape, mode="clip")
        part = self.values(brain) * self._inside
        self._centre = part * np.exp(-0.5 * (distance / 0.8) ** 2)
        self._around = part * ((distance > 2) & (distance <= REACH + 0.5))
        self._middle = part * np.exp(-0.5 * (distance / 1.5) ** 2)
        self._near = distance < 1.8

    def stored(self, volume: Map) -> Map:
        """Values in the cubes as they are stored, (n, cube)."""
        return np.asarray(volume.reshape(-1)[self._places])  # faster than by three indices

    def values(self, volume: Map) -> Floats:
        """Values in the cubes, (n, cube)."""
        return self.stored(volume).astype(np.float64)

    def centre(self, values: Floats) -> Floats:
        """Mean at the centre of each cube, (n,), from values (n, cube)."""
        return _mean(values, self._centre)

    def around(self, values: Floats) -> Floats:
        """Mean of a shell, 4 to 7 mm from the centre of each cube, (n,)."""
        return _mean(values, self._around)

    def highest(self, values: Floats | Map) -> Floats:
        """The largest value within a voxel of the centre of each cube, (n,)."""
        return np.asarray(values[:, self._near].max(axis=1, initial=-np.inf), dtype=np.float64)

    def shape(self, values: Floats) -> tuple[Floats, Floats]:
        """How far the bright part is from a tube and from a sheet: 0 is one, 1 is a ball.

        Ratios of the second to the first, and of the third to the second principal moment.
        """
        above = np.maximum(values - self.around(values)[:, None], 0) * self._middle
        total = above.sum(axis=1) + _EPSILON
        mean = above @ self._offsets / total[:, None]
        centred = self._offsets[None] - mean[:, None]
        moments = np.einsum("nc,nca,ncb->nab", above, centred, centred) / total[:, None, None]
        third, second, first = np.moveaxis(np.linalg.eigvalsh(moments), 1, 0)
        tube = np.sqrt(np.maximum(second, 0) / (first + _EPSILON))
        return tube, np.sqrt(np.maximum(third, 0) / (second + _EPSILON))


def _mean(values: Floats, weights: Floats) -> Floats:
    return np.asarray((values * weights).sum(axis=1) / (weights.sum(axis=1) + _EPSILON))


def _log_odds(probability: Map) -> Floats:
    p = np.clip(probability, 1e-5, 1 - 1e-5)
    return np.asarray(np.log(p / (1 - p)), dtype=np.float64)


def _distance(voxels: npt.NDArray[np.int64], mask: npt.NDArray[np.bool_]) -> Floats:
    """Distance to a mask in mm, at most `MAX_DISTANCE_MM`."""
    from scipy.spatial import cKDTree

    inside = np.argwhere(mask)
    if not len(inside) or not len(voxels):
        return np.full(len(voxels), MAX_DISTANCE_MM)
    tree = cKDTree(inside, balanced_tree=False, compact_nodes=False)  # of many, for a few queries
    distance, _ = tree.query(voxels, distance_upper_bound=MAX_DISTANCE_MM / VOXEL_MM)
    return np.asarray(np.minimum(distance * VOXEL_MM, MAX_DISTANCE_MM))


def _mirrored(brain: Map, peaks: Peaks) -> Floats:
    """The largest blob near the mirrored place: vessels and choroid plexus have a partner."""
    middle = _extent(brain, 0)[0]
    mirrored = peaks.voxels.copy()
    mirrored[:, 0] = np.rint(2 * middle - mirrored[:, 0]).astype(np.int64)
    reach = _MIRROR_REACH
    best = np.zeros(len(mirrored))
    limit = np.array(brain.shape) - 1
    for offset in np.ndindex(*(2 * reach + 1,) * 3):
        places = np.clip(mirrored + np.array(offset) - reach, 0, limit)
        best = np.maximum(best, peaks.blob[tuple(places.T)])
    return best


def _position(brain: Map, voxels: npt.NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Distance from the midline, height, and depth from the front, each relative to the brain."""
    relative: list[Floats] = []
    for axis in range(3):
        middle, half = _extent(brain, axis)
        relative.append(np.asarray((voxels[:, axis] - middle) / half))
    left, posterior, superior = relative
    return np.abs(left), superior, posterior


def _extent(brain: Map, axis: int) -> tuple[float, float]:
    """Middle and half length of the brain along an axis, in map voxels."""
    others = tuple(other for other in range(3) if other != axis)
    hit = np.flatnonzero((brain > 0.5).any(axis=others))
    if not hit.size:
        return brain.shape[axis] / 2, brain.shape[axis] / 2
    return float(hit[0] + hit[-1]) / 2, max(float(hit[-1] - hit[0]) / 2, 1.0)
