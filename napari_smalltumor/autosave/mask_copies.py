"""Copies of edited masks, as they are written to an autosave file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from smalltumor.geometry.boxes import bounding_box
from smalltumor.labels.regions import TissueClass

from napari_smalltumor.autosave.mask_files import SavedMask
from napari_smalltumor.autosave.masks import case_of_mask
from napari_smalltumor.layers.coordinates import from_display
from napari_smalltumor.layers.masks.region_masks import made_by_of
from napari_smalltumor.layers.metadata import LayerKind, region_of, role_of
from napari_smalltumor.layers.titles import name_in_case

if TYPE_CHECKING:
    from napari.layers import Labels


class MaskCopy:
    """A copy of a layer's mask: whole at first, and cropped to its voxels when it is written.

    Cropping takes several times as long as copying, so that the thread of the writes does it.

    Parameters
    ----------
    layer : Labels
    checksum : int
        Checksum of its data.
    baseline_checksum : int, optional
        Checksum of its data before they were edited.
    opened_checksum : int, optional
        Checksum of the data that it was opened with.

    Attributes
    ----------
    name : str
        The `name_in_case` of the layer.
    is_region : bool
        Whether it is a mask of ET, TC or WT.
    baseline_checksum, opened_checksum : int or None
        As given.
    """

    def __init__(
        self,
        layer: Labels,
        checksum: int,
        baseline_checksum: int | None,
        opened_checksum: int | None = None,
    ) -> None:
        role, region = role_of(layer), region_of(layer)
        scheme = role.scheme if role is not None else None
        predicted = role is not None and role.kind is LayerKind.PREDICTION
        values = from_display(np.array(layer.data), case_of_mask(layer).grid)
        self.checksum, self.name = checksum, name_in_case(layer)
        self.is_region, self.baseline_checksum = region is not None, baseline_checksum
        self.opened_checksum = opened_checksum
        self._is_cropped = False
        self._mask = SavedMask(
            self.name,
            values,
            (0, 0, 0),
            region,
            scheme,
            predicted,
            baseline_checksum,
            made_by_of([layer]),
            opened_checksum,
            role.other_images if role is not None else "",
            role.known if role is not None else tuple(TissueClass),
        )

    def cropped(self) -> SavedMask:
        """The mask cropped to its voxels; the rest of the copy is dropped."""
        if not self._is_cropped:
            box = bounding_box(self._mask.values != 0)
            values = np.array(self._mask.values[box])  # a view would keep the rest
            start = (box[0].start, box[1].start, box[2].start)
            self._mask, self._is_cropped = replace(self._mask, values=values, start=start), True
        return self._mask
