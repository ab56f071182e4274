"""Copies of edited masks, as they are written to an autosave file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from smalltumor.geometry.boxes import bounding_box

from napari_smalltumor.autosave.mask_files import SavedMask
from napari_smalltumor.autosave.masks import case_of_mask
from napari_smalltumor.layers.coordinates import from_display
from napari_smalltumor.layers.metadata import LayerKind, region_of, role_of
from napari_smalltumor.layers.titles import name_in_case

if TYPE_CHECKING:
    from napari.layers import Labels


class MaskCopy(NamedTuple):
    """A copy of a layer's mask, cropped to its voxels, and the checksum of the layer's data."""

    checksum: int
    mask: SavedMask


def copy_of(layer: Labels, crc: int, started: int | None) -> MaskCopy:
    """Copy the mask of a layer whose data have the checksum `crc`, and had `started` unedited."""
    role = role_of(layer)
    scheme = role.scheme if role is not None else None
    predicted = role is not None and role.kind is LayerKind.PREDICTION
    volume = from_display(np.asarray(layer.data), case_of_mask(layer).grid)
    box = bounding_box(volume != 0)
    values = np.array(volume[box])  # not a view, because the layer is edited on
    start = (box[0].start, box[1].start, box[2].start)
    name, region = name_in_case(layer), region_of(layer)
    return MaskCopy(crc, SavedMask(name, values, start, region, scheme, predicted, started))
