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
from smalltumor.progress import ProgressCallback

from napari_smalltumor.layers.masks.region_masks import display_mask


@dataclass(frozen=True)
class JobResult:
    """A segmentation with the data of its layers.

    Parameters
    ----------
    segmentation : Segmentation
    masks : mapping of Region to (I, P, L) uint8 array
        Computed in the worker, so that the window need not wait for them.
    """

    segmentation: Segmentation
    masks: Mapping[Region, npt.NDArray[np.uint8]]


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
    """

    case: Case
    weights: Path | None
    device: str
    flips: bool

    def __str__(self) -> str:
        return f"segmentation of {self.case.name}"

    def __call__(self, progress: ProgressCallback, cancelled: Callable[[], bool]) -> JobResult:
        """Segment the case.

        Raises
        ------
        SmalltumorError
            `Cancelled` if `cancelled` returned true.
        """
        from smalltumor.inference import segment
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
        return JobResult(
            segmentation,
            {region: display_mask(segmentation.mask(region), self.case) for region in Region},
        )
