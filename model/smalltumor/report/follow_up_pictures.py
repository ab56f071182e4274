"""Pictures of the last scan of a follow-up beside the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from smalltumor.data.case import REFERENCE
from smalltumor.data.naming.case_files import MODALITY_TITLES
from smalltumor.follow_up import FollowUp, LesionChange
from smalltumor.labels.regions import Region
from smalltumor.report.figures import (
    Picture,
    picture_of_lesion,
    picture_of_slice,
    window_as_of,
    window_of,
)
from smalltumor.report.page import PICTURE_MM
from smalltumor.report.slices import Image, largest_slice, slice_of_voxels

if TYPE_CHECKING:
    from smalltumor.labels.masks import Classes


@dataclass(frozen=True)
class _View:
    """A scan on the grid of the last one."""

    title: str
    image: Image
    classes: Classes
    window: tuple[float, float]
    regions: Sequence[Region]


class FollowUpPictures:
    """Pictures of the last scan beside the one before, registered to it."""

    def __init__(self, follow_up: FollowUp) -> None:
        earlier, current = follow_up.earlier, follow_up.current
        self._follow_up, self._grid = follow_up, current.case.grid
        shown = current.case.volumes[REFERENCE]
        window = window_as_of(earlier.case.volumes[REFERENCE], shown)
        image, classes = follow_up.earlier_on_current_grid()
        known = earlier.measures.known_regions
        self._earlier = _View(
            title=f"{earlier.title}, registered",
            image=image,
            classes=classes,
            window=window,
            regions=known,
        )
        known = current.measures.known_regions
        self._current = _View(
            title=current.title,
            image=shown,
            classes=current.classes,
            window=window_of(shown),
            regions=known,
        )

    @property
    def regions(self) -> set[Region]:
        """Those with contours in either scan."""
        return {*self._earlier.regions, *self._current.regions}

    def slices(self) -> list[Picture]:
        """The largest axial slice of the current tumour, and the same slice of the earlier scan."""
        shown = largest_slice(self._current.image, self._current.classes, self._grid, "axial")
        number = shown.number
        title = MODALITY_TITLES[REFERENCE]
        return [
            picture_of_slice(
                largest_slice(view.image, view.classes, self._grid, "axial", number),
                view.window,
                f"{title} {view.title}",
                view.regions,
            )
            for view in (self._earlier, self._current)
        ]

    def pair(self, change: LesionChange) -> tuple[list[Picture], int]:
        """The slice through the centre of a lesion, if it is gone where it was, and its number.

        Of the earlier and of the current scan; the number is that of the current scan.
        """
        voxels = self._follow_up.voxels_on_current_grid(change)
        slices = [
            slice_of_voxels(view.image, view.classes, self._grid, voxels, PICTURE_MM)
            for view in (self._earlier, self._current)
        ]
        kind = change.kind.value
        pictures = [
            picture_of_lesion(shown, view.window, f"{kind} lesion, {view.title},", "")
            for shown, view in zip(slices, (self._earlier, self._current), strict=True)
        ]
        return pictures, slices[1].number
