"""Slices of a case as a radiologist sees them: upright, the patient's right on the left."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from smalltumor.geometry.grid import UPRIGHT_AXES, Grid, index_transform, reoriented, to_axes
from smalltumor.labels.masks import Classes, Mask, region_mask
from smalltumor.labels.regions import Region
from smalltumor.lesions.location import upright_slices

Image = npt.NDArray[np.generic]

_PLANES: Mapping[str, tuple[int, int, int]] = {
    "axial": (2, 1, 0),
    "coronal": (1, 2, 0),
    "sagittal": (0, 2, 1),
}
"""Axes along `UPRIGHT_AXES`: across the plane, its rows, its columns."""

_LETTERS: Mapping[str, tuple[str, str, str, str]] = {
    "axial": ("R", "L", "A", "P"),
    "coronal": ("R", "L", "S", "I"),
    "sagittal": ("A", "P", "S", "I"),
}

_MARGIN_MM = 6.0
_VISIBLE = 0.06
"""Share of the grey levels above which a pixel shows the head."""


@dataclass(frozen=True)
class Slice:
    """One slice of an image with the regions in it.

    Parameters
    ----------
    plane : str
        ``axial``, ``coronal`` or ``sagittal``.
    number : int
        As napari numbers the slices of the plugin's layers, from 0.
    image : (rows, columns) array
    regions : mapping of Region to (rows, columns) bool array
    pixel_mm : (float, float)
        Size of a pixel along rows and columns.
    letters : tuple of str
        Sides of the patient at the left, right, top and bottom.
    lesion : (rows, columns) bool array or None
        The lesion that is shown, which may lie beside others.
    """

    plane: str
    number: int
    image: Image
    regions: Mapping[Region, Mask]
    pixel_mm: tuple[float, float]
    letters: tuple[str, str, str, str]
    lesion: Mask | None = None

    @property
    def size_mm(self) -> tuple[float, float]:
        """Height and width."""
        rows, columns = self.image.shape
        return rows * self.pixel_mm[0], columns * self.pixel_mm[1]

    def cropped(self, rows: slice, columns: slice) -> Slice:
        """The part of the slice."""
        regions = {region: mask[rows, columns] for region, mask in self.regions.items()}
        image = self.image[rows, columns]
        lesion = None if self.lesion is None else self.lesion[rows, columns]
        return Slice(
            plane=self.plane,
            number=self.number,
            image=image,
            regions=regions,
            pixel_mm=self.pixel_mm,
            letters=self.letters,
            lesion=lesion,
        )

    def without_background(self, low: float, high: float) -> Slice:
        """The box around what is brighter than the background, with a margin.

        Parameters
        ----------
        low, high : float
            Intensities shown as black and white.
        """
        shown = np.asarray(self.image.astype(np.float64) > low + _VISIBLE * (high - low))
        if not shown.any():
            return self
        spans = []
        for axis, size in enumerate(self.pixel_mm):
            inside = np.flatnonzero(shown.any(axis=1 - axis))
            margin = round(_MARGIN_MM / size)
            spans.append(slice(max(0, int(inside[0]) - margin), int(inside[-1]) + 1 + margin))
        return self.cropped(spans[0], spans[1])


def largest_of(classes: Classes, known: Collection[Region] = tuple(Region)) -> Region | None:
    """The region of a mask (i, j, k) whose largest slice is shown: the tumour core, else WT.

    Of regions that the mask tells, which are `known`, it is ET if it tells no other.
    """
    shown = [region for region in (Region.TC, Region.WT, Region.ET) if region in known]
    return next((region for region in shown if region_mask(classes, region).any()), None)


def largest_slice(
    image: Image, classes: Classes, grid: Grid, plane: str, number: int | None = None
) -> Slice:
    """The slice with the most of `largest_of`, or the middle one if there is no tumour.

    Parameters
    ----------
    image, classes : (i, j, k) array on `grid`
    grid : Grid
    plane : str
        ``axial``, ``coronal`` or ``sagittal``.
    number : int, optional
        Another slice instead.
    """
    if number is not None:
        return _slice(image, classes, grid, plane, number)
    mask = region_mask(classes, largest_of(classes) or Region.WT)
    across = _PLANES[plane][0]
    others = tuple(axis for axis in range(3) if axis != across)
    areas = np.count_nonzero(to_axes(mask, grid, UPRIGHT_AXES), axis=others)
    largest = int(areas.argmax()) if areas.any() else len(areas) // 2
    return _slice(image, classes, grid, plane, largest)


def slice_of_voxels(
    image: Image, classes: Classes, grid: Grid, voxels: npt.NDArray[Any], width_mm: float
) -> Slice:
    """The axial slice through the centre of a lesion, cropped to a square around the lesion there.

    It is the slice by which tables name the lesion's place, `Lesion.slices`.

    Parameters
    ----------
    image, classes : (i, j, k) array on `grid`
    grid : Grid
    voxels : (n, 3) array
        Indices on the grid, such as those of a lesion; may be fractional.
    width_mm : float
    """
    transform = index_transform(grid, UPRIGHT_AXES)
    upright = np.rint(voxels @ transform[:3, :3].T + transform[:3, 3]).astype(int)
    centre_slice, _, _ = upright_slices(grid, voxels.mean(axis=0))
    numbers = np.unique(upright[:, 2])  # voxels of thick slices leave gaps on a finer grid
    nearest = int(numbers[np.abs(numbers - centre_slice).argmin()])
    last = reoriented(grid, UPRIGHT_AXES).shape[2] - 1
    number = min(max(nearest, 0), last)
    whole = _slice(image, classes, grid, "axial", number)
    places = upright[upright[:, 2] == nearest][:, [1, 0]]
    centre = places.mean(axis=0)
    inside = ((places >= 0) & (places < whole.image.shape)).all(axis=1)
    lesion = np.zeros(whole.image.shape, dtype=bool)
    lesion[tuple(places[inside].T)] = True
    spans = []
    for axis, size in enumerate(whole.pixel_mm):
        length, count = whole.image.shape[axis], max(1, round(width_mm / size))
        start = int(np.clip(round(centre[axis] - count / 2), 0, max(0, length - count)))
        spans.append(slice(start, start + count))
    return replace(whole, lesion=lesion).cropped(spans[0], spans[1])


def _slice(image: Image, classes: Classes, grid: Grid, plane: str, number: int) -> Slice:
    across, rows, columns = _PLANES[plane]
    spacing = reoriented(grid, UPRIGHT_AXES).spacing
    shown = to_axes(classes, grid, UPRIGHT_AXES).transpose(across, rows, columns)[number]
    return Slice(
        plane=plane,
        number=number,
        image=to_axes(image, grid, UPRIGHT_AXES).transpose(across, rows, columns)[number],
        regions={region: region_mask(shown, region) for region in Region},
        pixel_mm=(float(spacing[rows]), float(spacing[columns])),
        letters=_LETTERS[plane],
    )
