"""One run of the network on a case: what the worker thread does, without Qt or layers."""

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
class Outcome:
    """A segmentation, and what the dock says about it.

    Parameters
    ----------
    segmentation : Segmentation
    masks : mapping of Region to (I, P, L) uint8 array
        Ready to be shown, so that the window does not wait for them.
    volumes_ml : mapping of Region to float
    lesions, small : int
        Components of ET, and how many of them have fewer voxels than the threshold.
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
    """What to run; calling it runs it.

    Parameters
    ----------
    case : Case
    weights : Path or None
        None for the weights that came with the package.
    device : str
        ``auto``, ``cpu``, ``cuda:0`` ...
    flips : bool
    threshold : int
        Components with fewer voxels are small.
    """

    case: Case
    weights: Path | None
    device: str
    flips: bool
    threshold: int

    def __str__(self) -> str:
        return f"segmentation of {self.case.name}"

    __repr__ = __str__  # napari's close dialog names what still runs

    def __call__(self, progress: Progress, cancelled: Callable[[], bool]) -> Outcome:
        """Run.

        Raises
        ------
        SmalltumorError
            With one line for the user; `Cancelled` if `cancelled` became true.
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
        return Outcome(
            segmentation,
            {region: display_mask(segmentation.mask(region), self.case) for region in Region},
            {region: segmentation.volume_ml(region) for region in Region},
            len(lesions),
            sum(lesion.small for lesion in lesions),
            self.threshold,
        )
