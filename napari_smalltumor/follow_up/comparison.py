"""Compare the regions in the window with an earlier scan; runs in a worker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import REFERENCE, Case
from smalltumor.data.made_by import network_warnings
from smalltumor.data.mask_placement.mask_placement import placement_text
from smalltumor.data.masks.case_mask import mask_beside
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import CaseError
from smalltumor.follow_up import FollowUp, LesionChange, Scan, compare_scans, scan_warnings
from smalltumor.labels.masks import region_mask
from smalltumor.labels.regions import Region
from smalltumor.lesions import Lesion
from smalltumor.measures import measure_case
from smalltumor.progress import CancelCallback, ProgressCallback, ProgressReporter
from smalltumor.report import image_warnings_of_scans

from napari_smalltumor.export.written_masks import StampedFiles
from napari_smalltumor.follow_up.mask_files import mask_files
from napari_smalltumor.layers.coordinates import to_display
from napari_smalltumor.layers.masks.region_masks import display_mask
from napari_smalltumor.layers.metadata import cases_among, region_of
from napari_smalltumor.report.regions_origin import regions_origin, were_edited

if TYPE_CHECKING:
    from napari.layers import Layer

_SAVE_FIRST = "{0} has regions in the window, but no mask beside its images; save {0} first"
_COMPARED = 0.7
"""Progress when the scans are compared; the earlier one is resampled afterwards."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """An earlier scan and what has changed since.

    Parameters
    ----------
    folder : Path
        Of the earlier scan.
    follow_up : FollowUp
    image : (I, P, L) float32 array
        Earlier T1CE, on the grid of the current scan.
    masks : mapping of Region to (I, P, L) uint8 array
        Earlier regions, on the same grid: 0 and 1.
    files : StampedFiles
        The masks beside the earlier scan before one was read, see `mask_files`.
    model : str
        Name of the weights that made the current regions, also of an opened file that records
        them, and whether these were edited since; empty if none are known.
    image_warnings : tuple of str
        Reasons to doubt the images and masks, each of one scan.
    """

    folder: Path
    follow_up: FollowUp
    image: npt.NDArray[np.float32]
    masks: Mapping[Region, npt.NDArray[np.uint8]]
    files: StampedFiles
    model: str = ""
    image_warnings: tuple[str, ...] = ()

    @property
    def case(self) -> Case:
        """The case of the current scan."""
        return self.follow_up.current.case

    @property
    def title(self) -> str:
        """Name of the earlier scan, for the user."""
        return self.follow_up.earlier.title

    @property
    def mask(self) -> str:
        """Names of the files of its mask."""
        return self.follow_up.earlier.mask

    @property
    def warnings(self) -> tuple[str, ...]:
        """Reasons to doubt the comparison."""
        return (*scan_warnings(self.follow_up.scans), *self.image_warnings)

    @property
    def mask_has_changed(self) -> bool:
        """Whether files that hold the mask of the earlier scan were written or deleted since."""
        return mask_files(self.follow_up.earlier.case) != self.files

    @property
    def images_have_changed(self) -> bool:
        """Whether image files of the earlier scan hold other images now."""
        return self.follow_up.earlier.case.has_changed_images

    def has_open_regions(self, layers: Iterable[Layer]) -> bool:
        """Whether regions of the earlier scan are among the layers of the window."""
        return _is_among(self.follow_up.earlier.case, cases_with_regions(layers))

    def lesion_of(self, change: LesionChange) -> Lesion:
        """The largest lesion of a change, at its place in the current scan."""
        lesion = (change.current or change.earlier)[0].lesion
        if change.current:
            return lesion
        i, j, k = (float(x) for x in self.follow_up.voxels_on_current_grid(change).mean(axis=0))
        return replace(lesion, centroid_voxel=(i, j, k))


def cases_with_regions(layers: Iterable[Layer]) -> list[Case]:
    """The cases whose regions are among the layers of the window."""
    return list(cases_among(layer for layer in layers if region_of(layer) is not None))


def compare_with_earlier(
    folder: Path,
    case: Case,
    current: Segmentation,
    threshold: float,
    *,
    of_regions: Sequence[str] = (),
    in_window: Sequence[Case] = (),
    progress: ProgressCallback | None = None,
    cancelled: CancelCallback | None = None,
) -> Comparison:
    """Read an earlier scan with its mask and compare the current scan with it.

    Parameters
    ----------
    folder : Path
        Of the earlier scan, or one of its files.
    case : Case
    current : Segmentation
        Of this case.
    threshold : float
        Lesions below this volume in mm3 are small.
    of_regions : sequence of str
        Reasons to doubt the current regions.
    in_window : sequence of Case
        Cases whose regions are in the window, where the user can save them.
    progress, cancelled : callable, optional
        As in `smalltumor.segment`.

    Raises
    ------
    SmalltumorError
        If the earlier scan or its mask cannot be read, or shows another head.
    """
    earlier, files = _read_earlier(folder, case, threshold, in_window)
    shown = Scan(
        case,
        current.classes,
        measure_case(case, current, threshold=threshold),
        mask=regions_origin(current),
        is_from_this_program=True,  # experts' masks are no region layers
        made_by=current.made_by,
    )
    reporter = ProgressReporter(progress, cancelled)
    follow_up = compare_scans((earlier, shown), progress=_first_part(reporter), cancelled=cancelled)
    reporter.update(_COMPARED, "resampling the earlier scan")
    image, placed = follow_up.earlier_on_current_grid()
    masks = {
        region: display_mask(region_mask(placed, region), case)
        for region in follow_up.earlier.measures.known_regions
    }
    model = _model(current)
    placement = placement_text(case, current.classes)
    of_network = network_warnings(current.made_by, "the mask")
    title = follow_up.current.title
    of_mask = [f"{title}: {text}" for text in filter(None, [placement, *of_network])]
    warnings = (*of_regions, *of_mask, *image_warnings_of_scans(follow_up))
    displayed = to_display(image, case.grid)
    return Comparison(folder, follow_up, displayed, masks, files, model, warnings)


def _read_earlier(
    folder: Path, case: Case, threshold: float, in_window: Sequence[Case]
) -> tuple[Scan, StampedFiles]:
    """The earlier scan, of another T1CE than the case, and the files that hold its mask."""
    earlier = read_case(folder, allow_missing=True)
    if _share_t1ce_file(earlier, case):
        raise CaseError(f"{folder} is the scan that is open; choose the folder of an earlier one")
    files = mask_files(earlier)  # before one is read, so that no later change is missed
    if not files.paths and _is_among(earlier, in_window):
        raise CaseError(_SAVE_FIRST.format(earlier.name))
    mask = mask_beside(earlier)
    if mask.other_images:
        raise CaseError(f"{mask.other_images}; it was not compared")
    earlier.warnings.extend(mask.warnings)
    segmentation = Segmentation(earlier.name, mask.classes, earlier.grid, known=tuple(mask.known))
    scan = Scan(
        earlier,
        mask.classes,
        measure_case(earlier, segmentation, threshold=threshold),
        mask=mask.origin,
        is_from_this_program=mask.is_exported,
        made_by=mask.made_by,
    )
    return scan, files


def _model(current: Segmentation) -> str:
    made_by = current.made_by
    weights = current.run.weights if current.run is not None else made_by and made_by.model
    edits = ", edited" if were_edited(current) else ""
    return f"{weights} (the current regions{edits})" if weights else ""


def _first_part(reporter: ProgressReporter) -> ProgressCallback:
    """Report the progress of the comparison as a part of the whole."""
    return lambda fraction, step: reporter.update(_COMPARED * fraction, step)


def _is_among(case: Case, others: Iterable[Case]) -> bool:
    return any(_share_t1ce_file(case, other) for other in others)


def _share_t1ce_file(one: Case, other: Case) -> bool:
    """Whether both were read from one file, whatever links lead to it."""
    paths = [case.paths.get(REFERENCE) for case in (one, other)]
    return None not in paths and len({path.resolve() for path in paths if path}) == 1
