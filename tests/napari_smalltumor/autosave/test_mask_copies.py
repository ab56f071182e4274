"""Copies of masks do not change with their layer, and are small once they were written."""

from __future__ import annotations

import numpy as np
from napari.layers import Layer
from napari_cases import case_along

from napari_smalltumor.autosave.mask_copies import MaskCopy
from napari_smalltumor.layers.coordinates import to_display
from napari_smalltumor.layers.create import plain_labels_layer


def test_a_copy_is_the_mask_as_it_was_cropped_to_its_voxels():
    case = case_along("AIL")
    stored = np.zeros(case.grid.shape, np.uint8)
    stored[2:4, 3:6, 4:5] = 3
    layer = Layer.create(*plain_labels_layer(case, stored, "Pat drawn"))
    copy = MaskCopy(layer, 1, None)
    layer.data[...] = 7
    mask = copy.cropped()
    assert (mask.name, mask.start, mask.values.shape) == ("Pat drawn", (2, 3, 4), (2, 3, 1))
    assert np.array_equal(mask.on_grid(case.grid.shape), stored)
    assert mask.values.base is None and copy.cropped() is mask


def test_a_copy_of_an_empty_mask_is_empty():
    case = case_along("AIL")
    layer = Layer.create(
        *plain_labels_layer(case, np.zeros(case.grid.shape, np.uint8), "Pat drawn")
    )
    mask = MaskCopy(layer, 1, None).cropped()
    assert mask.values.size == 0
    assert not to_display(mask.on_grid(case.grid.shape), case.grid).any()
