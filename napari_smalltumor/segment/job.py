"""Segmentation of one case, as a function without Qt and layers that a worker can call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import Case
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region

from napari_smalltumor.layers.region_masks import display_mask

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class JobResult:
    """A segmentation with what the dock shows about it.

    Parameters
    ----------
    segmentation : Segmentation
    masks : mapping of Region to (I, P, L) uint8 array
        Computed in the worker, so that the window need not wait for them.
    volumes_ml : mapping of Region to float
    lesions, small : int
        Number of ET components, and of those with fewer voxels than the threshold.
    threshold : int
    """

    segmentation: Segmentation
    masks: Mapping[Region, npt.NDArray[np.uint8]]
    volumes_ml: Mapping[Region, float]
    lesions: int
    small: int
    threshold: int


@dataclass(frozen=True)
class SegmentationJob:
    """Arguments of a segmentation; calling the job runs it.

    Parameters
    ----------
    case : Case
    weights : Path or None
        None for the weights that are shipped with the package.
    device : str
        ``auto``, ``cpu``, ``cuda:0`` ...
    flips : bool
        Use test-time augmentation.
    threshold : int
        ET components with fewer voxels are small.
    """

    case: Case
    weights: Path | None
    device: str
    flips: bool
    threshold: int

    def __str__(self) -> str:
        return f"segmentation of {self.case.name}"

    __repr__ = __str__  # napari's close dialog names what still runs

    def __call__(self, progress: Progress, cancelled: Callable[[], bool]) -> JobResult:
        """Segment the case.

        Raises
        ------
        SmalltumorError
            `Cancelled` if `cancelled` returned true.
        """
        from smalltumor.inference import segment
        from smalltumor.lesions import find_lesions
        from smalltumor.models.checkpoint import load_checkpoint

        progress(0.0, "loading the network")
        checkpoint = load_checkpoint(self.weights)
        segmentation = segment(
            self.case,
            checkpoint,
            device=self.device,
            flips=self.flips,
            progress=progress,
            cancelled=cancelled,
        )
        enhancing = segmentation.mask(Region.ET)
        lesions = find_lesions(enhancing, segmentation.grid, threshold=self.threshold)
        return JobResult(
            segmentation,
            {region: display_mask(segmentation.mask(region), self.case) for region in Region},
            {region: segmentation.volume_ml(region) for region in Region},
            len(lesions),
            sum(lesion.small for lesion in lesions),
            self.threshold,
        )
